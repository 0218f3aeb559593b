"""The scikit-learn classifier: scikit-learn's own checks, one answer for one row, counted and priced work."""

from __future__ import annotations

import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_iris, make_blobs
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from analog_ff import ForwardForwardClassifier
from analog_ff.runs import first_use
from analog_ff.runs.lessons import Lesson
from analog_ff.runs.rows import Rows
from hardware_models.check import UsageError
from hardware_models.energy import load_technology, price
from hardware_models.energy.circuit import Circuit
from hardware_models.kernels import compiling
from hardware_models.port import SealedChipError

ROOT = Path(__file__).resolve().parents[2]
DEVICES = ("ideal", "memristor")


def small(device: str = "memristor", **choices: Any) -> ForwardForwardClassifier:
    """Return a classifier that trains within a tenth of a second."""
    return ForwardForwardClassifier(device, **({"hidden": (32,), "epochs": 20} | choices))


@pytest.fixture(scope="module")
def iris() -> tuple[np.ndarray, np.ndarray]:
    """Return 150 rows of 4 features and their species by name."""
    data = load_iris()
    return data.data, data.target_names[data.target]


@pytest.mark.parametrize(("learner", "readout"), [("competitive", "competition"), ("random-features", "softmax")])
def test_other_learners(learner: str, readout: str, iris: tuple[np.ndarray, np.ndarray]) -> None:
    """They read the options that they have, learn flowers (a guess is right in 1 of 3), and answer a row alike in any batch."""
    x, y = iris
    model = small(readout=readout, epochs=150, settings={"learner": learner}).fit(x, y)
    assert model.score(x, y) > 0.7 and model.energy_["per_update_joule"] > 0
    assert np.array_equal(model.decision_function(x[::-1]), model.decision_function(x)[::-1])
    with pytest.raises(UsageError, match="label_strength"):
        small(readout=readout, label_strength=2.0, settings={"learner": "competitive"}).fit(x, y)


# Nothing that a chip does forbids a check: noise is keyed by the row, so that even a noisy chip gives one answer to one
# question. scikit-learn skips its array-API check by itself where SCIPY_ARRAY_API is not set.
@parametrize_with_checks([small(device, hidden=(16,), epochs=8) for device in DEVICES])
def test_scikit_learns_own_checks(estimator: Any, check: Any) -> None:
    """All of them, on the ideal device and on the memristor; none is expected to fail."""
    check(estimator)


@pytest.mark.parametrize("readout", ["softmax", "energy", "both"])
def test_a_row_reads_the_same_in_any_batch(readout: str, iris: tuple[np.ndarray, np.ndarray]) -> None:
    """Alone, in any order and company, again: the same bits, on noisy cells; another row of noise is another reading."""
    x, y = iris
    model = small(readout=readout, hidden=(64, 40), epochs=3).fit(x, y)
    whole = model.decision_function(x)
    order = np.random.default_rng(0).permutation(len(x))
    assert np.array_equal(model.decision_function(x[order]), whole[order])
    assert all(np.array_equal(model.decision_function(x[i : i + 1])[0], whole[i]) for i in (0, 3, 149))
    assert np.array_equal(model.decision_function(np.concatenate((x[:1], x[:1], x[5:6]))), whole[[0, 0, 5]])
    quiet = small(readout=readout, hidden=(64, 40), epochs=3, settings={"read_noise": False}).fit(x, y)
    quiet._parts.port.restore(model._parts.port.save())  # the same cells, read without noise
    quiet._parts.learner.restore(model._parts.learner.save())
    assert not np.array_equal(quiet.decision_function(x), whole)


def test_the_noise_of_rows_is_independent(iris: tuple[np.ndarray, np.ndarray]) -> None:
    """Rows that differ in the last bit of one feature are read with unrelated noise."""
    x, y = iris
    model = small(epochs=1, settings={"adc": None, "dac": None}).fit(x, y)
    # 400 rows as good as equal: what differs in their readings is the noise.
    rows = np.repeat(x[:1], 400, axis=0)
    rows[:, 0] += 1e-5 * np.arange(400)
    u = model._parts.encode(rows)
    assert len(np.unique(u, axis=0)) == 400
    scores = model.decision_function(rows)
    scores = scores - scores.mean(axis=0)
    spread = scores.std(axis=0)
    assert (spread > 0).all()
    # Successive rows: a correlation of n independent pairs has the standard deviation 1/sqrt(n).
    neighbours = (scores[1:] * scores[:-1]).mean(axis=0) / spread**2
    assert (np.abs(neighbours) < 4.5 / np.sqrt(399)).all()


