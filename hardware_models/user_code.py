"""Find the source files on which a user's own object depends: its own file and the local modules that it imports.

A run that is resumed with other sources is another run. Python's standard library and installed packages are identified by
their versions instead, and this project's packages are left out as well. Imports are read from the source, including those
inside functions; a module that can only be found while the user's code runs is seen by `opened`.
"""

from __future__ import annotations

import ast
import importlib.util
import site
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from hardware_models import opened
from hardware_models.files import contents, home, reading
from hardware_models.places import placed

_OWN = ("hardware_models", "analog_ff")


def note_of(spec: str, kind: str) -> None:
    """Note the SHA-256 of the sources of ``file.py:name`` or ``package.module:name``, without running them."""
    place = spec.rpartition(":")[0]
    if place.endswith(".py"):
        source(Path(place), kind)
    else:
        note_module(place, kind)


def source(path: Path, kind: str) -> bytes:
    """Return the source of a user's file, and note it and the local modules that it imports."""
    text = contents(path, f"{kind} file")
    _note_imports(text, path, "", set())
    return text


def classes(path: Path, kind: str) -> list[str]:
    """Return the names of the classes that a user's file defines, without running it; those of plain tuples are left out."""
    with reading(path, "Python source"):
        tree = ast.parse(contents(placed(home(str(path))), f"{kind} file"))
    found = (node for node in tree.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_"))
    return [node.name for node in found if "NamedTuple" not in map(ast.unparse, node.bases)]


def note_module(name: str, kind: str) -> None:
    """Note a module that the user names, local or installed, and the local modules that it imports."""
    file = _file_of(name)
    if file is not None and name.partition(".")[0] not in _OWN:
        text = contents(file, f"{kind} module", most=2**30)
        opened.again(name)
        _note_imports(text, file, _package(name, file), {file})


def _note_imports(text: bytes, path: Path, package: str, seen: set[Path]) -> None:
    """Note the local modules that a source in `package` imports, and recursively the modules that those import."""
    if path.suffix != ".py":
        return
    with reading(path, "Python source"):
        tree = ast.parse(text)
    for name in _imported(tree, package):
        # Modules inside an installed package are not searched, because finding them would import the package.
        file = _file_of(name) if _is_local(name.partition(".")[0]) else None
        if file is not None and file not in seen:
            seen.add(file)
            opened.expect(name)
            opened.again(name)
            _note_imports(contents(file, "imported module", most=2**30), file, _package(name, file), seen)


def _imported(tree: ast.AST, package: str) -> Iterator[str]:
    """Yield the absolute names of the modules that a source may import."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and (package or not node.level):
            base = importlib.util.resolve_name("." * node.level + (node.module or ""), package or None)
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _package(name: str, file: Path) -> str:
    """Return the package from which the relative imports of a module start."""
    return name if file.name == "__init__.py" else name.rpartition(".")[0]


def _file_of(name: str) -> Path | None:
    """Return the file of a module, or None; a module that is not loaded yet is not run."""
    module = sys.modules.get(name)
    if module is not None:
        file = getattr(module, "__file__", None)
        return None if file is None else Path(file)
    try:
        spec = importlib.util.find_spec(name)
    except KeyboardInterrupt:
        raise
    except BaseException:  # the module is missing or its package fails; the import itself reports that when it runs
        return None
    return None if spec is None or not spec.has_location or spec.origin is None else Path(spec.origin)


def _is_local(top: str) -> bool:
    """Tell whether a top-level package or module is the user's own."""
    if top in _OWN or top in sys.stdlib_module_names:
        return False
    paths = sysconfig.get_paths()
    installed = [paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    installed += [*site.getsitepackages(), site.getusersitepackages()]
    file = _file_of(top)
    # A package without a file of its own (a folder of modules) counts as the user's, so that its modules are searched.
    return file is None or not any(file.is_relative_to(place) for place in installed)
