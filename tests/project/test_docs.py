"""What the pages say holds: their files are complete, they explain every key and column, and they count right."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analog_ff.__main__ import app as main
from analog_ff.config.config import Config
from analog_ff.learners import LEARNERS
from analog_ff.learners.options import SLOPES
from analog_ff.network import NETWORKS
from analog_ff.objective.goodness import GOODNESS
from analog_ff.objective.schedule import SCHEDULES
from analog_ff.output.plain_math import plain, readable
from analog_ff.runs.execute import execute
from analog_ff.simulate import run_app
from analog_ff.spiking.cortex.table import TESTS
from analog_ff.updates import UPDATES
from hardware_models.devices import MODELS, PUBLISHED
from hardware_models.energy import TECHNOLOGIES, load_technology
from hardware_models.events import INTEGRALS, is_count
from hardware_models.load import load_device

DOCS = Path(__file__).resolve().parents[2] / "docs"
PRICED = ("v_up", "t_up", "v_down", "t_down", "v_read", "t_read")
"""Figures of a device without which its writes or reads cost nothing."""


def page(name: str) -> str:
    """Return the text of a page."""
    return (DOCS / name).read_text(encoding="utf-8")


def blocks(name: str, language: str) -> list[str]:
    """Return the blocks of one language on a page."""
    return re.findall(rf"```{language}\n(.*?)```", page(name), re.S)


def chapter(name: str, title: str) -> str:
    """Return a chapter of a page, up to the next heading of its level."""
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", page(name), re.S | re.M)
    assert found is not None
    return found[1]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a short run with most of what a run can leave."""
    folder = tmp_path_factory.mktemp("docs") / "run"
    config = Config(
        device="memristor", data="toy", layers=(8,), epochs=1, batch=20, gate=0.01, stuck_low=0.01, retention=1e5, ages="1h",
        out=str(folder),
    )  # fmt: skip
    execute(config, quiet=True)
    return folder


