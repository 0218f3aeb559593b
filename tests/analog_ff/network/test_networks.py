"""Networks beside the stack: what they compute, what reaches what, what their updates ask for, and that they learn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.signal import correlate2d

from analog_ff.config.config import Config
from analog_ff.datasets.augment import shift
from analog_ff.learners.forward_forward import ForwardForward
from analog_ff.network import NETWORKS
from analog_ff.network.base import Frame, Shown
from analog_ff.network.patches import patches
from analog_ff.network.recurrent import Recurrent
from analog_ff.objective.goodness import LayerGoodness, probability
from analog_ff.objective.negatives import Negatives
from analog_ff.runs.execute import execute
from analog_ff.updates.base import Update
from hardware_models.check import UsageError
from hardware_models.chip import Chip
from hardware_models.events import Events
from hardware_models.keys import Key
from hardware_models.tables import lookup

SIDE, CLASSES, SCALE = 8, 10, 6.0
PERFECT = {"dac": None, "adc": None}
GEOMETRY = {
    "recurrent": ((20, 15), {}),
    "local": ((6, 5), {"patch": (4, 2), "stride": (2, 1)}),
    "convolution": ((6, 5), {"patch": (3, 2), "stride": (2, 1)}),
}


def network(
    name: str, device: str = "ideal", *, place: str | None = None, regions="one", channels=1, chip=None, **more
):
    """Return a network on a chip of its own, for images of 8 x 8, with weights as a learner programs them."""
    kind = lookup("network", name, NETWORKS)
    layers, options = GEOMETRY[name]
    frame = Frame(SIDE * SIDE * channels, SIDE, SIDE, CLASSES, place or kind.labelled_place)
    wiring = kind.plan(frame, layers, **{**options, **more})
    every = wiring.positions if regions == "positions" else (1,) * len(layers)
    goodness = [LayerGoodness("sum-of-squares", n, regions=r) for n, r in zip(wiring.units, every, strict=True)]
    port = Chip(device, wiring.shapes, **(chip or (PERFECT if device == "ideal" else {})))
    return kind(port, goodness, label_place=frame.label_place, **wiring.options)


def learner(made, **more) -> ForwardForward:
    """Return an initialised learner."""
    if made.label_place == "none":
        more["negatives"] = Upside()
    found = ForwardForward(made, classes=CLASSES, seed=5, **more)
    found.initialise()
    return found


class Upside(Negatives):
    """Negatives without labels: the images upside down."""

    labelled = False

    def __call__(self, images, labels, believed, generator):
        return images[:, ::-1].copy(), None


def batch(step: int, size: int = 12, channels: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Return images and labels of one batch."""
    rng = Key(3, "images", step).generator()
    return rng.random((size, SIDE * SIDE * channels)).astype(np.float32), rng.integers(0, CLASSES, size)


def weights(made) -> list[np.ndarray]:
    """Return the weights of every array, float64."""
    return [made.port.oracle.weights(layer).astype(np.float64) for layer in range(len(made.port.shapes))]


def rms(y: np.ndarray) -> np.ndarray:
    """Return rows of mean square 1, float64."""
    return y / np.sqrt((y**2).mean(axis=1, keepdims=True))


# --- recurrent ---


def recurrent_twin(w, pixels, code, iterations, damping):
    """Return (y, a) of every layer and iteration by the equations, one image at a time, in float64."""
    rows = []
    for image, label in zip(pixels.astype(np.float64), code.astype(np.float64), strict=True):
        bottom, depth = image / np.sqrt((image**2).mean()), len(w)
        below, found, a, h = bottom, [], [], []
        for layer in range(depth):
            above = np.zeros(w[layer + 1].shape[1] if layer + 1 < depth else len(label))
            h.append(np.maximum(np.concatenate((below, above, [SCALE])) @ w[layer], 0.0))
            a.append(h[-1] / np.sqrt((h[-1] ** 2).mean()))
            below = a[-1]
        found.append((list(h), list(a)))
        for _ in range(iterations):
            old = [bottom, *a, label]
            y = [np.maximum(np.concatenate((old[k], old[k + 2], [SCALE])) @ w[k], 0.0) for k in range(depth)]
            h = [damping * h[k] + (1 - damping) * y[k] for k in range(depth)]
            a = [state / np.sqrt((state**2).mean()) for state in h]
            found.append((y, list(a)))
        rows.append(found)
    return rows


