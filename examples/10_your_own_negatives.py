"""Negatives of your own: you see a network learn from images that are torn apart, without any label in its input."""

from pathlib import Path

from analog_ff import Config, execute

Path("torn.py").write_text('''def torn(images, labels, generator):
    """The left half of each image beside the right half of another one."""
    made = images.reshape(-1, 8, 8).copy()
    made[:, :, 4:] = made[generator.permutation(len(made)), :, 4:]
    return made.reshape(len(images), -1)
''')
options = {"data": "toy", "layers": (64,), "epochs": 6, "batch": 20, "shift": 0, "learning_rate": 0.3}
result, _ = execute(Config(negatives="torn.py:torn", out="run", **options), quiet=True)
print(f"{result['test_error_percent']:.0f} % wrong (guessing: 50 %)")
