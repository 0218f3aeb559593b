"""The readers of the product, each with valid files, the changes for its format, and the function that reads an input."""

from __future__ import annotations

import copy
import gzip
import io
import itertools
import json
import random
import tomllib
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import numpy as np

from fuzzing import mutations
from hardware_models import laboratory

Change = Callable[[random.Random, bytes], bytes]


class Reader(NamedTuple):
    """One reader; `begin` prepares its bench once in an empty folder, in the process that reads."""

    begin: Callable[[Path], Bench]
    modules: tuple[str, ...]  # modules of which the reached lines are counted


class Bench(NamedTuple):
    """Valid inputs, a function that changes one of them, and a function that reads the result."""

    valid: list[bytes]
    change: Change
    read: Callable[[Path], object]
    suffix: str


def _some(*changes: Change) -> Change:
    return lambda draw, data: draw.choice(changes)(draw, data)


def _toml_tree(draw: random.Random, data: bytes) -> bytes:
    return mutations.to_toml(mutations.of_tree(draw, tomllib.loads(data.decode())))


def _json_tree(draw: random.Random, data: bytes) -> bytes:
    return mutations.to_json(mutations.of_tree(draw, json.loads(data)))


TOML = _some(_toml_tree, _toml_tree, _toml_tree, mutations.of_text, mutations.of_bytes)


def _packaged(package: str, *names: str) -> list[bytes]:
    return [resources.files(package).joinpath(f"{name}.toml").read_bytes() for name in names]


def _device(folder: Path) -> Bench:
    from hardware_models.load import load_device

    def read(path: Path) -> None:
        json.dumps(load_device(str(path)).describe(), allow_nan=False)  # type: ignore[attr-defined]

    names = "wu2018_taox_hfox", "kim2019_ecram", "nandakumar2020_pcm", "wan2022_rram_verified"
    return Bench(_packaged("hardware_models.parameters", *names), TOML, read, ".toml")


def _technology(folder: Path) -> Bench:
    from hardware_models.energy import load_technology

    # The names are changed, because a packaged name with other contents is refused before any other fault.
    packaged = _packaged("hardware_models.energy.technologies", "cmos_32nm", "cmos_45nm")
    valid = [text.replace(b'name = "cmos-', b'name = "my-cmos-', 1) for text in packaged]
    return Bench(valid, TOML, lambda path: load_technology(str(path)), ".toml")


def _npz(folder: Path) -> Bench:
    from analog_ff.datasets.files import read as read_npz

    def read(path: Path) -> None:
        data = read_npz(path).dataset
        assert data.x_train.dtype == data.x_test.dtype == np.float32 and data.x_train.shape == (
            len(data.y_train),
            data.x_test.shape[1],
        )
        assert 0 <= min(data.x_train.min(), data.x_test.min()) and max(data.x_train.max(), data.x_test.max()) <= 1
        assert {0, len(data.classes) - 1} <= set(data.y_train.tolist()) >= set(data.y_test.tolist())

    draw = np.random.default_rng(0)
    labels = np.arange(20) % 4
    sets = (
        {"x_train": draw.random((20, 6)), "y_train": labels, "x_test": draw.random((8, 6)), "y_test": labels[:8]},
        {
            "x_train": draw.integers(0, 255, (20, 2, 3), np.uint8), "y_train": np.array(["a", "bé"])[labels % 2],
            "x_test": draw.integers(0, 255, (8, 2, 3), np.uint8), "y_test": np.array(["a", "bé"])[labels[:8] % 2],
        },
    )  # fmt: skip
    change = _some(mutations.of_npz, mutations.of_npz, mutations.of_bytes)
    return Bench([_saved(**arrays) for arrays in sets], change, read, ".npz")


def _saved(**arrays: Any) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def _fault_map(folder: Path) -> Bench:
    from hardware_models.devices.faults import with_faults
    from hardware_models.devices.ideal import Ideal
    from hardware_models.keys import Key

    def read(path: Path) -> None:
        for layer in (0, 1):
            state = with_faults(Ideal(), {"map": str(path)}, layer, 2).fabricate((6, 4), Key(0, "fuzz"))
            assert np.isfinite(state.g).all()

    cells = np.zeros((6, 4), bool)
    cells[1, 2] = True
    maps = {"0.stuck_low": cells, "0.stuck_high": cells[::-1], "1.dead_rows": np.arange(6) == 3}
    change = _some(mutations.of_npz, mutations.of_npz, mutations.of_bytes)
    return Bench([_saved(**maps), _saved(**{"1.dead_columns": np.arange(4) % 2})], change, read, ".npz")