def test_recurrent_follows_its_equations() -> None:
    """Every response and every state of nine iterations equals the float64 twin within the rounding of float32."""
    made = learner(network("recurrent", damping=0.3)).network
    images, labels = batch(0, 6)
    shown = Shown(images, np.eye(CLASSES, dtype=np.float32)[labels] * 4)
    passes = list(made.forward(shown, Key(0, "t"), "pass"))
    assert len(passes) == 9
    for b, found in enumerate(recurrent_twin(weights(made), images, shown.label, 8, 0.3)):
        for (activities, _), (y, a) in zip(passes, found, strict=True):
            for layer, activity in enumerate(activities):
                assert np.allclose(activity.y[b], y[layer], atol=2e-5)
                assert np.allclose(activity.normalised[b], a[layer], atol=2e-5)


def test_the_label_travels_down_one_layer_an_iteration() -> None:
    """Iteration 0 knows nothing of it; then the topmost layer does, then the one below, then the next."""
    frame = Frame(SIDE * SIDE, SIDE, SIDE, CLASSES, "top")
    wiring = Recurrent.plan(frame, (20, 15, 10), damping=0.0)
    goodness = [LayerGoodness("sum-of-squares", n) for n in wiring.units]
    made = learner(Recurrent(Chip("ideal", wiring.shapes, **PERFECT), goodness, **wiring.options)).network
    images, _ = batch(0)
    one, other = (
        list(made.forward(Shown(images, np.tile(code, (len(images), 1))), Key(0, "t"), "pass", iterations=5))
        for code in np.eye(CLASSES, dtype=np.float32)[:2] * 4
    )
    for t, ((mine, _), (yours, _)) in enumerate(zip(one, other, strict=True)):
        same = [np.array_equal(m.y, n.y) for m, n in zip(mine, yours, strict=True)]
        assert same == [layer < 3 - t for layer in range(3)]


def test_full_damping_keeps_every_state_and_none_follows_the_response() -> None:
    images, labels = batch(0)
    shown = Shown(images, np.eye(CLASSES, dtype=np.float32)[labels])
    made = learner(network("recurrent", damping=1.0)).network
    passes = [activities for activities, _ in made.forward(shown, Key(0, "t"), "pass")]
    for layer in range(2):
        assert all(np.array_equal(p[layer].normalised, passes[0][layer].normalised) for p in passes)
        # the same inputs again and again; only the first iteration after the bottom-up pass sees something new
        assert all(np.array_equal(p[layer].y, passes[1][layer].y) for p in passes[1:])
        assert not np.array_equal(passes[1][layer].y, passes[0][layer].y)
    made = learner(network("recurrent", damping=0.0)).network
    for activities, _ in made.forward(shown, Key(0, "t"), "pass"):
        assert all(np.allclose(found.normalised, rms(found.y), atol=1e-5) for found in activities)