@pytest.mark.parametrize("readout", ["softmax", "energy", "both"])
@pytest.mark.parametrize("device", DEVICES)
def test_learns_labels_of_any_type(device: str, readout: str, iris: tuple[np.ndarray, np.ndarray]) -> None:
    """Species by name; two classes give one column of scores; probabilities sum to 1 and follow the scores."""
    x, y = iris
    model = small(device, readout=readout, epochs=60, batch=15, learning_rate=0.05).fit(x[::2], y[::2])
    # By chance one in three; over 75 rows that has a standard deviation of 0.054.
    assert model.score(x[1::2], y[1::2]) > 0.33 + 6 * 0.054
    assert set(model.predict(x)) <= {"setosa", "versicolor", "virginica"}
    two = small(device, readout=readout).fit(x[:100], y[:100] == "setosa")
    scores, probabilities = two.decision_function(x[:100]), two.predict_proba(x[:100])
    assert scores.shape == (100,) and np.allclose(probabilities.sum(axis=1), 1.0)
    assert np.array_equal(two.predict(x[:100]), scores > 0)
    assert np.allclose(probabilities[:, 1], 0.5 + 0.5 * np.tanh(scores / 2))


def test_both_readouts_multiply_their_probabilities(iris: tuple[np.ndarray, np.ndarray]) -> None:
    """On the same chip, read without noise: p of both is in proportion to p of the logits and p of the weighted goodness."""
    x, y = iris
    model = small("ideal", readout="both", settings={"goodness_weight": 3.0}).fit(x, y)
    found = {"both": model.predict_proba(x)}
    for readout, factor in (("softmax", 1.0), ("energy", 3.0 / sum(model.hidden))):
        other = small("ideal", readout=readout).fit(x, y)  # a read-out changes nothing of the training
        raised = np.exp(factor * (scores := other.decision_function(x)) - factor * scores.max(axis=1, keepdims=True))
        found[readout] = raised / raised.sum(axis=1, keepdims=True)
    product = found["softmax"] * found["energy"]
    np.testing.assert_allclose(found["both"], product / product.sum(axis=1, keepdims=True), rtol=0, atol=1e-5)
    assert np.abs(found["both"] - found["softmax"]).max() > 0.01


def test_length_reaches_the_network() -> None:
    """One feature, three classes along it: a network that sees the direction alone could tell two of them apart."""
    x = np.repeat(np.array([-1.0, 0.0, 1.0]), 60)[:, None] + 0.1 * np.random.default_rng(0).standard_normal((180, 1))
    y = np.repeat([0, 1, 2], 60)
    assert small("ideal", epochs=150).fit(x, y).score(x, y) > 0.95


def test_scale_and_origin_of_features_do_not_matter(iris: tuple[np.ndarray, np.ndarray]) -> None:
    """Powers of two rescale without rounding: the same bits. An offset rounds: nearly the same drive."""
    x, y = iris
    plain = small().fit(x, y)
    scaled = small().fit(x * 64.0, y)
    assert np.array_equal(plain.decision_function(x), scaled.decision_function(x * 64.0))
    moved = small(epochs=1).fit(x + 100.0, y)
    assert np.allclose(moved._parts.encode(x + 100.0), plain._parts.encode(x), atol=1e-5)


def test_signed_features_take_two_phases() -> None:
    """A row with a negative feature is read twice in each cell, a row without once."""
    x, y = make_blobs(100, 2, centers=2, random_state=0)
    model = small(epochs=1).fit(x, y)
    center, spread = model._parts.scaler.mean_, model._parts.scaler.scale_
    cells = []
    for z in (-1.0, 1.0):
        before = model.events_["infer"]["reads.cells"]
        model.predict((center + z * spread)[None])
        cells.append(model.events_["infer"]["reads.cells"] - before)
    inputs = 2 + 2 + 1 + 1  # labels, features, constant, bias
    assert cells == [2 * inputs * 2 * 32, inputs * 2 * 32]


