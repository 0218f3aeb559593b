"""The picture of a fit: measured and simulated cycles are both seen, also where they are the same."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from analog_ff.cli.fit_pictures import draw_cycles
from hardware_models import load_device
from hardware_models.fitting import synthetic


def test_measured_lines_are_seen_under_simulated_ones() -> None:
    """Cycles of a device without noise and spread: every simulated line lies on a measured one, and both colours are there."""
    device = load_device("park2013_pcmo").without(write_noise=True, spread=True, read_noise=True)
    train = synthetic(device, cells=2, cycles=2, pulses=10)
    figure = Figure((5.0, 4.0), dpi=100)
    canvas, axes = FigureCanvasAgg(figure), figure.subplots()
    draw_cycles(SimpleNamespace(train=train, device=device), axes)  # type: ignore[arg-type]
    lines = {line.get_color(): np.asarray(line.get_ydata()) for line in axes.lines if len(np.asarray(line.get_ydata()))}
    assert np.allclose(lines["C1"], lines["C0"], rtol=1e-4) and np.allclose(lines["black"], lines["C0"], rtol=1e-4)
    axes.get_legend().remove()
    canvas.draw()
    red, _, blue = np.moveaxis(np.asarray(canvas.buffer_rgba())[:, :, :3].astype(float) / 255.0, 2, 0)
    assert ((blue - red) > 0.1).sum() > 500  # C0 is blue
    assert ((red - blue) > 0.1).sum() > 100  # C1 is orange