@pytest.mark.parametrize(
    ("iterations", "counted"), [(8, range(3, 6)), (4, range(3, 5)), (3, range(3, 4)), (1, range(1, 2))]
)
def test_energy_averages_the_middle_iterations(iterations: int, counted: range) -> None:
    """Iteration 0 is the bottom-up pass: of eight more, 3 to 5 are counted, and the answer is their largest sum."""
    made = learner(network("recurrent", iterations=iterations))
    assert made.network.score_iterations == counted
    images, _ = batch(1, 30)
    scores = np.zeros((30, CLASSES))
    for label in range(CLASSES):
        shown = made.show(images, np.full(30, label))
        for t, (activities, _) in enumerate(made.network.forward(shown, Key(0, "t"), "pass")):
            if t in counted:
                scores[:, label] += sum((activity.y.astype(float) ** 2).sum(axis=1) for activity in activities)
    predicted, _ = made.predict(images, readouts=("energy",), key=Key(0, "p"))
    assert np.mean(predicted["energy"] == scores.argmax(axis=1)) >= 0.9  # float32 ties aside


def test_every_iteration_but_the_first_learns() -> None:
    asked = []

    class Recorder(Update):
        def apply(self, x, d, images, rate, bias_rate, key):
            asked.append((x, key.purpose))
            return Events()

    made = learner(network("recurrent"))
    made.updates = [Recorder(), Recorder()]
    made.step(*batch(0), step=0, gain=1.0)
    assert len(asked) == 8 * 2 and len({purpose for _, purpose in asked}) == 16
    assert all(np.abs(x[:, -11:-1]).max() == 1.0 for x, _ in asked[1::2])  # the topmost layer always sees a label


# --- convolution ---


@pytest.mark.parametrize(("stride", "channels"), [(1, 1), (2, 3)])
def test_convolution_is_a_correlation(stride: int, channels: int) -> None:
    """Each channel of the first map equals scipy's valid correlation, at every stride-th position."""
    made = learner(network("convolution", place="none", channels=channels, patch=(3, 2), stride=(stride, 1))).network
    images, _ = batch(0, 5, channels)
    [(activities, _)] = made.forward(Shown(images), Key(0, "t"), "pass")
    kernel = weights(made)[0]
    maps = rms(images.astype(np.float64)).reshape(5, SIDE, SIDE, channels)
    side = (SIDE - 3) // stride + 1
    found = activities[0].y.reshape(5, side, side, 6)
    for b in range(5):
        for k in range(6):
            square = kernel[:-1, k].reshape(3, 3, channels)
            z = sum(correlate2d(maps[b, :, :, c], square[:, :, c], mode="valid") for c in range(channels))
            assert np.allclose(found[b, :, :, k], np.maximum(z[::stride, ::stride], 0.0), atol=1e-5)


@pytest.mark.parametrize("regions", ["one", "positions"])
@pytest.mark.parametrize("name", ["convolution", "local"])
def test_updates_ask_for_the_gradient(name: str, regions: str) -> None:
    """What reaches the arrays is half the gradient of log p and log(1-p), over positions times images where shared.

    Central differences in float64 of the sum over images (and regions) at random weights of both layers.
    """
    asked = {}

    class Recorder(Update):
        def __init__(self, part):
            self.part = part

        def apply(self, x, d, images, rate, bias_rate, key):
            asked[self.part] = (x.astype(np.float64), x.T @ d / images)
            return Events()

    made = learner(network(name, regions=regions), peer=0.0)
    made.updates = [Recorder(part) for part in range(len(made.port.shapes))]
    images, labels = batch(0)
    made.step(images, labels, step=0, gain=1.0)
    every = weights(made)
    rng = np.random.default_rng(0)
    for layer, parts in enumerate(made.network.parts):
        goodness = made.network.goodness[layer]

        def objective(w, parts=parts, layer=layer, goodness=goodness):
            outputs = [np.maximum(asked[part][0] @ w[part], 0.0) for part in parts]
            y = np.concatenate([found.reshape(2 * len(images), -1) for found in outputs], axis=1)
            assert y.shape[1] == made.network.units[layer]
            p = probability((y**2).reshape(len(y), goodness.regions, -1).sum(axis=2), goodness.theta)
            return np.log(p[: len(images)]).sum() + np.log1p(-p[len(images) :]).sum()

        shared = made.network.grids[layer].positions if name == "convolution" else 1
        for part in (parts[0], parts[-1]):
            for _ in range(6):
                i, j = rng.integers(0, every[part].shape[0]), rng.integers(0, every[part].shape[1])
                up, down = ([w.copy() for w in every] for _ in range(2))
                up[part][i, j] += 1e-5
                down[part][i, j] -= 1e-5
                slope = (objective(up) - objective(down)) / 2e-5
                expected = slope / 2 / shared / len(images)
                assert asked[part][1][i, j] == pytest.approx(expected, rel=1e-3, abs=1e-6)


