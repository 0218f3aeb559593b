"""Parts of a report: texts are escaped, pictures hold the pixels that they are made of, answers in Markdown keep their words."""

from __future__ import annotations

import base64
import io

import matplotlib.image
import numpy as np
import pytest

from analog_ff.report import markdown
from analog_ff.report.charts import Bar, Bars, Chart, Curve, Level
from analog_ff.report.page import html
from analog_ff.report.parts import Code, Gallery, Matrix, Page, Picture, Section, Table, Text, Tile, grey, signed

BAD = "<script>alert('x')</script>&\"'"


def pixels(uri: str) -> np.ndarray:
    head, _, text = uri.partition(",")
    assert head == "data:image/png;base64"
    return matplotlib.image.imread(io.BytesIO(base64.b64decode(text)))


def test_pictures_hold_their_pixels() -> None:
    image = np.arange(12, dtype=np.uint8).reshape(3, 4) * 20
    found = pixels(grey(image))
    assert (
        found.shape == (3, 4, 4)
        and np.array_equal(np.rint(255 * found[:, :, 0]), image)
        and np.all(found[:, :, 3] == 1)
    )
    colours = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    assert np.array_equal(np.rint(255 * pixels(grey(colours))[:, :, :3]), colours)


def test_weights_are_the_deeper_the_larger_they_are_and_coloured_by_their_sign() -> None:
    found = pixels(signed(np.array([[-1.0, -0.5, 0.0, 0.5, 1.0]])))[0]
    assert np.allclose(found[:, 3], [1.0, 0.5, 0.0, 0.5, 1.0], atol=1 / 255)
    assert found[0, 0] > found[0, 2] and found[4, 2] > found[4, 0]  # orange, blue


def test_the_colour_of_a_cell_of_the_matrix_is_its_share() -> None:
    matrix = Matrix("c", ["a", "b"], [[75, 25], [0, 0]])
    assert [matrix.shade(0, 0), matrix.shade(0, 1), matrix.shade(1, 0)] == [round(75 * 0.75**0.5), round(75 * 0.5), 0]


def test_every_text_is_escaped() -> None:
    """Whatever stands in a file, it does not become an element or an attribute of the page."""
    parts = [
        Text(BAD), Code(BAD), Table(BAD, [BAD, BAD], [[BAD, BAD]], note=BAD), Matrix(BAD, [BAD], [[3]], BAD),
        Gallery(BAD, [Picture("data:,", BAD, BAD)], BAD),
        Chart(BAD, BAD, BAD, [Curve(BAD, [1, 2], [1.0, 2.0], marked=True)] * 2, BAD, BAD, [Level(1.0, BAD)], [Level(1.5, BAD)]),
        Chart(BAD, BAD, BAD, [Curve(BAD, [0], [1.0])], BAD, names=[BAD]),
        Bars(BAD, BAD, [Bar(BAD, 1.0, BAD, 0.5, 2.0)], BAD, BAD, levels=[Level(1.0, BAD)]),
    ]  # fmt: skip
    made = html(Page(BAD, BAD, [Tile(BAD, BAD, BAD)], [Section("key", BAD, parts)], [BAD]))
    assert "<script" not in made and made.count("&lt;script&gt;") > 30
    assert "alert('x')" not in made and "alert(&#39;x&#39;)" in made


def test_an_answer_in_markdown_keeps_its_words() -> None:
    lines = [
        "# The *title*", "", "A first sentence that", "goes on at `a` long-", "lived place.", "", "## Part", "",
        "| who | error % | why |", "|---|---:|---:|", "| a | 3.2 ± 0.1 | - |", "| b | - | since |", "", "- one", "  more",
        "- two",
    ]  # fmt: skip
    title, sections = markdown.sections(lines, "Head")
    assert title == "The title" and [s.title for s in sections] == ["Head", "Part"]
    assert [p.text for p in sections[0].parts if isinstance(p, Text)] == [
        "A first sentence that goes on at a long-lived place."
    ]
    table, *items = sections[1].parts
    assert (
        isinstance(table, Table) and table.rows == [["a", "3.2 ± 0.1", "-"], ["b", "-", "since"]] and table.words == [2]
    )
    assert [p.text for p in items if isinstance(p, Text)] == ["one more", "two"]


@pytest.mark.parametrize("text", ["", "\n\n"])
def test_an_empty_answer_has_no_sections(text: str) -> None:
    assert markdown.sections(text.splitlines(), "Head") == ("", [])
