"""Train a network by surrogate gradients in snnTorch: the accuracy of the same cells and spikes with backpropagation.

    python benchmarks/peers/snntorch_surrogate.py [--split final] [--speed FILE.json] [--run FOLDER]
        [--json > benchmarks/results/peers/snntorch_surrogate.json]

784-300-10 leaky integrate-and-fire cells (tau 20 ms, threshold 1, subtractive reset), 30 steps of 1 ms, the regular encoder
with random phases drawn anew at each presentation, images of equal length at 200 Hz peak: the cells and spikes of a spiking run
of this project with one layer of 300. Trained on mnist-5k by backpropagation through time with the fast sigmoid of snnTorch
(slope 25), cross-entropy of the output's spike counts and Adam, with batches of 1 and of 100. The learning rate of batch 100
is the best of 1e-3 and 5e-3 on the holdout split (91.8 % and 92.6 % after 4 epochs); that of batch 1 is not tuned. Unlike
Forward-Forward it classifies with one presentation, sees each image once an epoch, and keeps the states of all steps, their
gradients, and two moments for each weight.

Presentations per second are those of training, by the processor time of one thread, without encoding. `--speed` is the output
of `benchmarks/speed/spiking.py --json` and `--run` the folder of a spiking run of this project; their figures are shown for
comparison. snntorch (which needs PyTorch, CPU) is not a dependency; without it the script ends with a message.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from analog_ff.datasets import load
from analog_ff.runs.model import MODEL
from analog_ff.spiking.encoded import encoded
from analog_ff.spiking.model import scaled

STEPS, HIDDEN, TAU_MS, PEAK = 30, 300, 20.0, 0.2


class Case(NamedTuple):
    """One training run."""

    batch: int
    epochs: int
    learning_rate: float


CASES = (Case(1, 1, 2e-4), Case(100, 10, 5e-3))


def network(torch: Any, snn: Any, inputs: int, classes: int) -> Any:
    """Return a module from spikes (batch, steps, inputs) to output spike counts (batch, classes)."""
    from snntorch import surrogate

    class Net(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            cell = {"beta": float(np.exp(-1 / TAU_MS)), "spike_grad": surrogate.fast_sigmoid(slope=25)}
            self.weights = torch.nn.ModuleList(
                [torch.nn.Linear(inputs, HIDDEN, bias=False), torch.nn.Linear(HIDDEN, classes, bias=False)]
            )
            self.cells = torch.nn.ModuleList([snn.Leaky(reset_delay=False, **cell) for _ in range(2)])

        def forward(self, shown: Any) -> Any:
            # The input does not depend on the cells, so one product serves all steps.
            drive = self.weights[0](shown)
            first, second = (cell.reset_mem() for cell in self.cells)
            count = 0.0
            for k in range(shown.shape[1]):
                spikes, first = self.cells[0](drive[:, k], first)
                out, second = self.cells[1](self.weights[1](spikes), second)
                count = count + out
            return count

    return Net()


def shown(torch: Any, images: np.ndarray, generator: np.random.Generator) -> Any:
    """Return the input spikes (batch, steps, inputs) of images."""
    return torch.from_numpy(encoded("regular", images * PEAK, STEPS, generator).astype(np.float32))


def train(torch: Any, snn: Any, data: Any, case: Case, seed: int) -> dict[str, Any]:
    """Train and test one network, and return its figures."""
    torch.manual_seed(seed)
    generator = np.random.default_rng(seed)
    images = scaled(np.concatenate([data.x_train, data.x_test]), len(data.x_train))
    train_x, test_x = images[: len(data.x_train)], images[len(data.x_train) :]
    net = network(torch, snn, images.shape[1], len(data.classes))
    optimiser = torch.optim.Adam(net.parameters(), lr=case.learning_rate)
    loss = torch.nn.CrossEntropyLoss()
    labels = torch.from_numpy(data.y_train)
    cpu = presented = 0.0
    for epoch in range(case.epochs):
        order = generator.permutation(len(train_x))
        for rows in np.array_split(order, len(order) // case.batch):
            spikes = shown(torch, train_x[rows], generator)
            start = time.process_time()
            optimiser.zero_grad()
            loss(net(spikes), labels[rows]).backward()
            optimiser.step()
            cpu += time.process_time() - start
            presented += len(rows)
        print(f"batch {case.batch}: epoch {epoch + 1} of {case.epochs}, {cpu:.0f} s", file=sys.stderr)
    with torch.no_grad():
        found = [net(shown(torch, part, generator)).argmax(1) for part in np.array_split(test_x, len(test_x) // 100)]
    right = torch.cat(found).numpy() == data.y_test
    return {
        **case._asdict(), "train_images": len(train_x), "test_images": len(test_x), "presentations": int(presented),
        "accuracy_percent": 100.0 * float(right.mean()), "cpu_seconds": cpu, "presentations_per_second": presented / cpu,
    }  # fmt: skip


def main() -> None:
    """Train all cases and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", default="mnist-5k")
    parser.add_argument("--split", default="final")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--batch", type=int, help="one case instead of all: batch, epochs and learning rate")
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--speed", type=Path, help="JSON file of benchmarks/speed/spiking.py")
    parser.add_argument("--run", type=Path, help="folder of a spiking run of this project")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    try:
        import snntorch
        import torch
    except ImportError:
        print("snntorch is not installed: nothing to compare with (pip install snntorch).", file=sys.stderr)
        return
    torch.set_num_threads(1)
    data = load(args.data, split=args.split)
    cases = CASES if args.batch is None else (Case(args.batch, args.epochs, args.learning_rate),)
    rows = [train(torch, snntorch, data, case, args.seed) for case in cases]
    result: dict[str, Any] = {
        "versions": {"snntorch": snntorch.__version__, "torch": torch.__version__}, "model": MODEL, "data": args.data,
        "split": args.split, "seed": args.seed, "layers": [HIDDEN, len(data.classes)], "steps": STEPS, "rows": rows,
    }  # fmt: skip
    ours = result["ours"] = {}
    if args.run:
        found = json.loads((args.run / "result.json").read_text(encoding="utf-8"))
        kind = "test" if args.split == "final" else "validation"
        ours["accuracy_percent"] = 100.0 - found[f"{kind}_error_percent"]
    if args.speed:
        speed = json.loads(args.speed.read_text(encoding="utf-8"))
        ours["presentations_per_second"] = speed["standalone_float32_per_second"]
    if args.json:
        print(json.dumps(result, indent=1))
        return
    for row in rows:
        print(f"snnTorch, batch {row['batch']:3}, {row['epochs']:2} epochs: {row['accuracy_percent']:.1f} %, "
              f"{row['presentations_per_second']:.0f} presentations/s")  # fmt: skip
    for key, value in ours.items():
        print(f"this project, {key.replace('_', ' ')}: {value:.1f}")


if __name__ == "__main__":
    main()