def test_a_technology_of_ones_own(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The technology file of the page on prices is complete: its one price prices a run anew, the rest is that of its base."""
    (text,) = blocks("how-to/price-a-run.md", "toml")
    (tmp_path / "my.toml").write_text(text)
    mine, base = load_technology(str(tmp_path / "my.toml")), load_technology("cmos-32nm-wide")
    assert (mine.node_nm, mine.temperature, mine.omits) == (base.node_nm, base.temperature, base.omits)
    assert {name for name, price in mine.components.items() if price != base.components[name]} == {"nonlinearity"}
    assert run_app(main, ["energy", str(run), "--technology", str(tmp_path / "my.toml"), "--json"]) == 0
    priced = json.loads(capsys.readouterr().out)
    result = json.loads((run / "result.json").read_text())
    neurons = result["events"]["learn"]["nonlinearity"]
    assert priced["by_component_joule"]["learn"]["nonlinearity"] == pytest.approx(neurons * 0.9e-12) and neurons > 0


@pytest.mark.parametrize(("name", "needed"), [("how-to/plug-in.md", PRICED), ("how-to/cheap-learning.md", PRICED[:4])])
def test_devices_of_the_pages_pay_for_their_pulses(name: str, needed: tuple[str, ...], tmp_path: Path) -> None:
    """A reader who copies a parameter file gets one whose reads and writes have a price."""
    text = blocks(name, "toml")[0]
    (tmp_path / "mine.toml").write_text(text)
    device: Any = load_device(str(tmp_path / "mine.toml"))
    assert all(f"\n{figure} = " in text and getattr(device, figure) > 0 for figure in needed)


@pytest.mark.parametrize("name", ["how-to/plug-in.md", "tutorials/your-device.md"])
def test_classes_of_the_pages_pay_for_their_pulses(name: str, tmp_path: Path) -> None:
    """The same of every device that is a Python file."""
    for number, text in enumerate(blocks(name, "python")):
        for kind in re.findall(r"^class (\w+)\(BaseDevice\)", text, re.M):
            (tmp_path / f"device{number}.py").write_text(text)
            device: Any = load_device(f"{tmp_path}/device{number}.py:{kind}")
            assert all(getattr(device, figure) > 0 for figure in PRICED)


def keys(value: Any) -> Iterator[str]:
    """Yield the names of nested objects that are no names of events, phases, layers, read-outs, accuracies or components."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if not re.fullmatch(r"\d+|program|learn|monitor|infer|readout|shared|energy|softmax|at once|1h", name):
                yield name
            if name not in ("config", "device", "versions", "inputs_sha256", "by_component_joule"):
                yield from keys(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from keys(inner)


def test_every_key_and_column_is_explained(run: Path) -> None:
    """The page on a run's files names each of them; events and integrals have a chapter of their own."""
    text = page("reference/run-files.md")
    explained = {word for code in re.findall(r"`([^`]+)`", text) for word in re.split(r"[.\s]", code)}
    explained |= {f"{kind}_error_percent_by_readout" for kind in ("test", "validation")}
    result = json.loads((run / "result.json").read_text())
    events, _, _ = chapter("reference/nomenclature.md", "Events").partition("## Energy")
    assert all(f"`{integral}`" in events for integral in INTEGRALS)
    unknown = {k for k in keys(result) if not is_count(k) and k not in INTEGRALS} - explained
    assert unknown == set()
    heads = ((run / file).read_text().splitlines()[:1] for file in ("metrics.csv", "events.csv"))
    columns = {name for head in heads for line in csv.reader(head) for name in line}
    unknown = {c for c in columns if not is_count(c) and c not in INTEGRALS} - explained
    assert unknown == {"softmax_error_percent"}  # stands for the read-outs of other learners, too


def test_the_keys_of_a_spiking_run_are_explained() -> None:
    """Statistics of firing are named with their units."""
    from analog_ff.spiking.statistics import firing

    text = page("reference/run-files.md")
    assert all(f"`{key}`" in text for key in firing(np.ones((2, 3)), 30.0))


def test_pulses_per_weight_and_per_cell(run: Path) -> None:
    """One leaves programming out and counts both devices of a pair, the other does neither."""
    result = json.loads((run / "result.json").read_text())
    weights = sum(n * m for n, m in result["shapes"])
    learn, program = (result["events"][phase]["write.selected"] for phase in ("learn", "program"))
    assert result["cells"]["pulses_per_weight"] == learn / weights
    assert result["cells"]["pulses_per_cell"] == (learn + program) / (2 * weights) and program > 0


def test_the_front_page_counts_right() -> None:
    """Models, files of devices, learners and updates."""
    text = page("index.md")
    assert f"{len(MODELS)} models:" in text and all(f"`{name}`" in text for name in MODELS)
    assert f"{len(set(PUBLISHED.values()))} parameter files" in text
    assert all(f"`{name}`" in text for name in UPDATES)
    words = dict(enumerate("zero one two three four five six seven eight nine ten eleven twelve".split()))
    counted = {"kinds of goodness": GOODNESS, "networks": NETWORKS, "schedules": SCHEDULES, "slopes": SLOPES,
               "cortex tests": TESTS}  # fmt: skip
    assert all(f"{words[len(table)]} {what}" in text for what, table in counted.items())
    nodes = {load_technology(name).node_nm for name in TECHNOLOGIES}
    assert f"technology files of {words[len(nodes)]} nodes" in text
    assert (
        len(set(LEARNERS) - {"forward-forward", "dimensionality", "competitive"}) == 10
        and "ten more [learners]" in text
    )


@pytest.mark.parametrize(
    ("latex", "text"),
    [
        (r"\Delta = \delta\Bigl(1 - \gamma\,\frac{high - g}{high - low}\Bigr)",
         "Delta = delta (1 - gamma (high - g)/(high - low))"),
        (r"\sigma\sqrt{\frac{1 - q^{2n}}{1 - q^2}}\,\xi", "sigma sqrt((1 - q^(2n))/(1 - q^2)) xi"),
        (r"g' = \mathrm{clip}(g \pm \Delta^\pm)", "g' = clip(g +- Delta^+-)"),
        (r"\exp\left[\frac{E_a}{k_B}\left(\frac1T - \frac1{T_0}\right)\right]", "exp [E_a/k_B (1/T - 1/T_0)]"),
        (r"\bar g \leftarrow \lceil N_0\, e^{s\,\xi}\rceil", "g_bar <- ceil(N_0 e^(s xi))"),
    ],
)  # fmt: skip
def test_equations_in_plain_text(latex: str, text: str) -> None:
    """Fractions, roots, powers and accents as they would be typed."""
    assert plain(latex) == text


@pytest.mark.parametrize("model", MODELS)
def test_every_model_is_shown_without_latex(model: str) -> None:
    """No backslash, no directive of Sphinx, an equation a line."""
    import importlib

    module = importlib.import_module(MODELS[model].partition(":")[0])
    text = readable(module.__doc__ or "")
    assert text and "\\" not in text and ".. math" not in text