def _idx(folder: Path) -> Bench:
    from analog_ff.datasets import idx

    plain = b"\x00\x00\x08\x03" + b"".join(n.to_bytes(4, "big") for n in (2, 3, 4)) + bytes(range(24))

    def inside(draw: random.Random, data: bytes) -> bytes:
        return mutations.of_gzip(draw, data, mutations.of_idx) if data[:1] == b"\x1f" else mutations.of_idx(draw, data)

    change = _some(inside, inside, mutations.of_bytes)
    return Bench([plain, gzip.compress(plain, mtime=0)], change, lambda path: idx.read(path, dimensions=3), ".idx")


def _csv(folder: Path) -> Bench:
    from hardware_models.fitting.pulse_train import read_pulse_train

    rows = ["cell,cycle,pulse,polarity,conductance [uS]"]
    bare = ["pulse;voltage [V];width [ns];conductance [S]"]
    number = 0
    for cycle in range(2):
        for n in range(23):
            polarity = 0 if n == 0 else 1 if n < 12 else -1
            g = 2 + min(n, 23 - n) * (1 + 0.01 * cycle)
            rows.append(f"a,{cycle + 1},{n},{polarity},{g:.4f}")
            if polarity:
                number += 1
                bare.append(f"{number};{1.5 if polarity > 0 else -1.2};100;{g * 1e-6:.5g}")
    change = _some(mutations.of_text, mutations.of_text, mutations.of_text, mutations.of_bytes)
    valid = ["\n".join(lines).encode() + b"\n" for lines in (rows, bare)]
    return Bench(valid, change, lambda path: read_pulse_train(path, one_cycle=True), ".csv")


def _run(folder: Path) -> Any:
    """Make a very small run and return its configuration."""
    from analog_ff.config.config import Config
    from analog_ff.runs.execute import execute

    config = Config(data="toy", layers=(8,), epochs=1, batch=20, shift=0, out=str(folder / "run"))
    execute(config, quiet=True)
    return config


def _energy(folder: Path) -> Bench:
    from analog_ff.runs.account import account
    from analog_ff.runs.result_file import read_run

    def read(path: Path) -> None:
        result = read_run(str(path))
        json.dumps(account(result, result["config"].get("technology", "cmos-32nm")), allow_nan=False)

    _run(folder)
    valid = [(folder / "run" / "result.json").read_bytes()]
    return Bench(valid, _some(_json_tree, _json_tree, mutations.of_text, mutations.of_bytes), read, ".json")


def _config(folder: Path) -> Bench:
    from analog_ff.config.config import Config

    configs = Config(), Config(device="ideal", layers=(9, 4), adc=None, stuck_low=0.1, data="toy")
    return Bench(
        [config.to_toml({}).encode() for config in configs], TOML, lambda path: Config.from_toml(path), ".toml"
    )


def _checkpoint(folder: Path) -> Bench:
    from analog_ff.runs import checkpoint
    from analog_ff.runs.execute import prepared
    from analog_ff.runs.resume import take_up
    from fuzzing.checkpoints import changed

    config = _run(folder)
    kept = folder / "run"
    arrays, facts = checkpoint.read(kept)
    # The parts of the run are made once, and each input is restored into the same ones.
    parts = prepared(config).__enter__()

    def inside(draw: random.Random, data: bytes) -> bytes:
        checkpoint.write(kept, *changed(draw, arrays, facts))
        return (kept / checkpoint.NAME).read_bytes()

    def read(path: Path) -> None:
        place = path.with_name("taken")
        place.mkdir(exist_ok=True)
        path.replace(place / checkpoint.NAME)
        assert take_up(parts.run, place)

    valid = [(kept / checkpoint.NAME).read_bytes()]
    return Bench(valid, _some(inside, inside, mutations.of_bytes), read, ".h5")


def _experiments(folder: Path) -> Bench:
    import experiment_files

    files = sorted((Path(__file__).resolve().parents[1] / "experiments").glob("*.toml"))
    return Bench([f.read_bytes() for f in files[::6]], TOML, experiment_files.read, ".toml")