def test_grid_search_and_pipeline(iris: tuple[np.ndarray, np.ndarray]) -> None:
    """The classifier is searched over inside a pipeline, and refitted."""
    x, y = iris
    pipeline = make_pipeline(MinMaxScaler(), small("ideal"))
    grid = {"forwardforwardclassifier__epochs": [1, 40], "forwardforwardclassifier__device": ["ideal", "memristor"]}
    search = GridSearchCV(pipeline, grid, cv=3, error_score="raise").fit(x, y)
    scores = search.cv_results_["mean_test_score"]
    assert scores.shape == (4,) and len(np.unique(scores)) > 1
    assert search.best_score_ == scores.max() and search.score(x, y) > 0.7  # by chance 0.33


def test_events_and_energy(iris: tuple[np.ndarray, np.ndarray]) -> None:
    """What was counted is priced as `price` does it; a prediction adds to phase infer alone."""
    x, y = iris
    model = small(epochs=3).fit(x, y)
    before = model.events_
    assert before["program"]["write.selected"] > 0 and before["learn"]["write.selected"] > 0
    assert not any(before["infer"].values()) and not any(before["monitor"].values())
    model.predict(x[:30])
    after = model.events_
    assert {p: e for p, e in after.items() if p != "infer"} == {p: e for p, e in before.items() if p != "infer"}
    assert after["infer"]["mac.fp32"] == 30 * 32 * 3  # the digital read-out
    energy = model.energy_
    device = model.chip_.device.describe()
    # An average of fp32 for each weight, and two words for each of the read-out's; lines as long as the array's.
    shapes = model.chip_.shapes
    kept = sum(n * m for n, m in shapes) + 2 * sum(m for _, m in shapes) * 3
    circuit = Circuit(memory_bytes=4 * kept, line_cells=max(max(n, 2 * m) for n, m in shapes))
    joules = price(
        after, model._parts.ledger.as_dict()["integrals"], load_technology("cmos-32nm"), read_time=device["t_read"],
        write_voltage=max(device["v_up"], device["v_down"]), read_voltage=device["v_read"],
        circuit=circuit,
    )  # fmt: skip
    for phase in ("program", "learn", "infer"):
        assert energy["total_joule"][phase] == pytest.approx(sum(joules[phase].values()))
        assert energy["total_joule"][phase] > 0
    assert energy["per_update_joule"] == pytest.approx(energy["total_joule"]["learn"] / (3 * 150))
    assert energy["per_image_joule"] == {"softmax": pytest.approx(energy["total_joule"]["infer"] / 30)}


def test_partial_fit_goes_on_and_fit_begins_anew(iris: tuple[np.ndarray, np.ndarray]) -> None:
    """The chip keeps its cells, its clock and its noise's place; `fit` takes a fresh chip."""
    x, y = iris
    order = np.random.default_rng(0).permutation(150)
    x, y = x[order], y[order]
    names = np.unique(y)
    model = small().partial_fit(x[:50], y[:50], classes=names)
    once = model.chip_.save()
    model.partial_fit(x[50:], y[50:])
    twice = model.chip_.save()
    assert twice["chip.time"] > once["chip.time"] > 0
    assert (twice["layer0.main.received"] >= once["layer0.main.received"]).all()
    assert twice["layer0.main.received"].sum() > once["layer0.main.received"].sum()
    assert model._parts.updates == 2 and model._parts.images["learn"] == 150
    assert np.allclose(model._parts.scaler.mean_, x.mean(axis=0))
    for _ in range(20):
        model.partial_fit(x, y)
    assert model.score(x, y) > 0.8
    assert np.array_equal(model.fit(x, y).decision_function(x), small().fit(x, y).decision_function(x))
    assert model.chip_.save()["chip.time"] < model.partial_fit(x, y).chip_.save()["chip.time"]


