"""``python -m analog_ff devices``: what it prints, writes and refuses; and the door of installed packages."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from analog_ff.__main__ import app
from analog_ff.cli.run_table import _assumed
from analog_ff.simulate import run_app
from hardware_models.check import UsageError
from hardware_models.devices import PUBLISHED
from hardware_models.devices.exponential_step import ExponentialStep
from hardware_models.fitting import search, synthetic, write_pulse_train
from hardware_models.load import load_device

Capture = pytest.CaptureFixture[str]


def devices(capsys: Capture, *options: str, status: int = 0) -> tuple[str, str]:
    """Return standard output and error of a command that ends with `status`."""
    got = run_app(app, ["devices", *options])
    out, err = capsys.readouterr()
    assert got == status, err
    assert "Traceback" not in err
    return out, err


def document(capsys: Capture, *options: str, status: int = 0) -> Any:
    """Return the one JSON document on standard output."""
    return json.loads(devices(capsys, *options, "--json", status=status)[0])


@pytest.fixture
def train(tmp_path: Path) -> Path:
    """Return a small measured pulse train."""
    truth = ExponentialStep(name="t", g_min=1e-6, g_max=1e-5, states=40.0, a_up=0.8, a_down=-0.8, cycle_noise=0.01,
                            step_spread=0.1, v_up=1.5, v_down=1.5)  # fmt: skip
    write_pulse_train(synthetic(truth, cells=3, cycles=3, pulses=50), tmp_path / "lab.csv")
    return tmp_path / "lab.csv"


@pytest.fixture
def _two_forms(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave a fit two forms, steps of one size and exponential ones: tests/hardware_models/fitting compares all of them."""
    known = search.model_of
    kept = ("constant_step", "exponential_step")
    monkeypatch.setattr(search, "model_of", lambda form: known(form) if form.model in kept else None)


def test_list(capsys: Capture) -> None:
    """One row a name, as the parameter files say."""
    rows = {row["name"]: row for row in document(capsys, "list")}
    assert set(PUBLISHED) | {"ideal"} <= set(rows)
    wu = rows["wu2018_taox_hfox"]
    assert (wu["states"], wu["on/off"], wu["doi"]) == (128, 10, "10.1109/VLSIT.2018.8510690")
    assert wu["pulse"] == "+1.6 V 50 ns, -1.6 V 50 ns"
    assert (wu["checked"], wu["law of time"]) == ("15 of 20", "none")
    assert wu["figures"] == {"checked": 15, "not_read": 0, "assumptions": 5}
    assert rows["nandakumar2020_pcm"]["law of time"] == "drift, 1/f noise" and rows["ideal"]["checked"] is None
    out, _ = devices(capsys, "list")
    assert len(out.splitlines()) == len(rows) + 1 and out.startswith("name")


def test_show(capsys: Capture, tmp_path: Path) -> None:
    """Equation, numbers with sources, a picture."""
    shown = document(capsys, "show", "memristor", "--out", str(tmp_path / "a.png"))
    assert "u(p) = B" in shown["equation"] and (tmp_path / "a.png").stat().st_size > 10_000
    checked = {row["name"]: row["checked"] for row in shown["parameters"]}
    assert "Table II" in checked["g_max"] and checked["step_spread"] is None
    numbers = {p["name"]: p for p in shown["parameters"]}
    assert numbers["g_max"]["value"] == pytest.approx(1e-5) and numbers["g_max"]["kind"] == "measured"
    assert numbers["g_max"]["low"] == pytest.approx(3e-6) and "Table II" in numbers["g_max"]["source"]
    assert numbers["v_read"]["unit"] == "V"
    assert "a_down" in devices(capsys, "show", "memristor")[0]


@pytest.mark.usefixtures("_two_forms")
def test_fit(capsys: Capture, train: Path, tmp_path: Path) -> None:
    """A parameter file that simulates, a picture, notes; progress stays off standard output."""
    toml, png = tmp_path / "mine.toml", tmp_path / "fit.png"
    found = document(capsys, "fit", str(train), "--out", str(toml), "--plot", str(png))
    assert found["data"] == {
        "file": str(train),
        "files": [str(train)],
        "cells": 3,
        "cycles": 3,
        "steps": 900,
        "outliers": [],
    }
    assert {m["form"] for m in found["models"]} >= {"exponential_step"} and len(found["models"]) >= 2
    assert load_device(str(toml)).states == pytest.approx(found["device"]["states"])  # type: ignore[attr-defined]
    assert png.stat().st_size > 10_000
    assert {"what": "voltage", "from": "voltage [V]", "as": "V"} in found["taken"]
    out, err = devices(capsys, "fit", str(train))
    assert "95 % low" in out and "note: " in out and "100 % done" in err
    assert "explained of all" in out and "conductance [uS]" in out
    shown = document(capsys, "show", str(toml))
    assert {p["kind"] for p in shown["parameters"]} == {"fitted", "measured", "assumption", "default"}
    # Nothing is assumed silently: on the screen, in the document, in the device, and in the table of its runs.
    assert "assumed: v_read = 0.2 V: the file gives no read voltage; say it with --read-voltage." in out
    assumed = [c["name"] for c in found["conditions"] if c["kind"] == "assumption"]
    assert assumed == ["v_read", "t_read", "t_up", "t_down", "access"]
    assert [said.split(" = ")[0] for said in shown["assumptions"]] == assumed
    assert _assumed(shown["assumptions"]).split("\n")[0] == "v_read = 0.2 V"
    options = ("--read-voltage", "0.1 V", "--read-time", "1 us", "--pulse-width", "50 ns", "--access", "passive")
    out, _ = devices(capsys, "fit", str(train), *options, "--out", str(tmp_path / "given.toml"))
    given: Any = load_device(str(tmp_path / "given.toml"))
    assert "assumed: " not in out and given.assumptions == () and given.access == "passive"
    assert (given.v_read, given.t_read, given.t_up) == (0.1, 1e-6, 5e-8)


