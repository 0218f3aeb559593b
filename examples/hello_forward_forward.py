"""Hello, Forward-Forward: two layers learn to tell right labels from wrong ones, without a backward pass (NumPy only).

The corrected form of a snippet that went round when the method was published. That snippet summed 2x instead of x²,
left the factor x out of the update and added the weights the wrong way round, did not normalise between its layers, and
summed over the batch: it pushed the goodness of positives down.
"""

import numpy as np
from sklearn.datasets import load_digits

rng = np.random.default_rng(0)
images, labels = load_digits(return_X_y=True)
order = rng.permutation(len(images))
images, labels = images[order] / 16, labels[order]


def with_label(images, labels):
    """Put the label beside the pixels, then make the mean square 1."""
    x = np.concatenate([images, 2.0 * np.eye(10)[labels]], axis=1)
    return x / np.sqrt((x**2).mean(axis=1, keepdims=True))


class Layer:
    """y = relu(x W); the goodness is the sum of y², the threshold the number of units."""

    def __init__(self, inputs, units):
        self.w = rng.standard_normal((inputs, units)) / np.sqrt(inputs)

    def forward(self, x):
        """Return the outputs, and what the next layer sees: their direction, without their length."""
        y = np.maximum(x @ self.w, 0)
        return y, y / np.sqrt((y**2).mean(axis=1, keepdims=True) + 1e-9)

    def learn(self, x, positive, rate=0.01, sign=1):
        """Climb log p of a positive or log (1-p) of a negative, p = sigma(goodness - units); sign -1 is the old fault."""
        y, above = self.forward(x)
        p = 1 / (1 + np.exp(-np.clip((y**2).sum(axis=1) - y.shape[1], -50, 50)))
        c = sign * ((1 - p) if positive else -p)
        self.w += rate * x.T @ (c[:, None] * y) / len(x)
        return above


def train(layers, images, labels, epochs=60, batch=50):
    """Show every image once under its label and once under a wrong one, in each epoch."""
    for _ in range(epochs):
        for rows in np.array_split(rng.permutation(len(images)), len(images) // batch):
            wrong = (labels[rows] + rng.integers(1, 10, len(rows))) % 10
            for shown, positive in ((labels[rows], True), (wrong, False)):
                x = with_label(images[rows], shown)
                for layer in layers:
                    x = layer.learn(x, positive)


def predict(layers, images):
    """Try every label, take the one with the most goodness."""
    scores = np.zeros((len(images), 10))
    for label in range(10):
        x = with_label(images, np.full(len(images), label))
        for layer in layers:
            y, x = layer.forward(x)
            scores[:, label] += (y**2).sum(axis=1)
    return scores.argmax(axis=1)


if __name__ == "__main__":
    layers = [Layer(74, 200), Layer(200, 200)]
    train(layers, images[:1400], labels[:1400])
    wrong = predict(layers, images[1400:]) != labels[1400:]
    print(f"wrong: {100 * wrong.mean():.1f} % of {len(wrong)} digits it has not seen")
