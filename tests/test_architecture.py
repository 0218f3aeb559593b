"""The architecture, read from the source: who imports whom, and what a bare import costs."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ORDER = [
    {"hardware_models.units", "hardware_models.check", "hardware_models.tables", "hardware_models.keys",
     "hardware_models.events"},
    {"hardware_models.kernels"},
    {"hardware_models.devices", "hardware_models.converters", "hardware_models.nonlinearities",
     "hardware_models.parameters"},
    {"hardware_models.tiles", "hardware_models.crossbar"},
    {"hardware_models.port"},
    {"hardware_models.chip", "hardware_models.process_port"},
    {"hardware_models.energy", "analog_ff.objective", "analog_ff.datasets"},
    {"analog_ff.network"},
    {"analog_ff.updates", "analog_ff.learners"},
    {"analog_ff.runs"},
    {"analog_ff.simulate"},
    {"analog_ff.__main__"},
]  # fmt: skip
"""Rooms from the bottom up; a room may use only rooms of its own line and of the lines above it."""


def sources() -> list[Path]:
    """Return the files of both packages."""
    files = [f for package in ("hardware_models", "analog_ff") for f in (ROOT / package).rglob("*.py")]
    assert len(files) > 50
    return files


def imports(file: Path) -> list[str]:
    """Return the modules that a file imports anywhere."""
    found = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found.append(node.module or "")
    return found


def room(module: str) -> str:
    """Return the room a module belongs to."""
    return ".".join(module.split(".")[:2])


def level(module: str) -> int | None:
    """Return the line of ORDER a module stands on."""
    return next((i for i, rooms in enumerate(ORDER) if room(module) in rooms), None)


def module_of(file: Path) -> str:
    """Return the dotted name of a file."""
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def test_imports_go_upwards_only() -> None:
    """Each room uses only the lines above its own; siblings among the physics parts never import each other."""
    checked = 0
    for file in sources():
        own = level(module_of(file))
        if own is None:
            assert module_of(file) in ("hardware_models", "analog_ff"), f"{file} has no room"
            continue
        for name in imports(file):
            other = level(name)
            if name.split(".")[0] in ("hardware_models", "analog_ff") and other is not None:
                assert other <= own, f"{file} imports {name}"
                checked += 1
                if own == 2 and other == 2:
                    assert room(name) == room(module_of(file)), f"{file} imports its sibling {name}"
    assert checked > 100


def test_physics_knows_no_learning_and_brian2_stays_in_its_room() -> None:
    """hardware_models never imports analog_ff; Brian2 is imported in analog_ff/spiking alone."""
    for file in sources():
        for name in imports(file):
            if module_of(file).startswith("hardware_models"):
                assert not name.startswith("analog_ff"), f"{file} imports {name}"
            if name.split(".")[0] == "brian2":
                assert module_of(file).startswith("analog_ff.spiking"), f"{file} imports {name}"


@pytest.mark.parametrize(
    "statement",
    [
        "import analog_ff",
        "import hardware_models",
        "import sys; sys.argv = ['x', '--help']; from analog_ff.simulate import run_app, app; run_app(app, ['--help'])",
    ],
)
def test_importing_and_help_are_light(statement: str) -> None:
    """Neither numba, SciPy, scikit-learn, matplotlib, h5py nor Brian2 is loaded."""
    code = f"{statement}\nimport sys\nheavy = {{'numba', 'scipy', 'sklearn', 'matplotlib', 'h5py', 'brian2'}}\n"
    code += "print('loaded:', sorted(heavy & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    assert done.stdout.strip().endswith("loaded: []")


def test_public_names_resolve() -> None:
    """Every name that hardware_models promises is there."""
    import hardware_models

    assert len(hardware_models.__all__) > 10
    assert all(getattr(hardware_models, name) is not None for name in hardware_models.__all__)
    with pytest.raises(AttributeError):
        _ = hardware_models.nothing


def test_the_quickstart_runs(tmp_path: Path) -> None:
    """The Python blocks of the quickstart are a device and a neuron that work."""
    text = (ROOT / "docs" / "quickstart.md").read_text(encoding="utf-8")
    device, neuron = re.findall(r"```python\n(.*?)```", text, re.S)
    (tmp_path / "my_device.py").write_text(device)
    (tmp_path / "my_neuron.py").write_text(neuron)
    options = ["--data", "toy", "--layers", "12", "--epochs", "2", "--shift", "0", "--out", str(tmp_path / "run")]
    from analog_ff.simulate import app, run_app

    status = run_app(
        app,
        [*options, "--device", f"{tmp_path}/my_device.py:Linear", "--nonlinearity", f"{tmp_path}/my_neuron.py:hump"],
    )
    assert status == 0 and (tmp_path / "run" / "result.json").is_file()
