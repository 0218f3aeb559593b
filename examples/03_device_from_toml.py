"""A device from your own figures: you see the parameter file that is read, and a chip of such cells."""

from pathlib import Path

from hardware_models import Chip, load_device

FIGURES = {
    "g_min": (2, 1, 3, "uS"), "g_max": (40, 30, 50, "uS"), "states": (90, 80, 100, "pulses"), "cycle_noise": (1.5, 1, 2, "%"),
    "v_up": (1.6, 1.5, 1.7, "V"), "t_up": (50, 45, 60, "ns"), "v_down": (1.8, 1.7, 1.9, "V"), "t_down": (50, 45, 60, "ns"),
}  # fmt: skip
lines = ['model = "exponential_step"', 'name = "mine"', 'source = { citation = "our laboratory", technology = "RRAM" }']
for name, (value, low, high, unit) in FIGURES.items():
    figure = f'value = {value}, low = {low}, high = {high}, unit = "{unit}", kind = "measured", source = "wafer 7"'
    lines.append(f"{name} = {{ {figure} }}")
Path("mine.toml").write_text("\n".join(lines) + "\n")

print(Path("mine.toml").read_text())
device = load_device("mine.toml")
print(f"range {device.g_min * 1e6:g} to {device.g_max * 1e6:g} uS in {device.states:g} pulses")
print(Chip("mine.toml", [(65, 32), (33, 10)]))
