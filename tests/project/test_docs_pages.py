"""The pages as a whole: tutorials do what they show, links lead somewhere, tables hold every name that can be chosen."""

from __future__ import annotations

import importlib
import os
import re
import runpy
import shlex
import shutil
from pathlib import Path

import pytest

import analog_ff
import hardware_models
from analog_ff.learners import LEARNERS
from analog_ff.learners.options import FINAL_WEIGHTS, READOUTS, SLOPES
from analog_ff.network import NETWORKS
from analog_ff.objective.goodness import GOODNESS
from analog_ff.objective.makers import NEGATIVES
from analog_ff.objective.schedule import SCHEDULES
from analog_ff.simulate import app, run_app
from analog_ff.updates import UPDATES
from hardware_models.devices.base import FRESH

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
SMALL = ["--data", "toy", "--layers", "8", "--epochs", "1", "--batch", "50"]
"""Options that make any run of a tutorial a matter of milliseconds; the last of two equal options holds."""


def fenced(page: str) -> list[tuple[str, str]]:
    """Return the blocks of a page as (language, text), in order."""
    return re.findall(r"```(\w+)\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), re.S)


@pytest.mark.parametrize("page", ["tutorials/chip.md", "tutorials/learner.md", "how-to/wires.md"])
def test_tutorials_print_what_they_show(page: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Blocks of Python run one after the other; a block of text under one is what it has printed."""
    names: dict[str, object] = {}
    printed, last = "", ""
    for language, text in fenced(page):
        if language == "python":
            exec(text, names)
            printed = last = capsys.readouterr().out
        elif language == "text":
            assert [line.rstrip() for line in printed.splitlines()] == text.splitlines()
    if page == "tutorials/learner.md":
        wrong = [int(percent) for percent in re.findall(r"(\d+) % wrong", last)]
        assert len(wrong) == 2 and max(wrong) < 25  # guessing errs on half


@pytest.mark.parametrize("page", ["index.md", "tutorials/first-run.md", "tutorials/your-device.md"])
def test_commands_of_the_tutorials_run(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every `simulate` of a block, on a few cells, in a folder where the page's files have been saved."""
    monkeypatch.chdir(tmp_path)
    for number, (language, text) in enumerate(fenced(page)):
        if language == "python":
            Path("my_device.py" if "BaseDevice" in text else "my_neuron.py").write_text(text)
        for line in text.replace("\\\n", " ").splitlines() if language == "bash" else ():
            words = shlex.split(line, comments=True)
            if words[:1] == ["cp"]:
                shutil.copyfile(ROOT / words[1], words[2])
            elif words[:3] == ["python", "-m", "analog_ff.simulate"]:
                assert run_app(app, [*words[3:], *SMALL, "--out", f"run{number}{len(os.listdir())}"]) == 0, line


@pytest.mark.parametrize(
    "page", [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *PAGES], ids=lambda p: str(p.relative_to(ROOT))
)
def test_links_lead_to_files(page: Path) -> None:
    """Relative links of a page are files; mkdocs looks at its own pages alone, and at anchors."""
    text = re.sub(r"```.*?```|`[^`]*`", "", page.read_text(encoding="utf-8"), flags=re.S)
    for target in re.findall(r"\]\(([^)#\s]+)", text):
        if not target.startswith(("http:", "https:", "mailto:")):
            assert (page.parent / target).exists(), target


def rows(page: str, heading: str) -> str:
    """Return the first column of the first table under a heading that begins so."""
    text = (DOCS / page).read_text(encoding="utf-8")
    table = re.search(rf"^## {re.escape(heading)}.*?\n(\|.*?)\n\n", text, re.S | re.M)
    assert table is not None, heading
    return "\n".join(line.split("|")[1] for line in table[1].splitlines()[2:])


@pytest.mark.parametrize(
    ("heading", "names"),
    [
        ("What a layer wants", GOODNESS),
        ("What it is shown", NEGATIVES),
        ("What carries it", NETWORKS),
        ("What stands for", SLOPES),
        ("When", SCHEDULES),
        ("How the cells are told", UPDATES),
        ("What the network ends with", FINAL_WEIGHTS),
        ("Who answers", READOUTS),
        ("Who learns", LEARNERS),
    ],
)  # fmt: skip
def test_the_choices_of_learning_are_those_of_the_tables(heading: str, names: tuple[str, ...]) -> None:
    """A row for every name that can be chosen, and no other name."""
    shown = set(re.findall(r"`([a-z0-9-]+)`", rows("reference/learning.md", heading)))
    assert shown == set(names)


def test_the_nomenclature_names_where_fresh_cells_stand() -> None:
    """Every place, and no other."""
    text = (DOCS / "reference" / "nomenclature.md").read_text(encoding="utf-8")
    (row,) = re.findall(r"^\| +\| `fresh` \|(.*)$", text, re.M)
    assert set(re.findall(r"`(\w+)`", row)) == set(FRESH)


def test_the_reference_has_every_public_name() -> None:
    """Each `:::` of the API pages can be imported, and each public name of both packages is among them."""
    asked = [
        name
        for page in (DOCS / "reference" / "api").glob("*.md")
        for name in re.findall(r"^::: (\S+)$", page.read_text(), re.M)
    ]
    assert len(asked) == len(set(asked)) > 50
    found = set()
    for name in asked:
        place, _, last = name.rpartition(".")
        found.add(id(getattr(importlib.import_module(place), last, None) or importlib.import_module(name)))
    for package in (hardware_models, analog_ff):
        for name in set(package.__all__) - {"__version__"}:
            assert id(getattr(package, name)) in found, f"{package.__name__}.{name} is on no page of docs/reference/api"


def test_every_page_is_in_the_navigation() -> None:
    """But for the pages of results, which their index leads to."""
    navigation = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    for page in PAGES:
        name = str(page.relative_to(DOCS))
        assert name.startswith("results/") or f": {name}\n" in navigation, name


def test_the_built_site_asks_no_other_host() -> None:
    """Fonts, styles and scripts come with it, so that it can be read offline; the theme's own fonts would come from a host."""
    settings = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    assert re.search(r"^  font: false\b", settings, re.M)
    assert not re.search(r"^\s*(?:extra_\w+:.*|- *)https?:", settings, re.M)
    for page in PAGES:
        assert not re.search(r"!\[[^]]*\]\(https?:|```mermaid|<script", page.read_text(encoding="utf-8")), page


def test_docstrings_are_shown_without_latex_and_with_words_in_their_column() -> None:
    """The extension of the API reference: an equation in plain text, a meaning below its name, a type where it stood."""
    shown = runpy.run_path(str(DOCS / "docstrings.py"))["shown"]
    head, own = "What.\n\n", "x : (rows, columns)\n    Cells."
    before = f"{head}.. math:: a^2\n\nOf :math:`b_i`.\n\nParameters\n----------\nname : none or one.\nunits : how many.\n{own}"
    after = f"{head}    a^2\n\nOf `b_i`.\n\nParameters\n----------\nname\n    none or one.\nunits\n    how many.\n{own}"
    assert shown(before) == after and shown(after) == after


def test_numbers_stay_with_their_spreads_and_units_and_code_stays_as_it_is() -> None:
    """A space of a text that would part a number from what belongs to it does not break; code and tags are copied."""
    page = runpy.run_path(str(DOCS / "typography.py"))["on_page_content"]
    code = '<pre><code>1 ± 2 %</code></pre><a title="3 ± 4 %">'
    assert (
        page(f"<p>5.10 ± 0.27 % ‡, 30 seconds, 4 nJ</p>{code}")
        == f"<p>5.10\xa0±\xa00.27\xa0%\xa0‡, 30 seconds, 4\xa0nJ</p>{code}"
    )
    assert (
        page(f"<code>--json</code><code>{'x' * 25}</code>")
        == f'<code class="short">--json</code><code>{"x" * 25}</code>'
    )


def test_declared_fields_are_shown_with_their_ranges() -> None:
    """A field of a configuration or of a device, from its declaration."""
    declared = runpy.run_path(str(DOCS / "docstrings.py"))["declared"]
    assert (
        declared("a", "option(0.5, 'how much', low=0, unit='V')")
        == "a\n    how much; unit `V`, low `0`, default `0.5`.\n"
    )
    assert declared("g", "si('S', 0.0, 1.0, 1e-6)") == "g\n    unit `S`, low `0.0`, high `1.0`, default `1e-06`.\n"
    assert declared("b", "1e-5") == declared("c", "field(default=1)") == ""
