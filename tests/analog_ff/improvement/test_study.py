"""A study and a specification on runs whose error is a known law of the figures: order, values needed, what helps together."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from analog_ff.cli.app import run_app
from analog_ff.config.config import Config
from analog_ff.improve import app
from analog_ff.improvement.axes import axes_of
from analog_ff.improvement.bench import Bench, Crew
from analog_ff.improvement.joint_search import Limit
from analog_ff.improvement.page import page, specified, spread, told
from analog_ff.improvement.pictures import draw_answer, draw_specification
from analog_ff.improvement.rungs import ladders
from analog_ff.improvement.specification import specify
from analog_ff.improvement.study import Study, Wishes
from analog_ff.plain import Document
from analog_ff.report import kinds
from analog_ff.runs.build import device_of
from analog_ff.sweeps import child
from analog_ff.sweeps.store import NAME, Store
from hardware_models.check import CommandError, UsageError
from hardware_models.devices.single_figures import number

BASE = Config(data="toy", device="memristor", split="holdout")
Law = Callable[[Config, int], float]


class Known(Bench):
    """Runs whose errors follow a law; every one that is asked for is counted."""

    def __init__(self, law: Law, seeds: Sequence[int]) -> None:
        super().__init__(self._none, seeds, Crew(2, 1), lambda line: None)
        self.law, self.asked = law, dict[tuple[Config, int], float]()

    @staticmethod
    def _none() -> Store:
        raise AssertionError("no store is needed")

    def errors(self, cases: Mapping[str, Config]) -> dict[str, Sequence[float]]:
        for config in cases.values():
            self.asked |= {(config, seed): self.law(config, seed) for seed in self.seeds}
        return {name: [self.asked[config, seed] for seed in self.seeds] for name, config in cases.items()}

    def seconds(self, keys: Sequence[str] | None = None) -> float:
        return 3.0

    def timed(self, config: Config) -> float:
        return 3.0

    def with_seeds(self, seeds: Sequence[int]) -> Known:
        return Known(self.law, seeds)


def additive(config: Config, seed: int) -> float:
    """Error: 4 % and 100 times the cycle noise, 20 times the spread of steps; bits and reads do nothing but scatter."""
    device = device_of(config)
    noise, spread, read = (number(device, n) or 0.0 for n in ("cycle_noise", "step_spread", "read_noise"))
    jitter = (0.2, -0.2, 0.1, -0.1)[seed % 4] * ((read == 0.0) - (config.adc is None))
    return 4.0 + 100.0 * noise + 20.0 * spread + 3.0 * math.sin(seed) + jitter


def studied(law: Law, **wishes: float) -> tuple[Document, Known]:
    bench = Known(law, range(4))
    axes = axes_of(BASE, ["cycle_noise", "read_noise", "spread", "adc"])
    return Study(BASE, axes, bench, Wishes(**wishes)).carry_out(lambda line: None), bench  # type: ignore[arg-type]


def test_the_order_is_that_of_the_law_and_idle_figures_tie() -> None:
    found, _ = studied(additive, target=7.0)
    assert [f["name"] for f in found["figures"]][:2] == ["cycle_noise", "spread"]
    by = {f["name"]: f for f in found["figures"]}
    assert by["cycle_noise"]["gain"]["mean"] == pytest.approx(3.7, abs=0.01)
    assert by["spread"]["gain"]["mean"] == pytest.approx(2.0, abs=0.01)
    assert by["cycle_noise"]["rank"] == 1 and by["spread"]["rank"] == 2
    assert by["read_noise"]["rank"] == by["adc"]["rank"] == 3
    assert by["cycle_noise"]["gain_decided"] and not by["read_noise"]["gain_decided"]
    assert [len(by[n]["curve"]) for n in ("cycle_noise", "spread", "read_noise", "adc")] == [5, 5, 2, 2]


def test_the_value_needed_solves_the_law() -> None:
    """As given the mean error is 9.7 and the seeds' own mean; a wanted error of 8 needs the noise down by 1.7/100."""
    shift = sum(3.0 * math.sin(s) for s in range(4)) / 4
    found, _ = studied(additive, target=8.0 + shift)
    by = {f["name"]: f for f in found["figures"]}
    assert by["cycle_noise"]["needed"]["value"] == pytest.approx(0.02, abs=2e-4)
    assert by["spread"]["needed"]["value"] == pytest.approx(0.015, abs=2e-3)
    assert not by["adc"]["needed"]["suffices"] and "does not suffice" in told(by["adc"])
    hard, _ = studied(additive, target=5.0 + shift)
    assert not any(f["needed"]["suffices"] for f in hard["figures"])


