"""Hybrid images: laws of blur, masks and partners; what is refused; a network that learns from them without labels."""

from __future__ import annotations

from math import comb
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import chi2

from analog_ff.config.config import Config
from analog_ff.datasets import load
from analog_ff.learners.forward_forward import ForwardForward
from analog_ff.network.stack import Stack
from analog_ff.objective.goodness import LayerGoodness
from analog_ff.objective.hybrid import Hybrid, blur, masks, partners
from analog_ff.objective.negatives import load_negatives
from analog_ff.runs.execute import execute
from hardware_models.check import UsageError
from hardware_models.chip import Chip
from hardware_models.keys import Key

RARE = 1e-6


def rng(name: str) -> np.random.Generator:
    """Return a generator of its own for each test."""
    return Key(0, "test-hybrid").child(name).generator()


def test_blur_follows_its_obvious_twin_and_keeps_the_sum() -> None:
    """A loop over pixels with the edge pixel as its own neighbour gives the same; the sum of a field stays."""
    fields = rng("twin").random((3, 5, 7))
    expected = fields.copy()
    for _ in range(2):
        for axis in (1, 2):
            size, before = expected.shape[axis], np.moveaxis(expected.copy(), axis, 0)
            after = np.moveaxis(expected, axis, 0)
            for i in range(size):
                after[i] = before[max(i - 1, 0)] / 4 + before[i] / 2 + before[min(i + 1, size - 1)] / 4
    np.testing.assert_allclose(blur(fields, 2), expected, rtol=1e-14)
    np.testing.assert_allclose(blur(fields, 9).sum(axis=(1, 2)), fields.sum(axis=(1, 2)), rtol=1e-13)
    assert np.array_equal(blur(fields, 0), fields)


@pytest.mark.parametrize("times", [1, 6])
def test_a_blurred_point_is_binomial(times: int) -> None:
    """Along each axis n blurs give the weights of 2n tosses of a coin: variance n/2."""
    point = np.zeros((1, 41, 41))
    point[0, 20, 20] = 1.0
    profile = blur(point, times)[0].sum(axis=0)
    expected = [comb(2 * times, times + k) / 4**times if abs(k) <= times else 0.0 for k in range(-20, 21)]
    np.testing.assert_array_equal(profile, expected)
    assert (profile * np.arange(-20, 21) ** 2).sum() == times / 2


@pytest.mark.parametrize("blurs", [0, 1, 2, 6, 20])
def test_half_of_the_pixels_are_on(blurs: int) -> None:
    """Within five standard errors of the masks' own shares, ties at one half included."""
    shares = masks(1500, 12, 9, blurs, rng(f"share-{blurs}")).mean(axis=(1, 2))
    assert abs(shares.mean() - 0.5) < 5 * shares.std() / np.sqrt(len(shares))
    assert shares.std() > 0


def test_patches_grow_with_the_blurs_as_gaussian_fields_do() -> None:
    r"""Correlation at distance d: (2/pi) arcsin rho, rho = binom(4n, 2n+d)/binom(4n, 2n) of the blurred bits.

    The arcsine law is that of a Gaussian field cut at its median; a sum of bits is one to the order of its kurtosis.
    """
    found = {}
    for blurs in (2, 6, 12):
        chosen = 2.0 * masks(1500, 40, 40, blurs, rng(f"corr-{blurs}"))[:, 14:26, 14:26] - 1.0  # away from the edges
        for distance in (1, 3, 6):
            found[blurs, distance] = (chosen[:, :, :-distance] * chosen[:, :, distance:]).mean()
            rho = comb(4 * blurs, 2 * blurs + distance) / comb(4 * blurs, 2 * blurs)
            assert found[blurs, distance] == pytest.approx(2 / np.pi * np.arcsin(rho), abs=0.02)
    for distance in (1, 3, 6):
        assert found[2, distance] < found[6, distance] < found[12, distance]


def test_no_image_is_its_own_partner_and_all_others_are_equally_likely() -> None:
    """A derangement, always; the partner of the first image is uniform over the others."""
    generator = rng("partners")
    for count in range(2, 40):
        found = partners(count, generator)
        assert (found != np.arange(count)).all() and sorted(found) == list(range(count))
    first = np.bincount([partners(5, generator)[0] for _ in range(4000)], minlength=5)
    assert first[0] == 0
    assert ((first[1:] - 1000) ** 2 / 1000).sum() < chi2.isf(RARE, 3)


