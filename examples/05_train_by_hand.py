"""Train Forward-Forward by hand: you see the error of both read-outs fall, on a chip that nobody can look into."""

import numpy as np

from analog_ff.datasets import load
from analog_ff.learners.forward_forward import ForwardForward
from analog_ff.network.stack import Stack
from analog_ff.objective.goodness import LayerGoodness
from hardware_models import Chip, Key

data = load("toy")  # 8 x 8 pixels, two classes
chip = Chip("memristor", [(64 + 2 + 1, 64), (64 + 1, 64)], sealed=True)  # pixels, label, bias; neurons, bias
network = Stack(chip, [LayerGoodness("sum-of-squares", 64) for _ in chip.shapes], label_place="appended")
learner = ForwardForward(network, classes=2, seed=0, learning_rate=0.3, label_strength=4.0)
learner.initialise()
for epoch in range(8):
    for batch, rows in enumerate(np.array_split(Key(0, "order", epoch).generator().permutation(400), 20)):
        learner.step(data.x_train[rows], data.y_train[rows], step=20 * epoch + batch, gain=1.0)
    answers, _ = learner.predict(data.x_test, key=Key(0, "test"))
    errors = {readout: 100 * np.mean(labels != data.y_test) for readout, labels in answers.items()}
    print(f"epoch {epoch}:", ", ".join(f"{readout} {error:.0f} % wrong" for readout, error in errors.items()))