def test_figures_together_gain_the_sum_where_the_law_is_a_sum_and_less_where_one_stands_in_for_another() -> None:
    found, _ = studied(additive)
    assert all(case["more_than_sum"]["mean"] == pytest.approx(0.0, abs=0.01) for case in found["together"])
    assert [set(case["values"]) for case in found["together"]] == [{"cycle_noise", "spread"}] * 2
    assert [round(step["gain"]["mean"], 1) for step in found["path"]] == [0.0, 3.7, 5.7, 5.7]

    def either(config: Config, seed: int) -> float:
        noise, spread = (number(device_of(config), n) or 0.0 for n in ("cycle_noise", "step_spread"))
        return (
            4.0 + max(100.0 * noise + 30.0 * spread - 3.7, 0.0) + seed
        )  # without one of them nothing is left of 3 points

    found, _ = studied(either)
    assert found["together"][-1]["more_than_sum"]["mean"] == pytest.approx(-3.0)


def test_other_seeds_confirm_an_order_that_is_one(tmp_path: Path) -> None:
    found, _ = studied(additive, confirm=3)
    told_ = found["confirmation"]
    assert told_["seeds"] == [4, 5, 6] and told_["order"][:2] == ["cycle_noise", "spread"]
    assert ["cycle_noise", "spread"] in told_["decided_pairs"]
    assert told_["pairs_decided_again"] <= told_["pairs_in_the_same_order"] <= len(told_["decided_pairs"])
    lines = "\n".join(page(found))
    assert "rank" in lines and "With 3 seeds that were not used before" in lines and "More than the sum" in lines
    draw_answer(found, tmp_path / "improve.png")
    assert (tmp_path / "improve.png").read_bytes().startswith(b"\x89PNG")


def test_where_nothing_limits_the_page_says_so() -> None:
    found, _ = studied(lambda config, seed: 30.0 + (config.adc is None) + seed)
    lines = "\n".join(page(found))
    assert (
        "No figure limits this run" in lines
        and "No value is asked of a figure" in lines
        and "value needed" not in lines
    )
    found, _ = studied(lambda config, seed: 30.0 + (config.adc is None) + seed, target=25.0)
    assert "value needed" in "\n".join(page(found))


def test_a_study_costs_no_more_runs_than_it_says() -> None:
    bench = Known(additive, range(3))
    study = Study(BASE, axes_of(BASE), bench, Wishes())
    said, most = study.cost(), study.most()
    assert said.startswith("screening: 27 runs of about 3 s, 2 at once: 1 min") and f"at most {most} runs" in said
    study.carry_out(lambda line: None)
    assert len(bench.asked) <= 27 + most


# --- specifications ---


def specification(limit: Limit, figures: Sequence[str], trials: int = 0) -> tuple[Document, Known]:
    bench = Known(additive, range(10))
    return specify(BASE, ladders(BASE, figures), bench, limit, trials, lambda line: None), bench


def test_bisection_finds_the_worst_value_of_the_law() -> None:
    """A loss of 2 points is a noise of 0.02, between two rungs that differ by 19 %; few of the 81 values are run."""
    found, bench = specification(Limit(2.0, is_loss=True), ["cycle_noise", "read_noise"])
    noise, read = found["alone"]
    assert noise["value"] == pytest.approx(0.02, rel=0.02)
    assert noise["value_tried"] <= noise["value"] <= noise["too_bad"] and noise["surely"] <= noise["value"]
    assert read["at_the_end"] and read["too_bad"] is None  # no noise of a read costs anything
    assert len({config for config, _ in bench.asked}) <= 2 * (math.ceil(math.log2(82)) + 6)
    text = specified(found)
    assert "0.02" in text and "the worst that was tried" in text


def test_an_error_is_a_limit_too() -> None:
    shift = sum(3.0 * math.sin(s) for s in range(10)) / 10
    found, _ = specification(Limit(8.0 + shift, is_loss=False), ["cycle_noise"])
    assert found["alone"][0]["value"] == pytest.approx(0.02, rel=0.05)  # beside a spread that costs 2 points
    none, _ = specification(Limit(1.0, is_loss=False), ["cycle_noise"])
    assert not none["alone"][0]["allowed"] and "none: at its best it misses the limit" in specified(none)


def test_a_search_leaves_several_figures_bad_within_the_limit(tmp_path: Path) -> None:
    pytest.importorskip("optuna")
    found, _ = specification(Limit(2.0, is_loss=True), ["cycle_noise", "step_spread"], trials=25)
    together = found["together"]
    loss = 100.0 * together["values"]["cycle_noise"] + 20.0 * together["values"]["step_spread"]
    assert 0.5 < loss <= 2.0 + 1e-6 and together["limited"]["mean"] <= 2.0
    again, _ = specification(Limit(2.0, is_loss=True), ["cycle_noise", "step_spread"], trials=25)
    assert again == found
    draw_specification(found, tmp_path / "specification.png")
    assert "one of many answers" in specified(found)


# --- the command, with runs of a moment ---

