"""A spiking network in Brian2, very short: you see its spikes and its error after twenty images, which is that of guessing."""

from analog_ff.spiking.config import SpikingConfig
from analog_ff.spiking.execute import execute

size = {"layers": (6,), "epochs": 1, "images_per_epoch": 20, "test_images": 20, "present": 5.0}
config = SpikingConfig(data="toy", target="numpy", out="run", **size)  # more images, 30 ms and "standalone" learn
result, _ = execute(config, quiet=True)
print("spikes per presentation, of the input and of the layer:", result["spikes_per_presentation"]["testing"])
print(f"wrong: {result['test_error_percent']:.0f} %")