# --- local fields ---


def test_the_default_geometry_is_that_of_the_paper() -> None:
    kind = lookup("network", "local", NETWORKS)
    wiring = kind.plan(Frame(784, 28, 28, 10, "none"), (128, 220, 512))
    assert [(g.rows, g.columns) for g in wiring.options["grids"]] == [(4, 4), (3, 3), (2, 2)]
    assert wiring.units == (2048, 1980, 2048) and len(wiring.shapes) == 16 + 9 + 4
    assert {shape for shape in wiring.shapes} == {(101, 128), (513, 220), (881, 512)}


def test_patches_hold_what_explicit_loops_find() -> None:
    found = patches(7, 9, 2, 3, 2)
    position = 0
    for top in range(0, 5, 2):
        for left in range(0, 7, 2):
            loop = [(y * 9 + x) * 2 + c for y in range(top, top + 3) for x in range(left, left + 3) for c in range(2)]
            assert found.indices[position].tolist() == loop
            position += 1
    assert position == found.positions == 12


def test_what_lies_outside_a_field_has_no_effect() -> None:
    """Two pixels change places: only the positions that see one of them respond, in the first layer and in the second."""
    made = learner(network("local", place="none", regions="positions")).network
    images, _ = batch(0)
    swapped = images.copy()
    swapped[:, [0, 9]] = images[:, [9, 0]]  # pixels (0, 0) and (1, 1): the first field alone sees them
    (one, _), (two, _) = (next(made.forward(Shown(shown), Key(0, "t"), "pass")) for shown in (images, swapped))
    for layer, seeing in enumerate(({0}, {0})):
        channels = GEOMETRY["local"][0][layer]
        # swapped pixels change the order of the sum in the image's length: its rounding, far below any effect
        changed = (np.abs(one[layer].y - two[layer].y) > 1e-5).any(axis=0).reshape(-1, channels).any(axis=1)
        assert set(np.flatnonzero(changed).tolist()) == seeing


def test_every_field_has_an_array_of_its_own() -> None:
    """Each position's outputs are those of its own weights, the label's code and the bias beside its pixels."""
    made = learner(network("local")).network
    images, labels = batch(0, 4)
    code = np.eye(CLASSES)[labels] * 4
    whole = rms(np.concatenate((code, images.astype(np.float64)), axis=1))
    [(activities, _)] = made.forward(
        Shown(np.concatenate((code, images), axis=1).astype(np.float32)), Key(0, "t"), "pass"
    )
    w, a = weights(made), whole[:, CLASSES:].reshape(4, SIDE, SIDE)
    for row in range(3):
        for column in range(3):
            part = row * 3 + column
            field = a[:, 2 * row : 2 * row + 4, 2 * column : 2 * column + 4].reshape(4, 16)
            x = np.concatenate((field, np.sqrt(16 / 74) * whole[:, :CLASSES], np.full((4, 1), SCALE)), axis=1)
            mine = activities[0].y[:, 6 * part : 6 * part + 6]
            assert np.allclose(mine, np.maximum(x @ w[part], 0.0), atol=1e-5)


# --- all of them ---