QUICK = ["--device", "memristor", "--data", "toy", "--layers", "6", "--epochs", "1", "--preset", "plain", "--workers", "1",
         "--threads", "1"]  # fmt: skip


@pytest.mark.usefixtures("runs_here")
def test_the_command_answers_and_goes_on_with_what_is_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [*QUICK, "--folder", str(tmp_path / "study"), "--axes", "cycle_noise,adc", "--json"]
    assert run_app(app, [*words, "--seeds", "2", "--curves", "1"]) == 0
    first = json.loads(capsys.readouterr().out)
    assert first == json.loads((tmp_path / "study" / "improve.json").read_text())
    assert {f["name"] for f in first["figures"]} == {"cycle_noise", "adc"} and first["config"]["split"] == "holdout"
    given = (
        "--axes cycle_noise,adc --seeds 2 --curves 1 --preset plain --device memristor --data toy --layers 6 --epochs 1"
    )
    assert set(first["command"].split()) == {*"python -m analog_ff improve".split(), *given.split()}
    assert set(first["versions"]) >= {"analog-ff", "model", "numpy"} and "data set toy" in first["inputs_sha256"]
    assert (tmp_path / "study" / "improve.md").read_text().startswith("# memristor: what to improve first")
    with Store(tmp_path / "study" / NAME, read_only=True) as store:
        before = {point.key: point.attempts for point in store.points()}
    assert run_app(app, [*words, "--seeds", "2", "--curves", "1", "--target-error", "20"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert again["target_error_percent"] == 20.0 and again["as_given"] == first["as_given"]
    with Store(tmp_path / "study" / NAME, read_only=True) as store:
        assert {point.key: point.attempts for point in store.points()} == before


def test_a_dry_run_says_the_cost_after_two_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child, "PROGRAM", (sys.executable, "-m", "tests.toy_worker"))  # each run says that it took .5 s
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[3]))
    assert run_app(app, [*QUICK, "--folder", str(tmp_path / "study"), "--dry-run"]) == 0
    said = capsys.readouterr()
    assert "screening: 27 runs of about" in said.err and said.out == ""
    with Store(tmp_path / "study" / NAME, read_only=True) as store:
        assert len(store.points()) == 2
    assert not (tmp_path / "study" / "improve.json").exists()


@pytest.mark.parametrize(
    ("words", "told_"),
    [
        (["--axes", "noise"], "nothing to improve is called 'noise'"),
        (["--loss", "2"], "--loss and --trials belong to --specify"),
        (["--specify", "adc"], "--specify needs a limit"),
        (["--specify", "adc", "--loss", "2", "--target-error", "3"], "one of the two"),
        (["--specify", "adcc", "--loss", "2"], "did you mean 'adc'"),
        (["--target-error", "0"], "for --target-error"),
        (["--seeds", "0"], "--seeds"),
        (["--device", "nandakumar2019_pcm"], "cannot learn in situ"),
    ],
)
def test_a_wrong_wish_ends_with_status_2_and_writes_nothing(
    words: list[str], told_: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_app(app, ["--data", "toy", "--folder", str(tmp_path / "study"), *words]) == 2
    assert told_ in capsys.readouterr().err and not (tmp_path / "study").exists()


def test_a_run_that_fails_is_told_with_its_reason(tmp_path: Path) -> None:
    config = Config(data="toy", device="memristor", layers=(6,), epochs=1, split="holdout", images_per_epoch=10**6)
    with Bench(lambda: Store(tmp_path / NAME), [0], Crew(1, 1), lambda line: None) as bench:
        with pytest.raises(CommandError, match="the run 'many' with seed 0 failed: --images-per-epoch is at most"):
            bench.errors({"many": config})


def test_optuna_is_asked_for_before_anything_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    import builtins

    imported = builtins.__import__

    def without(name: str, *rest: object) -> object:
        if name == "optuna":
            raise ImportError(name)
        return imported(name, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(UsageError, match=r"--trials needs Optuna: pip install 'analog-ff\[search\]'"):
        specification(Limit(2.0, is_loss=True), ["adc"], trials=5)


def test_the_report_of_a_study_shows_every_figure_and_gain(reports: None, tmp_path: Path) -> None:
    """A figure's gain stands in the chart and in the table; a figure with a curve has a chart of its own."""
    found, _ = studied(additive, target=7.0)
    (tmp_path / "improve.json").write_text(json.dumps(found), encoding="utf-8")
    text = kinds.write(tmp_path).read_text(encoding="utf-8")
    for figure in found["figures"]:
        assert text.count(f"{spread(figure['gain'])}") >= 2 and figure["label"] in text
    curves = [f for f in found["figures"] if sum(p["value"] is not None for p in f["curve"]) > 2]
    assert text.count("<svg viewBox") - text.count('aria-hidden="true"') == 1 + len(curves) > 2
