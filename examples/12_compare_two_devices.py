"""Two devices side by side: you see the error of the same network on each, and the pulses that learning took."""

from analog_ff import Config, execute

options = {"data": "toy", "layers": (64,), "epochs": 6, "batch": 20, "shift": 0, "learning_rate": 0.3}
for device in ("ideal", "memristor"):
    result, _ = execute(Config(device=device, out=f"run-{device}", **options), quiet=True)
    error, pulses = result["test_error_percent"], result["cells"]["pulses_per_weight"]
    print(f"{device}: {error:.0f} % wrong, {pulses:.4g} pulses a weight")
