"""The architecture, read from the source: who imports whom, and what a bare import costs."""

from __future__ import annotations

import ast
import functools
import importlib
import re
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import analog_ff
import hardware_models

ROOT = Path(__file__).resolve().parents[2]
ORDER = [
    {"hardware_models.units", "hardware_models.check", "hardware_models.tables", "hardware_models.keys",
     "hardware_models.events", "hardware_models.figures", "hardware_models.files", "hardware_models.hdf5",
     "hardware_models.opened", "hardware_models.pins", "hardware_models.places", "hardware_models.user_code",
     "hardware_models.user_caches", "hardware_models.user_contract", "hardware_models.user_faults"},
    {"hardware_models.kernels", "hardware_models.laboratory", "hardware_models.protocol"},
    {"hardware_models.devices", "hardware_models.converters", "hardware_models.nonlinearities",
     "hardware_models.parameters"},
    {"hardware_models.fitting", "hardware_models.examination"},
    {"hardware_models.user_devices"},
    {"hardware_models.load"},
    {"hardware_models.testing"},
    {"hardware_models.wires"},
    {"hardware_models.tiles", "hardware_models.crossbar"},
    {"hardware_models.port"},
    {"hardware_models.chip"},
    {"analog_ff.plain", "analog_ff.registry"},
    {"hardware_models.energy", "analog_ff.objective", "analog_ff.datasets"},
    {"analog_ff.network"},
    {"analog_ff.updates", "analog_ff.learners"},
    {"analog_ff.config", "analog_ff.output"},
    {"analog_ff.runs"},
    {"analog_ff.comparison"},
    {"analog_ff.cli"},
    {"analog_ff.estimator"},
    {"analog_ff.spiking"},
    {"analog_ff.sweeps"},
    {"analog_ff.improvement"},
    {"analog_ff.mortality"},
    {"analog_ff.health"},
    {"analog_ff.report"},
    {
        "analog_ff.simulate", "analog_ff.devices", "analog_ff.energy", "analog_ff.compare", "analog_ff.infer", "analog_ff.export",
        "analog_ff.sweep", "analog_ff.improve", "analog_ff.mortal", "analog_ff.doctor", "analog_ff.spike",
    },
    {"analog_ff.__main__"},
]  # fmt: skip
"""Rooms from the bottom up; a room may use only rooms of its own line and of the lines above it."""
PARTS = {"hardware_models.devices", "hardware_models.converters", "hardware_models.nonlinearities",
         "hardware_models.parameters"}  # fmt: skip
APART = [PARTS, {"hardware_models.fitting", "hardware_models.examination"},
         {"hardware_models.energy", "analog_ff.objective"}, {"hardware_models.energy", "analog_ff.datasets"}]  # fmt: skip
"""Rooms of one line that never import each other; parameter files are data and import nothing."""
FORMER = {
    "analog_ff.runs.ablate": "analog_ff.improvement.ablation",
    "analog_ff.spiking.command": "analog_ff.spike",
    "analog_ff.spiking.nir_graph": "analog_ff.spiking.nir.graph",
    "hardware_models.devices.load": "hardware_models.load",
    "hardware_models.energy.limits": "hardware_models.energy.facts.limits",
    "hardware_models.inspection": "hardware_models.crossbar.inspection",
    "hardware_models.joined_port": "hardware_models.chip.joined_port",
    "hardware_models.process_port": "hardware_models.chip.process_port",
    "hardware_models.pulse_train": "hardware_models.fitting.pulse_train",
}
"""Former places of modules, which importers may still use: nothing but names of the new place, and no room."""
PUBLIC = {f"{p.__name__}.{name}": place for p in (hardware_models, analog_ff) for name, place in p._PUBLIC.items()}
"""A public name of the package stands for the module that it comes from."""
UNTYPED = {"hardware_models": 5.7, "analog_ff": 8.0}
"""Most words `Any` in 1000 lines of each package, kernels apart. Lower a number when it can be lowered; never raise one."""
HEAVY = ("numba", "scipy", "sklearn", "matplotlib", "h5py", "nir", "brian2", "mlxtend", "pandas", "pooch", "dask",
         "distributed", "optuna", "pyarrow", "jinja2")  # fmt: skip


