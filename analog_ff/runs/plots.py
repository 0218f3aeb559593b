"""The pictures of a run: error against epochs, and against the age of its chip."""

from __future__ import annotations

from pathlib import Path

from analog_ff.output import whole_files
from analog_ff.output.forms import panels, picture
from analog_ff.output.quantities import readout_in_words
from analog_ff.plain import Document, Facts
from analog_ff.runs.ages import AS_IT_IS, IN_WORDS
from analog_ff.runs.train import MONITORED

AGES = "ages.png"


def learning_curve(folder: Path, result: Document, metrics: list[Document]) -> None:
    """Draw learning_curve.png: the monitored error of each read-out, and the test error at the end."""
    from matplotlib.ticker import MaxNLocator

    final = result["split"] == "final"
    kind = "test" if final else "validation"
    watched = f"at most {MONITORED} training images" if final else "validation images"
    figure, axes = panels(size=(6.4, 4.2))
    epochs = [line["epoch"] for line in metrics]
    for colour, (name, error) in enumerate(result[f"{kind}_error_percent_by_readout"].items()):
        curve = [line[f"{name}_error_percent"] for line in metrics]
        axes.plot(epochs, curve, color=f"C{colour}", label=f"{readout_in_words(name)}, {watched}")
        if final:
            axes.plot(
                epochs[-1:],
                [error],
                "o",
                color=f"C{colour}",
                clip_on=False,
                label=f"{readout_in_words(name)}, test: {error:.2f} %",
            )
    axes.set(xlabel="epoch", ylabel="error [%]", title=f"{result['config']['device']}, {result['config']['data']}")
    axes.set_ylim(0, 1.06 * axes.get_ylim()[1])  # a point at the top keeps clear of the frame
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.3)
    axes.legend()
    whole_files.write(folder / "learning_curve.png", picture(figure, dpi=120))


def ages_of_a_chip(path: Path, found: Facts, title: str, kind: str) -> None:
    """Draw error and goodness of a chip against its age, from the entry `found` ("ages") of a result.

    `kind` is test or validation. The goodness is that of the chip as it is, over the threshold theta of each layer.
    """
    by_age = found["by_age"]
    names, seconds = list(by_age), [age["seconds"] for age in by_age.values()]
    figure, (errors, goodness) = panels(1, 2, size=(10.5, 4.4))
    for marker, way in zip("os^", IN_WORDS, strict=True):
        at = [(age["seconds"], age[way]["error_percent_by_readout"]) for age in by_age.values() if way in age]
        for colour, readout in enumerate(at[0][1] if at else ()):
            label = f"{readout_in_words(readout)}, {IN_WORDS[way]}"
            line = "-" if way == AS_IT_IS else ":"
            errors.plot([t for t, _ in at], [e[readout] for _, e in at], line + marker, color=f"C{colour}", label=label)
    for layer, theta in enumerate(found["theta"]):
        for what, line in (("positive", "-o"), ("negative", "--o")):
            values = [age[AS_IT_IS][f"goodness_{what}"] for age in by_age.values()]
            if values[0] is not None and theta:
                right = "right" if what == "positive" else "wrong"
                label = f"layer {layer}, {right} labels"
                goodness.plot(seconds, [v[layer] / theta for v in values], line, color=f"C{layer}", label=label)
    errors.set(ylabel=f"{kind} error [%]", title=title)
    goodness.set(ylabel="mean goodness over its threshold theta [1]", title="as it is, the mean over all images")
    for axes in (errors, goodness):
        axes.set_xscale("symlog", linthresh=0.5 * min(seconds[1:], default=1.0))
        axes.set_xticks(seconds, names)
        axes.minorticks_off()
        axes.set(xlabel="age: time since the chip was finished [units as written]")
        axes.set_ylim(0, 1.06 * axes.get_ylim()[1])
        axes.grid(alpha=0.3)
        if axes.get_legend_handles_labels()[0]:
            axes.legend(fontsize=8)
    whole_files.write(path, picture(figure, dpi=120))