@pytest.mark.parametrize("name", list(GEOMETRY))
def test_a_second_look_adds_the_bias_to_every_unit(name: str) -> None:
    """y(bias) = relu(x W + bias) for one number, one per unit, and one per image and unit."""
    made = learner(network(name)).network
    shown = learner(made).show(*batch(0))
    activities, _ = next(iter(made.forward(shown, Key(0, "t"), "pass")))
    rng = np.random.default_rng(1)
    for layer, activity in enumerate(activities):
        high, _ = made.again(layer, activity, 1e3, Key(0, "a"))  # far above every z: shows z + 1000
        z = high.astype(np.float64) - 1e3
        for shape in ((), activity.y.shape[1:], activity.y.shape):
            bias = rng.normal(size=shape).astype(np.float32)
            y, tally = made.again(layer, activity, bias, Key(0, "a"))
            assert np.allclose(y, np.maximum(z + bias, 0.0), atol=1e-3)
            assert set(tally.layers) == {str(part) for part in made.parts[layer]}


@pytest.mark.parametrize("update", ["accumulate", "coincidence"])
@pytest.mark.parametrize("name", list(GEOMETRY))
def test_resume_is_bit_for_bit_on_a_sealed_chip(name: str, update: str) -> None:
    """Saved and restored after a step, the next gives the same bits; nobody looks inside."""
    first, second = (
        learner(network(name, "memristor", chip={"sealed": True}), update=update, dropout=0.1) for _ in range(2)
    )
    first.step(*batch(0, 2), step=0, gain=1.0)
    second.port.restore(first.port.save())
    second.restore(first.save())
    tallies = [made.step(*batch(1, 2), step=1, gain=1.0) for made in (first, second)]
    assert tallies[0].total() == tallies[1].total() and tallies[0].total()["write.selected"] > 0
    assert all(np.array_equal(a, second.port.save()[n]) for n, a in first.port.save().items())
    assert all(np.array_equal(a, second.save()[n]) for n, a in first.save().items())


@pytest.mark.parametrize("name", list(GEOMETRY))
def test_reads_are_counted(name: str) -> None:
    """Cells read by one pass: two devices a weight, once an iteration or once a position."""
    made = learner(network(name)).network
    shown = learner(made).show(*batch(0))
    for t, (_, tally) in enumerate(made.forward(shown, Key(0, "t"), "pass")):
        for layer, parts in enumerate(made.parts):
            turns = made.grids[layer].positions if name == "convolution" else 1
            for part in parts:
                inputs, neurons = made.port.shapes[part]
                events = tally.layers[str(part)]
                assert events["reads.cells"] == 12 * turns * 2 * inputs * neurons
                assert events["nonlinearity"] == events["normalise"] == 12 * turns * neurons
                again = 1 if t else 0  # a recurrent network also measures the length of the damped state
                assert events["goodness"] == (1 + again) * 12 * turns * neurons


SHORT = {
    "recurrent": {"layers": (60, 60), "learning_rate": 0.005, "epochs": 3},
    "local": {"layers": (16, 24), "patch": (4, 2), "stride": (2, 1), "epochs": 3},
    "convolution": {"layers": (32, 32), "patch": (5, 2), "stride": (1, 1), "learning_rate": 0.1, "epochs": 12},
}


@pytest.mark.parametrize("name", list(GEOMETRY))
def test_a_short_run_learns(name: str, tmp_path: Path) -> None:
    """By goodness, of which an untrained network knows nothing: better than chance by ten standard errors."""
    config = Config(
        data="digits", split="holdout", shift=0, device="ideal", network=name, batch=50, momentum=0.9,
        readout="energy", out=str(tmp_path / "run"), **SHORT[name],
    )  # fmt: skip
    result, folder = execute(config, quiet=True)
    images = result["images"]["infer"] / 2
    bound = 90.0 - 1000.0 * np.sqrt(0.09 / images)
    assert result["validation_error_percent"] < bound
    assert Config.from_toml(folder / "config.toml") == config


