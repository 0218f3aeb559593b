"""The option --figure: read, kept in one form, applied where a run builds its device, and told in the result."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from analog_ff.config.config import Config
from analog_ff.config.reading import read
from analog_ff.runs.build import device_of
from analog_ff.simulate import app, run_app
from hardware_models.check import UsageError
from hardware_models.devices.single_figures import number


def test_figures_have_one_form_whatever_their_order_and_spaces() -> None:
    one = Config(figures=("states=64", "g_max = 20uS"))
    assert one.figures == ("g_max=20.0 uS", "states=64.0")
    assert Config(figures=("g_max=2e1 uS", "states=64.")) == one
    assert read(Config, "figures", "states=64,g_max=20 uS") == ("figures", ("states=64.0", "g_max=20.0 uS"))
    assert one.digest() != Config().digest()


def test_the_device_of_a_run_has_the_figures_and_other_choices_hold_for_it() -> None:
    device = device_of(Config(device="memristor", figures=("cycle_noise=1 %", "step_spread=0"), read_noise=False))
    assert [number(device, n) for n in ("cycle_noise", "step_spread", "read_noise")] == [0.01, 0.0, 0.0]
    assert "cycle_noise=1.0 %: set by --figure" in device.assumptions


def test_a_config_file_keeps_them(tmp_path: Path) -> None:
    config = Config(figures=("states=64", "g_max=20 uS"))
    (tmp_path / "config.toml").write_text(config.to_toml({}), encoding="utf-8")
    assert Config.from_toml(tmp_path / "config.toml") == config


def test_a_run_with_figures_tells_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [
        "--data",
        "toy",
        "--layers",
        "6",
        "--epochs",
        "1",
        "--json",
        "--preset",
        "plain",
        "--out",
        str(tmp_path / "run"),
    ]
    assert run_app(app, [*words, "--figure", "cycle_noise=0.5 %", "--figure", "steps=256"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["config"]["figures"] == ["cycle_noise=0.5 %", "steps=256.0"]
    assert result["device"]["states"] == 256.0
    assert {"cycle_noise=0.5 %: set by --figure", "steps=256.0: set by --figure"} <= set(
        result["device"]["assumptions"]
    )


@pytest.mark.parametrize(
    ("figure", "told"), [("nose=1", "no figure 'nose'"), ("states", "--figure: a figure reads NAME=VALUE")]
)
def test_a_wrong_figure_ends_with_status_2_and_writes_nothing(
    figure: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    assert run_app(app, ["--data", "toy", "--figure", figure, "--out", str(out)]) == 2
    assert told in capsys.readouterr().err and not out.exists()


def test_figures_that_are_no_texts_are_refused() -> None:
    with pytest.raises(UsageError, match="a list of texts"):
        Config(figures=(3,))  # type: ignore[arg-type]


def test_a_figure_of_nothing_and_one_that_differs_on_resuming(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Messages have the name of the option and its values as the command line takes them."""
    assert run_app(app, ["--data", "toy", "--figure", "", "--out", str(tmp_path / "none")]) == 2
    assert "--figure takes a value each time" in capsys.readouterr().err and not (tmp_path / "none").exists()
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.toml").write_text(Config(data="toy", figures=("states=64",)).to_toml({}))
    assert run_app(app, ["--resume", "--figure", "states=32", "--out", str(tmp_path / "run")]) == 2
    assert "was begun with --figure states=64.0, not states=32.0." in capsys.readouterr().err
