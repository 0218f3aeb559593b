"""The picture of a run: error against epochs."""

from __future__ import annotations

from pathlib import Path

from analog_ff.output import whole_files
from analog_ff.output.forms import panels, picture
from analog_ff.plain import Document
from analog_ff.runs.train import MONITORED


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
        axes.plot(epochs, curve, color=f"C{colour}", label=f"{name} read-out, {watched}")
        if final:
            axes.plot(
                epochs[-1:],
                [error],
                "o",
                color=f"C{colour}",
                clip_on=False,
                label=f"{name} read-out, test: {error:.2f} %",
            )
    axes.set(xlabel="epoch", ylabel="error [%]", title=f"{result['config']['device']}, {result['config']['data']}")
    axes.set_ylim(0, 1.06 * axes.get_ylim()[1])  # a point at the top keeps clear of the frame
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.3)
    axes.legend()
    whole_files.write(folder / "learning_curve.png", picture(figure, dpi=120))