def _nir(folder: Path) -> Bench:
    import nir

    from analog_ff.spiking.nir.graph import load
    from fuzzing import forked
    from fuzzing.hdf5_mutations import of_objects
    from hardware_models.hdf5 import process

    one = np.ones(4)
    nodes = {
        "input": nir.Input({"input": np.array([6])}), "s": nir.Scale(np.full(6, 2.0)), "d": nir.Delay(np.full(6, 1e-3)),
        "l": nir.Linear(np.ones((4, 6))), "f": nir.LIF(tau=one, r=one, v_leak=0 * one, v_threshold=one, v_reset=0 * one),
        "output": nir.Output({"output": np.array([4])}),
    }  # fmt: skip
    names = list(nodes)
    edges = list(itertools.pairwise(names))
    nir.write(folder / "x.nir", nir.NIRGraph(nodes, edges, metadata={"dt": 1e-3, "reset": "hard"}))

    def inside(draw: random.Random, data: bytes) -> bytes:
        return of_objects(draw, data, folder / "scratch.nir")

    def read(path: Path) -> None:
        with mock.patch.object(process, "run", forked.run):
            load(path)

    return Bench([(folder / "x.nir").read_bytes()], _some(inside, inside, mutations.of_bytes), read, ".nir")


def _settings(folder: Path) -> Bench:
    """Return the bench of the classifier's settings, which are Python values: an input holds numbers of option and value."""
    from dataclasses import fields

    from analog_ff.config.classifier import NOT_SETTINGS, config_of
    from analog_ff.config.config import Config
    from analog_ff.estimator import ForwardForwardClassifier

    names = sorted({f.name for f in fields(Config)} - NOT_SETTINGS)
    mine = "hidden epochs batch learning_rate label_strength readout technology chip_seed device".split()

    def change(draw: random.Random, data: bytes) -> bytes:
        return bytes(draw.randrange(256) for _ in range(4))

    def read(path: Path) -> None:
        a, b, c, d = path.read_bytes() or bytes((0, 0, 255, 0))
        value, other = (copy.deepcopy(mutations.VALUES[n % len(mutations.VALUES)]) for n in (b, d))
        settings: Any = {names[a % len(names)]: value} if path.stat().st_size else {}
        own = {}
        if c < 128:
            own = {mine[c % len(mine)]: other}
        elif c < 140:
            settings = value
        made = ForwardForwardClassifier(settings=settings, **own)
        config = config_of(made.get_params(deep=False), made.epochs or 1)
        again = Config(**{f.name: getattr(config, f.name) for f in fields(Config)})
        assert again == config

    return Bench([b""], change, read, ".settings")


ARRAYS = "hardware_models.files.npz"
CONTENTS = "hardware_models.files.way_in:contents,reading,_reason"
DEVICE = "hardware_models.load:device_from_toml,_device,_name,_citation,_choice"
LABORATORY = tuple(
    f"hardware_models.laboratory.{part.stem}" for part in sorted(Path(laboratory.__path__[0]).glob("[a-z]*.py"))
)
READERS: dict[str, Reader] = {
    "device": Reader(_device, (DEVICE, "hardware_models.figures")),
    "technology": Reader(
        _technology, ("hardware_models.energy.load", "hardware_models.energy.files", "hardware_models.figures")
    ),
    "npz": Reader(_npz, ("analog_ff.datasets.files", ARRAYS, CONTENTS)),
    "fault-map": Reader(_fault_map, ("hardware_models.devices.faults:with_faults,fault_maps,_map", ARRAYS, CONTENTS)),
    "idx": Reader(_idx, ("analog_ff.datasets.idx", "hardware_models.files.way_in:gunzip,contents,reading,_reason")),
    "csv": Reader(_csv, ("hardware_models.fitting.pulse_train", *LABORATORY)),
    "energy": Reader(_energy, ("analog_ff.runs.result_file", "analog_ff.runs.account")),
    "config": Reader(_config, ("analog_ff.config.choices", "analog_ff.config.config")),
    "checkpoint": Reader(_checkpoint, ("analog_ff.runs.checkpoint", "analog_ff.runs.resume")),
    "experiments": Reader(_experiments, ("experiment_files",)),
    "nir": Reader(_nir, ("analog_ff.spiking.nir.graph:load,_network,_read,_word,_clock,_chain,_size,_values,_real,_linear,"
                         "_steps,_lif", "hardware_models.hdf5:tree", "hardware_models.hdf5.walk",
                         "hardware_models.hdf5.process:ask,_end,serve,answer,_packed,_unpacked,made")),
    "settings": Reader(_settings, tuple(f"analog_ff.config.{part}" for part in "classifier config choices".split())),
}  # fmt: skip