def test_a_pickle_goes_on_bit_for_bit(iris: tuple[np.ndarray, np.ndarray]) -> None:
    """A model that was stored and one that was not learn and read alike, and have counted the same."""
    x, y = iris
    model = small(random_state=np.random.RandomState(5), settings={"update": "coincidence"}).fit(x, y)
    other = pickle.loads(pickle.dumps(model))
    for each in (model, other):
        each.partial_fit(x[::3], y[::3])
    assert np.array_equal(model.decision_function(x), other.decision_function(x))
    assert model.events_ == other.events_ and model.energy_ == other.energy_


def test_seeds(iris: tuple[np.ndarray, np.ndarray]) -> None:
    """The experiment and the chip have seeds of their own; a generator gives a new seed at every fit."""
    x, y = iris

    def scores(**seeds: Any) -> np.ndarray:
        answer: np.ndarray = small(epochs=1, **seeds).fit(x, y).decision_function(x)
        return answer

    first = scores()
    assert np.array_equal(first, scores(random_state=np.int64(0)))
    assert not np.array_equal(first, scores(random_state=1)) and not np.array_equal(first, scores(chip_seed=1))
    drawn = small(epochs=1, random_state=np.random.RandomState(0))
    assert not np.array_equal(drawn.fit(x, y).decision_function(x), drawn.fit(x, y).decision_function(x))


def test_epochs_by_default_make_a_thousand_updates() -> None:
    """Of 250 rows two batches of 100 and one of 50 make an epoch."""
    x, y = make_blobs(250, 2, random_state=0)
    model = small("ideal", hidden=(2,), epochs=None).fit(x, y)
    assert model.n_iter_ == 334 and model._parts.updates == 3 * 334


def test_learns_on_a_sealed_chip(iris: tuple[np.ndarray, np.ndarray]) -> None:
    """Nothing is looked at: the same bits as on the open chip."""
    x, y = iris
    model = small(settings={"sealed": True}).fit(x, y)
    assert np.array_equal(model.decision_function(x), small().fit(x, y).decision_function(x))
    with pytest.raises(SealedChipError):
        _ = model.chip_.oracle
    assert model.chip_.inspect() is None


@pytest.mark.parametrize(
    ("choices", "sentence"),
    [
        ({"random_state": True}, "random_state is a whole number"),
        ({"hidden": 5}, "hidden names the neurons"),
        ({"hidden": (0,)}, "whole number of at least 1"),
        ({"epochs": 0}, "epochs"),
        ({"batch": 0}, "batch"),
        ({"learning_rate": -1.0}, "learning_rate"),
        ({"readout": "all"}, "^no readout 'all'"),
        ({"settings": {"final_weights": "average"}}, "settings have no 'final_weights'"),
        ({"device": "nothing"}, "nothing"),
        ({"technology": "nothing"}, "nothing"),
        ({"settings": {"layers": (5,)}}, r"settings have no 'layers'"),
        ({"settings": {"wires": "test"}}, r"wires 'test' belongs to a run"),
        (
            {"settings": {"red_noise": False}},
            r"settings have no 'red_noise'; did you mean 'read_noise'; see",
        ),
    ],
)
def test_wrong_choices_are_said(choices: dict[str, Any], sentence: str, iris: tuple[np.ndarray, np.ndarray]) -> None:
    """One sentence in the classifier's own names; the model that was there stays."""
    model = small(epochs=1).fit(*iris)
    before = model.decision_function(iris[0])
    with pytest.raises(UsageError, match=sentence) as caught:
        model.set_params(**choices).fit(*iris)
    assert "--" not in str(caught.value)
    assert np.array_equal(model.decision_function(iris[0]), before)