def test_every_pixel_comes_from_the_image_or_from_its_partner() -> None:
    """Images of one grey each show where their pixels went; the mask is that of the maker's own draws."""
    count, shape = 30, (12, 10)
    images = np.repeat(np.arange(1.0, count + 1)[:, None], shape[0] * shape[1], axis=1).astype(np.float32)
    made, labels = Hybrid(shape, blurs=3)(images, np.zeros(count, int), np.zeros((count, 2)), rng("made"))
    generator = rng("made")
    chosen = masks(count, *shape, 3, generator).reshape(made.shape)
    other = partners(count, generator)
    assert labels is None and made.dtype == np.float32
    assert np.array_equal(made, np.where(chosen, images, images[other]))
    assert all(set(np.unique(row)) <= {i + 1, other[i] + 1} for i, row in enumerate(made))
    assert 0.4 < (made == images).mean() < 0.6


def test_the_channels_of_a_pixel_stay_together() -> None:
    """An image of three channels is cut like one of one channel, with the same draws."""
    grey = rng("grey").random((6, 20)).astype(np.float32)
    colour = np.stack((grey, 2 * grey, 3 * grey), axis=2).reshape(6, 60)
    nothing = np.zeros(6, int), np.zeros((6, 2))
    one, three = (Hybrid((5, 4))(images, *nothing, rng("channels"))[0] for images in (grey, colour))
    assert np.array_equal(three.reshape(6, 20, 3), np.stack((one, 2 * one, 3 * one), axis=2))


def refused(says: str, folder: Path, **choices: object) -> None:
    """Expect one sentence, and that nothing was written."""
    options = {"data": "toy", "layers": (12,), "epochs": 1, "device": "ideal", "negatives": "hybrid"}
    with pytest.raises(UsageError, match=says) as error:
        execute(Config(**{**options, **choices, "out": str(folder / "run")}), quiet=True)
    assert str(error.value).endswith(".") and "\n" not in str(error.value)
    assert not (folder / "run").exists()


def test_what_does_not_go_together_is_refused(tmp_path: Path) -> None:
    """Vectors, a batch of one, a read-out that needs labels: each in one sentence with a remedy."""
    refused("not vectors: choose --negatives hard", tmp_path, data="characters")
    refused("give --batch 2 or more", tmp_path, batch=1)
    refused("choose --readout softmax", tmp_path, readout="energy")
    with pytest.raises(UsageError, match="known height and width"):
        load_negatives("hybrid", 64)
    with pytest.raises(UsageError, match="--blurs"):
        Config(blurs=-1)


def test_the_command_line_run_is_unsupervised(tmp_path: Path) -> None:
    """`--negatives hybrid` is enough: no label reaches the network, and one read-out is left."""
    options = {"data": "toy", "layers": (12,), "epochs": 1, "device": "ideal", "negatives": "hybrid", "batch": 50}
    result, _ = execute(Config(**options, out=str(tmp_path / "run")), quiet=True)
    assert list(result["test_error_percent_by_readout"]) == ["softmax"]


def test_a_layer_learns_to_tell_images_from_hybrids() -> None:
    """After some epochs of the toy stripes, every layer's goodness of images exceeds that of hybrids not met before.

    The margin is held against the standard error over the images; frozen layers make no such difference.
    """
    data = load("toy")
    port = Chip("ideal", ((65, 60), (61, 40)))
    network = Stack(port, [LayerGoodness("sum-of-squares", n) for _, n in port.shapes], label_place="none")
    maker = load_negatives("hybrid", 64, (8, 8), blurs=2)
    ours = ForwardForward(network, classes=2, seed=0, negatives=maker, learning_rate=0.05)
    ours.initialise()

    def margins() -> list[float]:
        """Return the mean difference of goodness in standard errors, layer by layer."""
        made, _ = maker(data.x_train, data.y_train, np.zeros((len(data.x_train), 2)), rng("unseen"))
        found = []
        pairs = [ours.look(images, None, Key(0, "look"), "layer")[0] for images in (data.x_train, made)]
        for layer, goodness in enumerate(network.goodness):
            gap = goodness.value(pairs[0][layer].y) - goodness.value(pairs[1][layer].y)
            found.append(float(gap.mean() / gap.std() * np.sqrt(gap.size)))
        return found

    before = margins()
    for step in range(240):
        rows = Key(0, "rows", step).generator().choice(len(data.x_train), 60, replace=False)
        ours.step(data.x_train[rows], data.y_train[rows], step=step, gain=1.0)
    assert min(margins()) > 5.0 > max(np.abs(before))