def sources() -> list[Path]:
    """Return the files of both packages, former places left out."""
    files = [f for package in ("hardware_models", "analog_ff") for f in (ROOT / package).rglob("*.py")]
    files = [f for f in files if module_of(f) not in FORMER]
    assert len(files) > 50
    return files


@functools.cache
def imports(file: Path) -> list[str]:
    """Return the modules that a file imports anywhere, those of its tables ("package.module:name") included."""
    return imported(file.read_text(encoding="utf-8"))


def imported(text: str) -> list[str]:
    """Return the modules that a source text imports; `from a import b` is both a and a.b, which may be a module."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 and node.module, "relative imports hide where they lead"
            found += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found += re.findall(r"^((?:hardware_models|analog_ff)(?:\.\w+)+):\w+$", node.value)
    return [PUBLIC.get(name, name) for name in found]


def room(module: str) -> str:
    """Return the room a module belongs to; the entry point of ``python -m`` of a room belongs to the list of commands."""
    return "analog_ff.__main__" if module.endswith(".__main__") else ".".join(module.split(".")[:2])


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
                siblings = {room(name), room(module_of(file))}
                assert len(siblings) == 1 or not any(siblings <= rooms for rooms in APART), f"{file} imports {name}"
    assert checked > 100


def arrows() -> dict[str, set[str]]:
    """Return which rooms each room imports, those of the type checker included."""
    rooms = {room(module_of(file)) for file in sources()} - {"hardware_models", "analog_ff"}
    found: dict[str, set[str]] = {name: set() for name in rooms}
    for file in sources():
        own = room(module_of(file))
        if own in rooms:
            found[own] |= {room(name) for name in imports(file)} & rooms - {own}
    return found


def floors(arrows: dict[str, set[str]]) -> list[set[str]]:
    """Return the rooms floor by floor, each on the lowest that lies above all it imports; rooms on circles are left out."""
    built: list[set[str]] = []
    below: set[str] = set()
    while floor := {name for name, used in arrows.items() if name not in below and used <= below}:
        built.append(floor)
        below |= floor
    return built


def test_no_circle_of_rooms() -> None:
    """Rooms stand on floors: none is above and below another at once, and no import leads back up."""
    found = arrows()
    left = set(found) - set().union(*floors(found))
    assert not left, f"on a circle, or above one: {sorted(left)}"
    for name, used in found.items():
        up = {other for other in used if (level(other) or 0) > (level(name) or 0)}
        assert not up, f"{name} imports back up from {sorted(up)}"


def test_a_circle_of_rooms_would_be_seen() -> None:
    """Two rooms that import each other stand on no floor, nor does a room above them."""
    built = floors({"a": set(), "b": {"a"}, "c": {"d", "a"}, "d": {"c"}, "e": {"c"}})
    assert built == [{"a"}, {"b"}]


@pytest.mark.parametrize(("former", "place"), FORMER.items())
def test_former_places_hold_names_alone(former: str, place: str) -> None:
    """A module that has moved can be imported from its former place, where no code stands, and which nothing here uses."""
    file = ROOT.joinpath(*former.split(".")).with_suffix(".py")
    text, import_, names = ast.parse(file.read_text(encoding="utf-8")).body
    assert isinstance(text, ast.Expr) and isinstance(import_, ast.ImportFrom) and isinstance(names, ast.Assign)
    assert import_.module == place and sorted(ast.literal_eval(names.value)) == sorted(a.name for a in import_.names)
    old, new = importlib.import_module(former), importlib.import_module(place)
    assert all(getattr(old, name) is getattr(new, name) for name in old.__all__)
    assert not [file for file in sources() if former in imports(file)]


def test_the_reader_of_imports_sees_every_way_in() -> None:
    """Each way of writing an import is found; a reader that overlooks one would let everything pass."""
    text = """
import analog_ff.runs.train as train
from analog_ff import runs
from hardware_models import Chip
from hardware_models.kernels import pulses
TABLE = {"x": "analog_ff.updates.accumulate:Accumulate"}
def late():
    import brian2