def test_wrong_labels_are_said(iris: tuple[np.ndarray, np.ndarray]) -> None:
    """Missing, unknown or changing classes of `partial_fit`."""
    x, y = iris
    with pytest.raises(UsageError, match="needs classes"):
        small().partial_fit(x, y)
    with pytest.raises(UsageError, match="1 class"):
        small().partial_fit(x[:50], y[:50], classes=["setosa"])
    model = small().partial_fit(x[:50], y[:50], classes=["setosa", "versicolor"])
    with pytest.raises(UsageError, match="not among the classes.*virginica"):
        model.partial_fit(x, y)
    with pytest.raises(UsageError, match="cannot become"):
        model.partial_fit(x[:50], y[:50], classes=["setosa", "virginica"])


def test_a_refused_call_leaves_nothing_behind(iris: tuple[np.ndarray, np.ndarray]) -> None:
    """A first `partial_fit` may be made again with what was lacking; a refused `fit` keeps the model and its features."""
    x, y = iris
    model = small()
    with pytest.raises(UsageError, match="not among the classes"):
        model.partial_fit(x, y, classes=["setosa", "virginica"])
    with pytest.raises(NotFittedError):
        model.predict(x)
    model.partial_fit(x[:, :3], y, classes=np.unique(y))
    untouched = small().partial_fit(x[:, :3], y, classes=np.unique(y))
    assert np.array_equal(model.decision_function(x[:, :3]), untouched.decision_function(x[:, :3]))
    assert model.n_iter_ == 1 and model._parts.updates == 2
    with pytest.raises(UsageError, match="two classes"):
        model.fit(x, np.full(len(y), "setosa"))
    assert model.n_features_in_ == 3 and len(model.predict(x[:, :3])) == len(x)


def test_every_row_is_learned(iris: tuple[np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch) -> None:
    """150 rows at batch 100 are two updates, the second of half the weight, in an epoch of `fit` as in one `partial_fit`."""
    x, y = iris
    learn, seen = Rows.learn, []

    def noted(self: Rows, images: np.ndarray, labels: np.ndarray, lesson: Lesson) -> None:
        seen.append((len(images[lesson.rows]), lesson.moment.full))
        learn(self, images, labels, lesson)

    monkeypatch.setattr(Rows, "learn", noted)
    model = small("ideal", epochs=2).fit(x, y)
    assert model._parts.images["learn"] == 2 * 150
    model.partial_fit(x, y).partial_fit(x[:30], y[:30])
    assert seen == [(100, 100), (50, 100)] * 3 + [(30, 30)]


def test_a_stream_has_no_last_epoch_to_consolidate(iris: tuple[np.ndarray, np.ndarray]) -> None:
    """`partial_fit` refuses what it would not do, before it makes a chip."""
    x, y = iris
    model = small(settings={"consolidate": 1})
    with pytest.raises(UsageError, match="consolidate belongs to the last epochs of fit"):
        model.partial_fit(x, y, classes=np.unique(y))
    assert not hasattr(model, "_parts")


def test_its_kernels_are_compiled_ahead(iris: tuple[np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch) -> None:
    """As those of a run: from the chip on, `fit` and `partial_fit` wait for the first kernel that has to be compiled."""
    waiting: list[int] = []
    fabricated = Rows.__post_init__

    def noted(rows: Rows) -> None:
        waiting.append(len(compiling._first))
        fabricated(rows)

    monkeypatch.setenv(first_use.SWITCH, "1")
    monkeypatch.setattr(first_use, "cores", lambda: 1)  # no process is begun
    monkeypatch.setattr(Rows, "__post_init__", noted)
    x, y = (values[40:60] for values in iris)
    small().fit(x, y)
    small().partial_fit(x, y, classes=np.unique(y))
    assert waiting == [1, 1] and not compiling._first


def test_the_page_runs(capsys: pytest.CaptureFixture[str]) -> None:
    """The example of docs/how-to/scikit-learn.md works as it stands, on fewer neurons."""
    (block,) = re.findall(
        r"```python\n(.*?)```", (ROOT / "docs" / "how-to" / "scikit-learn.md").read_text(encoding="utf-8"), re.S
    )
    assert "hidden=(500, 500)" in block
    names: dict[str, Any] = {}
    exec(block.replace("hidden=(500, 500)", "hidden=(48,), epochs=8"), names)
    printed = capsys.readouterr().out.split()
    assert float(printed[0]) > 0.8 and float(printed[1]) > 0