def test_local_fields_learn_without_labels() -> None:
    """Positives and negatives without labels part in every layer."""
    made = learner(network("local", place="none", regions="positions"), learning_rate=0.03)
    top = np.linspace(0.1, 1.0, SIDE * SIDE, dtype=np.float32)
    for step in range(150):
        images, labels = batch(step % 4)
        made.step(images * top, labels, step=step, gain=1.0)
    assert made.readouts == ("softmax",)
    for positive, negative in made.mean_goodness:
        assert positive > 1.1 * negative


# --- choices that do not go together ---


@pytest.mark.parametrize(
    ("choices", "sentence"),
    [
        ({"network": "local"}, "--patch 10 of layer 0 is larger than the image, 8 x 8; choose at most 8"),
        ({"network": "convolution", "layers": (4, 4, 4), "patch": (5, 2)}, "larger than the map of layer 1"),
        ({"network": "convolution", "layers": (4,), "regions": 7}, "divides"),
        ({"network": "stack", "regions": "positions"}, "belongs to --network local or convolution"),
        ({"network": "recurrent", "negatives": "NEGATIVES"}, "choose --negatives hard, or --network stack"),
        ({"network": "convolution", "data": "VECTORS"}, "known height and width.*choose --network stack"),
        ({"network": "recurent"}, "did you mean 'recurrent'"),
        ({"network": "local", "patch": (0,)}, "patch"),
    ],
)
def test_refusals_are_one_sentence_and_write_nothing(choices: dict, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("def upside(images, labels, generator):\n    return images[:, ::-1]\n")
    vectors = {"x": np.random.default_rng(0).random((40, 64)).astype(np.float32), "y": np.arange(40) % 4}
    np.savez(tmp_path / "vectors.npz", **{f"{k}_{part}": v for k, v in vectors.items() for part in ("train", "test")})
    places = {"NEGATIVES": f"{tmp_path / 'mine.py'}:upside", "VECTORS": str(tmp_path / "vectors.npz")}
    choices = {k: places.get(v, v) if isinstance(v, str) else v for k, v in choices.items()}
    options = {"data": "digits", "shift": 0, "layers": (4, 4), "out": str(tmp_path / "run"), **choices}
    with pytest.raises(UsageError, match=sentence) as error:
        execute(Config(**options), quiet=True)
    assert str(error.value).count(". ") == 0 and not (tmp_path / "run").exists()


def test_patches_are_refused_where_there_are_none() -> None:
    with pytest.raises(
        UsageError, match="--patch belongs to --network local or convolution; network stack has no --patch"
    ):
        Config(patch=(3,))
    with pytest.raises(UsageError, match="not at 'top'; choose --network stack"):
        learner(network("local", place="top"))


# --- images of several channels ---


def test_images_of_several_channels(tmp_path: Path) -> None:
    """Read from a file, shifted with their channels together, and learned by a convolution."""
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (40, 8, 9, 3), dtype=np.uint8)
    labels = np.arange(40) % 4
    np.savez(tmp_path / "colour.npz", x_train=pictures, y_train=labels, x_test=pictures[:8], y_test=labels[:8])
    from analog_ff.datasets import load

    data = load(tmp_path / "colour.npz")
    assert (data.height, data.width, data.x_train.shape) == (8, 9, (40, 216))
    moved = shift(data.x_train, 8, 9, 1, Key(0, "s")).reshape(40, 8, 9, 3)
    for channel in range(3):
        alone = shift(np.ascontiguousarray(pictures[..., channel].reshape(40, 72)), 8, 9, 1, Key(0, "s"))
        assert np.allclose(moved[..., channel].reshape(40, 72) * 255, alone, atol=1e-3)
    config = Config(data=str(tmp_path / "colour.npz"), network="convolution", layers=(4, 4), patch=(3, 2), stride=(1,),
                    epochs=1, batch=20, out=str(tmp_path / "run"))  # fmt: skip
    result, _ = execute(config, quiet=True)
    assert result["test_error_percent"] is not None