"""
    assert {"analog_ff.runs.train", "analog_ff.runs", "hardware_models.chip.chip", "hardware_models.kernels.pulses",
            "analog_ff.updates.accumulate", "brian2"} <= set(imported(text))  # fmt: skip
    with pytest.raises(AssertionError, match="relative"):
        imported("from ..chip import Chip")


@pytest.mark.parametrize("package", UNTYPED)
def test_types_say_what_things_are(package: str) -> None:
    """`Any` does not spread; a new one needs another one to go, and a limit that has become too wide is lowered."""
    texts = [f.read_text(encoding="utf-8") for f in (ROOT / package).rglob("*.py") if "kernels" not in f.parts]
    words = sum(len(re.findall(r"\bAny\b", text)) for text in texts)
    share = 1000.0 * words / sum(text.count("\n") for text in texts)
    assert share <= UNTYPED[package], f"{words} times Any in {package}, {share:.2f} in 1000 lines: give them real types"


def test_every_room_of_the_order_exists() -> None:
    """A room that was renamed must not leave its rule behind."""
    rooms = {room(module_of(file)) for file in sources()}
    listed = set().union(*ORDER)
    assert listed <= rooms, f"no files for {sorted(listed - rooms)}"


def test_modules_of_the_spiking_room_import_in_one_direction() -> None:
    """No module of the spiking network needs itself by way of another, late imports and imports for types included."""
    files = {module_of(f): f for f in sources() if room(module_of(f)) == "analog_ff.spiking"}
    needs = {name: (files.keys() & set(imports(file))) - {name} for name, file in files.items()}
    assert len(needs) > 25 and needs["analog_ff.spiking.synapses.choose"] > {"analog_ff.spiking.synapses.base"}
    TopologicalSorter(needs).prepare()  # raises CycleError with the circle


def test_physics_knows_no_learning_and_brian2_stays_in_its_room() -> None:
    """hardware_models never imports analog_ff; Brian2 is imported in analog_ff/spiking alone."""
    for file in sources():
        for name in imports(file):
            if module_of(file).startswith("hardware_models"):
                assert not name.startswith("analog_ff"), f"{file} imports {name}"
            if name.split(".")[0] == "brian2":
                assert module_of(file).startswith("analog_ff.spiking"), f"{file} imports {name}"


@pytest.mark.parametrize("package", ["analog_ff", "hardware_models", "hardware_models.wires"])
def test_importing_is_light(package: str) -> None:
    """A bare import loads neither numba, SciPy, scikit-learn, matplotlib, h5py nor Brian2."""
    assert loaded(f"import {package}") == []


@pytest.mark.parametrize(
    "command",
    [
        ["analog_ff.simulate", "--help"],
        ["analog_ff", "--help"],
        ["analog_ff", "devices", "--help"],
        ["analog_ff", "energy", "--help"],
        ["analog_ff", "compare", "--help"],
        ["analog_ff", "infer", "--help"],
        ["analog_ff", "export", "--help"],
        ["analog_ff", "improve", "--help"],
        ["analog_ff", "mortal", "--help"],
        ["analog_ff", "sweep", "--help"],
        ["analog_ff", "doctor", "--help"],
        ["analog_ff", "report", "--help"],
    ],
)
def test_help_is_light(command: list[str]) -> None:
    """`python -m COMMAND --help` exits with 0 and loads none of them either."""
    module, *arguments = command
    run = f"""
import runpy
sys.argv = [{module!r}, *{arguments!r}]
try:
    runpy.run_module({module!r}, run_name="__main__", alter_sys=True)
except SystemExit as end:
    assert not end.code, end.code
else:
    raise AssertionError("the command did not end by itself")"""
    assert loaded(run) == []


def loaded(statements: str) -> list[str]:
    """Return which of the heavy packages a fresh interpreter has loaded after the statements."""
    code = f"import sys\n{statements}\nprint('\\nloaded:', *sorted(set({HEAVY!r}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    word, *names = done.stdout.splitlines()[-1].split()
    assert word == "loaded:", done.stdout
    return names


def test_a_heavy_package_would_be_seen() -> None:
    """The look at sys.modules finds what is there."""
    assert "numba" in loaded("import hardware_models.kernels.random")


def test_public_names_resolve() -> None:
    """Every name that the packages promise is there."""
    assert len(hardware_models.__all__) > 10 and "ForwardForwardClassifier" in analog_ff.__all__
    for package in (hardware_models, analog_ff):
        assert all(getattr(package, name) is not None for name in package.__all__)
        with pytest.raises(AttributeError):
            _ = package.nothing