def test_fit_overwrites_nothing(capsys: Capture, train: Path, tmp_path: Path) -> None:
    """A file that exists is refused before the fit, and stays as it is."""
    for option, name in (("--out", "mine.toml"), ("--plot", "fit.png")):
        (tmp_path / name).write_text("mine")
        _, err = devices(capsys, "fit", str(train), option, str(tmp_path / name), status=2)
        assert f"{name} exists and is not overwritten" in err and "fitting" not in err
        assert (tmp_path / name).read_text() == "mine"
    _, err = devices(capsys, "fit", str(train), "--out", str(tmp_path / "nowhere" / "a.toml"), status=2)
    assert "does not exist" in err


@pytest.mark.usefixtures("_two_forms")
def test_fit_by_columns_of_choice(capsys: Capture, train: Path, tmp_path: Path) -> None:
    """Titles that say nothing, mapped on the command line; a name that would be a formula, or has no glyph, in a picture."""
    lines = train.read_text().splitlines()
    named = tmp_path / "x$\\q$\U0001f600.csv"
    named.write_text("\n".join(["dut;run;k;a;b", *(line.replace(",", ";") for line in lines[1:])]))
    found = document(
        capsys, "fit", str(named), "--columns", "cell=dut,cycle=run,pulse=k", "--columns", "voltage=a [V]",
        "--columns", "conductance=5 [uS]", "--plot", str(tmp_path / "fit.png"),
    )  # fmt: skip
    assert found["data"]["steps"] == 900 and (tmp_path / "fit.png").stat().st_size > 10_000
    _, err = devices(capsys, "fit", str(named), status=2)
    assert "no column 'conductance', 'resistance' or 'current'" in err and "dut" in err


def test_examine(capsys: Capture, tmp_path: Path) -> None:
    """Status 0 for what passes, 1 for what does not, all verdicts printed either way."""
    assert document(capsys, "examine", "ideal")["passed"]
    (tmp_path / "loose.py").write_text(
        "import numpy as np\nfrom hardware_models.devices.ideal import Ideal\n"
        "class Loose(Ideal):\n"
        "    def pulse(self, state, pulses, key, window=None):\n"
        "        place = ... if window is None else np.ix_(*window)\n"
        "        state.g[place] += pulses * np.float32(1e-6)\n"
    )
    out, err = devices(capsys, "examine", f"{tmp_path}/loose.py:Loose", status=1)
    assert "FAILED" in out and err.startswith("error: ") and "bounds kept" in err and err.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["show", "memrister"], "did you mean 'memristor'"),
        (["show", "memristor", "--out", "a.txt"], "ends in .png"),
        (["show", "memristor", "--out", "nowhere/a.png"], "does not exist"),
        (["fit", "nowhere.csv"], "does not exist"),
        (["fit", "x.csv", "--out", "a.csv"], "ends in .toml"),
        (
            ["fit", "x.csv", "--read-voltage", "0.2"],
            "--read-voltage takes a number with its unit, such as \"0.2 V\", got '0.2'",
        ),
        (["fit", "x.csv", "--read-time", "1"], "--read-time takes a number with its unit, such as \"1 us\", got '1'"),
        (["examine", "nowhere.py:Mine"], "does not exist"),
        (["show"], "NAME"),
        (["fitt"], "fitt"),
    ],
)
def test_bad_input_is_one_sentence(options: list[str], words: str, capsys: Capture) -> None:
    """Status 2."""
    out, err = devices(capsys, *options, status=2)
    assert out == "" and err.startswith("error: ") and words in err and err.count("\n") == 1


def test_faults_of_a_pulse_train_name_their_line(capsys: Capture, train: Path) -> None:
    """From the command line too."""
    lines = train.read_text().splitlines()
    lines[9] = lines[9].rsplit(",", 1)[0] + ",2e9"
    train.write_text("\n".join(lines))
    _, err = devices(capsys, "fit", str(train), status=2)
    assert f"{train}, line 10: too large a conductance" in err


def test_an_installed_package_brings_a_device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    """The entry-point group: by name, in the list, with the same examination; a broken one is named."""
    (tmp_path / "tiny_devices.py").write_text(
        "from dataclasses import dataclass\nfrom hardware_models.devices.ideal import Ideal\n"
        "@dataclass(frozen=True, kw_only=True)\n"
        "class Tiny(Ideal):\n    name: str = 'tiny'\n    states: float = 64.0\n"
    )
    info = tmp_path / "tiny_devices-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: tiny-devices\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[hardware_models.devices]\ntiny = tiny_devices:Tiny\nbroken = tiny_devices:Gone\nideal = tiny_devices:Tiny\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    device: Any = load_device("tiny")
    assert (device.name, device.states) == ("tiny", 64.0)
    assert load_device("ideal").states == 2.0**22  # type: ignore[attr-defined]
    assert load_device("tiny_devices:Tiny").states == 64.0  # type: ignore[attr-defined]
    assert "tiny" in {row["name"] for row in document(capsys, "list")}
    with pytest.raises(UsageError, match="an installed package registers"):
        load_device("broken")
    with pytest.raises(UsageError, match="did you mean 'tiny'"):
        load_device("tinny")
    sys.modules.pop("tiny_devices", None)
