"""The cortex tests: intervals and verdicts by closed forms, points that are run once, a card that says what was measured."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from analog_ff.simulate import run_app
from analog_ff.spiking.command import app
from analog_ff.spiking.config import SpikingConfig
from analog_ff.spiking.cortex import judge, report
from analog_ff.spiking.cortex.base import BASE, COST, FAILS, FITS, OPEN, Above, Loss, Point, Range, Test, Times
from analog_ff.spiking.cortex.command import base_of, parse_tests
from analog_ff.spiking.cortex.measure import EDGES, burst_spikes
from analog_ff.spiking.cortex.published import RANGES
from analog_ff.spiking.cortex.sweep import TUNING_SEED, Sweep, place, stored
from analog_ff.spiking.cortex.table import TESTS
from hardware_models.check import UsageError
from hardware_models.keys import Key

Test.__test__ = False  # type: ignore[attr-defined]  # pytest: it only sounds like a test
IMAGES = 200
SMALL = Test(
    "T0", "a trial", "Does it?",
    (Point(BASE), Point("worse", {"noise": 0.1}), Point("tuned", {"delay": 5.0}, ({"theta": 1.0}, {"theta": 3.0}))),
    (Loss("Being worse", "worse"), Loss("Being tuned", "tuned"),
     Range("The mean rate", "mean_rate_hz", 1.0, 10.0, "Hz", "a book")),
    "bars",
)  # fmt: skip


def runs(*accuracies: float) -> dict[int, dict]:
    """Return results of one point: seed k classifies the first images correctly."""
    return {seed: result(SpikingConfig(seed=seed), a) for seed, a in enumerate(accuracies)}


def result(config: SpikingConfig, accuracy: float, rate: float = 5.0) -> dict:
    right = np.arange(IMAGES) < round(accuracy * IMAGES)
    layer = {"right_label": {"mean_rate_hz": rate, "active_rate_hz": 100.0}, "log10_rates": [0] * (len(EDGES) - 1)}
    return {
        "config": config.as_dict(), "seed": config.seed, "images": {"infer": IMAGES}, "correct": {"energy": judge.packed(right)},
        "firing": [layer], "spikes_per_presentation": {"training": [7.0, 2.0]},
        "validation_error_percent": 100.0 * (1.0 - accuracy),
    }  # fmt: skip


def fake(config: SpikingConfig, data: object) -> dict:
    """Run nothing: noise costs 3 points, theta = 3 is best, and the second seed is a point better."""
    del data
    loss = 0.03 * (config.noise > 0) + 0.2 * (config.delay > 0 and config.theta != 3.0)
    return result(config, 0.9 - loss + 0.01 * (config.seed % 2))


def test_packed_answers_come_back() -> None:
    answers = Key(0, "answers").generator().random(77) < 0.3
    assert np.array_equal(judge.unpacked(judge.packed(answers), 77), answers)


def test_a_loss_is_the_mean_difference_of_paired_seeds() -> None:
    # Seed 2 of the null has no partner. 95 - 90 and 93 - 90 points: mean 4, s.e. over seeds 1; over images by hand.
    found = judge.loss(runs(0.95, 0.93, 0.10), runs(0.90, 0.90))
    assert found is not None and found.seeds == 2
    assert found.mean == pytest.approx(4.0)
    by_image = np.zeros(IMAGES)
    by_image[180:186], by_image[186:190] = 1.0, 0.5
    assert found.half == pytest.approx(200.0 * np.sqrt(0.01**2 + by_image.var(ddof=1) / IMAGES))


def test_the_interval_covers_seeds_and_images_drawn_anew() -> None:
    # Crossed random effects and their interaction: the squared standard error is, in the mean, no less than the variance of
    # the mean, and no more than that with the interaction counted twice.
    rng = Key(1, "effects").generator()
    seeds, images, trials = 3, 40, 3000
    table = rng.normal(0, 0.2, (trials, seeds, 1)) + rng.normal(0, 1.0, (trials, 1, images))
    table = table + rng.normal(0, 1.0, (trials, seeds, images))
    squared = np.mean([judge.error(t) ** 2 for t in table])
    interaction = 1.0 / (seeds * images)
    true = 0.04 / seeds + 1.0 / images + interaction
    assert squared == pytest.approx(true + interaction, rel=5 * np.sqrt(2 / (2 * trials)))
    assert table.mean(axis=(1, 2)).var() == pytest.approx(true, rel=5 * np.sqrt(2 / trials))


def test_verdicts_change_at_their_borders() -> None:
    assert [judge.by_loss(x) for x in (-3.0, 1.5, 1.51, 5.0, 5.01)] == [FITS, FITS, COST, COST, FAILS]
    assert [judge.by_range(x, 2.0, 10.0) for x in (0.9, 1.0, 2.0, 10.0, 20.0, 21.0)] == [
        FAILS,
        COST,
        FITS,
        FITS,
        COST,
        FAILS,
    ]
    assert judge.worst([FITS, FAILS, COST]) == FAILS and judge.worst([FITS, COST]) == COST
    assert judge.worst([FAILS, OPEN]) == OPEN and judge.worst([]) == OPEN


def test_a_verdict_is_firm_if_the_whole_interval_agrees() -> None:
    criterion = Loss("Being worse", "worse")
    clear = judge.judge(criterion, {BASE: runs(0.95, 0.95), "worse": runs(0.5, 0.5)})
    assert clear[:2] == (FAILS, True)
    close = judge.judge(criterion, {BASE: runs(0.95, 0.95), "worse": runs(0.94, 0.94)})
    assert close[:2] == (FITS, False)
    assert judge.judge(criterion, {BASE: runs(0.9), "worse": {}}) == (OPEN, False, None)


def test_a_share_outside_its_range_is_judged_by_what_is_left_too() -> None:
    def verdict(x: float) -> str:
        run = result(SpikingConfig(), 0.9)
        run["firing"][0]["right_label"]["S"] = x
        criterion = Range("Sparseness", "S", 0.2, 0.6, "", "", share=True)
        return judge.judge(criterion, {BASE: {0: run}}).verdict

    # Up to twice 0.6 would always do; 1 - S from 0.4 on: half of it is 0.2. Below, half of 0.2 is 0.1.
    assert [verdict(x) for x in (0.09, 0.11, 0.2, 0.59, 0.79, 0.81)] == [FAILS, COST, FITS, FITS, COST, FAILS]
    assert judge.by_range(0.11, 0.0, 0.05, share=True) == FAILS


def test_a_recalled_range_does_not_decide() -> None:
    assert not judge.decides(Range("x", "q", 0, 1, "", "memory", read="recalled"))
    assert {c.read for c in RANGES} == {"abstract", "recalled"} and sum(map(judge.decides, RANGES)) == 6
    assert all(re.search(r"\d{4}", c.source) or c.read == "recalled" for c in RANGES), "a range without a dated source"


def test_spikes_in_bursts() -> None:
    # Cell 1: 0 and 8 ms are a burst, 17 is not; 29 | 31 lie in two presentations; the wrong label (30 to 60) does not count.
    cells = np.array([1, 1, 1, 1, 1, 2, 1, 1])
    times = np.array([0.0, 8.0, 17.0, 29.0, 31.0, 1.0, 32.0, 65.0])
    assert burst_spikes(cells, times, 30.0) == pytest.approx(2 / 6)
    assert burst_spikes(cells[:0], times[:0], 30.0) is None
    # A Poisson cell in one long presentation: a neighbour within b on either side, 1 - exp(-2 rate b).
    rng = Key(2, "spikes").generator()
    n, rate = 20_000, 0.05
    share = burst_spikes(np.zeros(n, int), np.cumsum(rng.exponential(1 / rate, n)), 1e9)
    expected = 1 - np.exp(-2 * rate * 8.0)
    assert share == pytest.approx(expected, abs=5 * np.sqrt(2 * expected * (1 - expected) / n))


@pytest.mark.parametrize("key", sorted(TESTS))
def test_every_point_is_a_configuration(key: str) -> None:
    base = base_of({"layers": (30,), "learning_rate": 1e-3})
    found = list(TESTS[key].configurations(base, range(2)))
    assert len(found) == 2 * sum(max(len(p.grid), 1) for p in TESTS[key].points)
    assert all(c.split == "holdout" for c in found)
    assert base in found, "the null is a point of every test"
    hidden = [p for p in TESTS[key].points if p.label != BASE and p.configuration(base, 0) == base and not p.grid]
    assert not hidden, "a point that changes nothing"


def test_changes_are_relative_to_the_base() -> None:
    base = base_of({"layers": (30,), "learning_rate": 1e-3})
    point = Point("x", {"learning_rate": Times(0.1), "layers": Above(2 / 3)})
    changed = point.configuration(base, 5, {"theta": 1.0})
    assert changed == replace(base, learning_rate=1e-4, layers=(30, 20), theta=1.0, seed=5)
    with pytest.raises(UsageError, match="no point 'nowhere'"):
        Test("T0", "", "", (Point(BASE),), (Loss("", "nowhere"),), "bars")
    with pytest.raises(UsageError, match="same label"):
        Test("T0", "", "", (Point(BASE), Point(BASE)), (), "bars")


def test_points_are_run_once_and_tuned_on_a_seed_of_their_own(tmp_path) -> None:
    base = SpikingConfig(split="holdout")
    sweep, ran = Sweep(tmp_path, base, 2), []

    def counted(config, data):
        ran.append(config)
        return fake(config, data)

    sweep.run([SMALL], None, counted, lambda line: None)
    assert len(ran) == 8
    assert {c.seed for c in ran if c.theta == 1.0} == {TUNING_SEED}, "the worse choice was judged"
    tuned = sweep.runs(SMALL.point("tuned"))
    assert sorted(tuned) == [0, 1] and all(r["config"]["theta"] == 3.0 for r in tuned.values())
    sweep.run([SMALL], None, counted, lambda line: None)
    assert len(ran) == 8, "a finished point was run again"
    Sweep(tmp_path, base, 3).run([SMALL], None, counted, lambda line: None)
    assert len(ran) == 11 and {c.seed for c in ran[8:]} == {2}
    # A result made with another default does not count.
    file = place(tmp_path, base)
    file.write_text(file.read_text().replace('"tau":20.0', '"tau":21.0'))
    assert stored(tmp_path, base) is None
    sweep.run([SMALL], None, counted, lambda line: None)
    assert ran[11:] == [base]
    # Neither does one that was made by other rules: without a version it is of the first.
    file.write_text(file.read_text().replace('"model":', '"models":'))
    assert stored(tmp_path, base) is None
    for damaged in ("{", "{}", "[1]"):
        file.write_text(damaged)
        with pytest.raises(UsageError, match=file.name):
            stored(tmp_path, base)


def test_the_card_says_what_was_measured(tmp_path) -> None:
    sweep = Sweep(tmp_path, SpikingConfig(split="holdout"), 2)
    nothing = report.collect(sweep, [SMALL])
    assert nothing["tests"]["T0"]["verdict"] == OPEN
    assert "Being worse: not measured." in report.markdown(nothing, "")
    sweep.run([SMALL], None, fake, lambda line: None)
    document = report.write(sweep, [SMALL])
    assert json.loads((tmp_path / "cortex.json").read_text()) == document
    assert (tmp_path / "T0.png").stat().st_size > 1000
    found = document["tests"]["T0"]
    assert found["verdict"] == COST
    worse, tuned, rate = found["criteria"]
    assert worse["measured"]["mean"] == pytest.approx(3.0) and worse["verdict"] == COST
    assert "costs 3.0 ± " in worse["sentence"] and "(87.5 % against 90.5 %): fits with a cost" in worse["sentence"]
    assert tuned["measured"] == {"mean": 0.0, "half_interval": 0.0} and tuned["verdict"] == FITS and tuned["firm"]
    assert rate["sentence"] == "The mean rate is 5.00 ± 0.00 Hz, published 1 to 10 Hz: fits."
    text = (tmp_path / "card.md").read_text()
    assert "| **T0** | **a trial** | | | **fits with a cost** |" in text
    assert "| tuned | 2 | 90.5 ± " in text and "theta 3 (of 2)" in text


@pytest.mark.slow
def test_a_short_real_test_of_dales_law(tmp_path, capsys) -> None:
    options = ["--data", "toy", "--target", "numpy", "--layers", "6", "--epochs", "1", "--images-per-epoch", "6",
               "--test-images", "4", "--present", "6", "--label-cells", "1"]  # fmt: skip
    out = tmp_path / "cortex"
    asked = ["--cortex", "--tests", "t3", "--seeds", "1", *options, "--out", str(out), "--json"]
    assert run_app(app, asked) == 0
    document = json.loads(capsys.readouterr().out)
    (criterion,) = document["tests"]["T3"]["criteria"]
    assert document["seeds"] == [0] and criterion["verdict"] in (FITS, COST, FAILS)
    files = sorted((out / "points").glob("*.json"))
    results = [json.loads(f.read_text()) for f in files]
    assert sorted(r["config"]["dale"] for r in results) == [False, True]
    for r in results:
        assert judge.accuracy({0: r}).mean == pytest.approx(100.0 - r["validation_error_percent"])
        assert not {"data_dir", "out"} & set(r["config"])
    before = [f.stat().st_mtime_ns for f in files]
    assert run_app(app, asked) == 0
    assert [f.stat().st_mtime_ns for f in files] == before, "a finished point was run again"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--tests", "T9"], "no cortex test 'T9'"),
        (["--seeds", "0"], "--seeds"),
        (["--split", "final"], "validation part alone"),
        (["--export", "x.nir"], "belong to a single run"),
        (["--eligibility", "synaptic", "--tests", "T5"], "--eligibility synaptic"),
    ],
)
def test_impossible_tests_are_refused_in_one_sentence(arguments, said, tmp_path, capsys) -> None:
    assert run_app(app, ["--cortex", "--out", str(tmp_path / "x"), *arguments]) == 2
    text = capsys.readouterr().err.strip()
    assert said in text and "\n" not in text
    assert not (tmp_path / "x").exists()


def test_a_folder_of_something_else_is_refused(tmp_path, capsys) -> None:
    (tmp_path / "result.json").write_text("{}")
    assert run_app(app, ["--cortex", "--out", str(tmp_path)]) == 2
    assert "holds no cortex tests" in capsys.readouterr().err
    assert [t.key for t in parse_tests("t7, T1")] == ["T1", "T7"] and len(parse_tests("")) == 7
