"""A run's choices, wherever they come from: of their type, in their range, under a known name."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analog_ff import __version__
from analog_ff.config.config import Config
from analog_ff.estimator import ForwardForwardClassifier
from analog_ff.runs.build import port_of
from analog_ff.runs.execute import examine
from analog_ff.simulate import app, run_app
from analog_ff.spiking.config import SpikingConfig
from hardware_models.check import UsageError
from hardware_models.keys import Key


def short(value: object) -> str:
    """Return the name of a case: long inputs would make names that no terminal shows."""
    return f"{value!r:.30}"


def written(folder: Path, old: str, new: str, kind: Any = Config) -> Path:
    """Return a config.toml in which one line was edited."""
    text = kind().to_toml({"numpy": "2.0"})
    assert old in text
    path = folder / "config.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


# --- config.toml ---


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("read_noise = true", 'read_noise = "x"', "true or false for read_noise, got 'x'"),
        ("read_noise = true", 'read_noise = "false"', "true or false for read_noise, got 'false'"),
        ("read_noise = true", "read_noise = 1", "true or false for read_noise, got 1"),
        ("epochs = 40", "epochs = 40.0", "a whole number for epochs, got 40.0"),
        ("epochs = 40", "epochs = true", "a whole number for epochs, got True"),
        ("epochs = 40", f"epochs = {'9' * 5000}", "cannot be read as a run's configuration"),
        ("epochs = 40", f"epochs = {'9' * 4000}", "a whole number for epochs, got 999"),
        ("epochs = 40", "epochs = 0", "--epochs, got 0"),
        ("learning_rate = 0.01", "learning_rate = nan", "a finite number for learning_rate, got nan"),
        ("learning_rate = 0.01", "learning_rate = -1.0", "--learning-rate, got -1"),
        ("layers = [500, 500]", "layers = [500, 2.5]", "a list of whole numbers"),
        ("layers = [500, 500]", "layers = 500", "a list of whole numbers"),
        ("tile = [256, 256]", "tile = [256]", "two whole numbers"),
        ("tile = [256, 256]", "tile = [256, 0]", "--tile"),
        ('device = "memristor"', "device = inf", "for device, got inf"),
        ('update = "accumulate"', "update = 07:32:00", "for update, got datetime.time(7, 32)"),
        ('out = ""', 'out = "a\\u0000b"', "for out, got"),
        ("weight_range = 4.0", "weight_range = 1e-300", "--weight-range, got 1e-300"),
        ("\nseed = 0", "\nsed = 0", "unknown entry 'sed'; did you mean 'seed'"),
        ("schema = 1", "schema = 2", "schema = 1, got 2"),
        ("schema = 1", "", "schema = 1, got None"),
        ("[versions]", "versions = 5\n[version]", "'versions' should be a table"),
        ("learner = ", "# learner = ", "is not the configuration of a run"),
        ("seed = 0", f"seed = {'[' * 5000}", "cannot be read as a run's configuration (RecursionError)"),
    ],
    ids=short,
)
def test_a_run_folders_configuration_is_refused_in_one_sentence(old: str, new: str, words: str, tmp_path: Path) -> None:
    """The sentence names the file."""
    with pytest.raises(UsageError) as caught:
        Config.from_toml(written(tmp_path, old, new))
    sentence = str(caught.value)
    assert words in sentence and "config.toml" in sentence and "\n" not in sentence and len(sentence) < 600


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("online = false", 'online = "no"', "true or false for online, got 'no'"),
        ("step = 1.0", 'step = "1 ms"', "a finite number for step, got '1 ms'"),
        ("\nseed = 0", "\nsed = 0", "unknown entry 'sed'"),
        ("encoder = ", "encoded = ", "is not the configuration of a spiking run"),
    ],
)
def test_a_spiking_runs_configuration_has_the_same_checks(old: str, new: str, words: str, tmp_path: Path) -> None:
    """One base for both."""
    with pytest.raises(UsageError, match=words):
        SpikingConfig.from_toml(written(tmp_path, old, new, SpikingConfig))
    (tmp_path / "config.toml").write_text(Config().to_toml({}), encoding="utf-8")
    with pytest.raises(UsageError, match="is not the configuration of a spiking run"):
        SpikingConfig.from_toml(tmp_path / "config.toml")


@pytest.mark.parametrize(
    ("versions", "said", "never"),
    [
        ({"analog-ff": "0.0.9"}, "version 0.0.9 wrote it, and this version, .* or install version 0.0.9", "put back"),
        ({"analog-ff": __version__}, "an earlier state of version .* or put back what was changed", "install"),
        ({}, "a version that it does not name wrote it, or lines were changed; start the run anew", "install"),
    ],
)
def test_a_configuration_of_another_version_says_so(
    versions: dict[str, str], said: str, never: str, tmp_path: Path
) -> None:
    """Nothing was removed from it, so nothing can be put back: the version that wrote it goes on with it, if it is known."""
    place = tmp_path / "config.toml"
    whole = Config().to_toml(versions)
    for written in (whole.replace("\nseed = 0", ""), whole.replace("\nseed = 0", "\nseed = 0\nold_option = 0")):
        place.write_text(written if versions else written.replace("[versions]", ""))
        with pytest.raises(UsageError) as error:
            Config.from_toml(place)
        if "unknown entry" not in str(error.value) or versions.get("analog-ff") == "0.0.9":
            assert re.search(said, str(error.value)), error.value
        assert never not in str(error.value)


@pytest.mark.parametrize("kind", [Config, SpikingConfig])
def test_a_stored_configuration_is_complete(kind: Any, tmp_path: Path) -> None:
    """A line that is missing is named: today's default need not be the run's."""
    for f in fields(kind):
        whole = kind().to_toml({}).splitlines()
        (tmp_path / "config.toml").write_text("\n".join(line for line in whole if not line.startswith(f"{f.name} = ")))
        if f.metadata.get("later"):  # runs of earlier versions were what its default is
            assert kind.from_toml(tmp_path / "config.toml") == kind()
            continue
        words = "is not the configuration" if f.name in kind.telling else f"lacks the entry {f.name}:"
        with pytest.raises(UsageError, match=words):
            kind.from_toml(tmp_path / "config.toml")
    (tmp_path / "config.toml").write_text('schema = 1\nlayers = [4]\nlearner = "backprop"\nencoder = "poisson"\n')
    with pytest.raises(UsageError, match="unknown entry|lacks the entries .* and [0-9]+ more:"):
        kind.from_toml(tmp_path / "config.toml")


def test_a_wrong_configuration_ends_a_resumed_run_with_status_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is written beside it."""
    written(tmp_path, "read_noise = true", 'read_noise = "x"')
    assert run_app(app, ["--resume", "--out", str(tmp_path)]) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.count("\n") == 1 and "read_noise, got 'x'" in captured.err
    assert [file.name for file in tmp_path.iterdir()] == ["config.toml"]


# --- Python ---


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("read_noise", "false"),
        ("sealed", 1),
        ("adc", 6.5),
        ("adc", 40),
        ("dac", True),
        ("momentum", "0.9"),
        ("momentum", float("nan")),
        ("input_scale", 1e-300),
        ("weight_range", 1e300),
        ("adc_range", 10**400),
        ("tile", "256"),
        ("tile", (256, 2, 3)),
        ("slots", 10**400),
        ("update", ["accumulate"]),
        ("nonlinearity", None),
    ],
    ids=short,
)
def test_settings_of_the_classifier_are_of_their_type(name: str, value: Any) -> None:
    """No text is taken for true, no true for one."""
    fitted = ForwardForwardClassifier(hidden=(4,), settings={name: value})
    with pytest.raises(UsageError, match=name):
        fitted.fit(np.eye(4), [0, 1, 0, 1])


def test_numbers_of_numpy_are_numbers() -> None:
    """They end up as Python's, so that they can be written down; a list of layers is a tuple."""
    config = Config(epochs=np.int64(3), momentum=np.float64(0.5), layers=[np.int32(4)], sealed=np.bool_(True))
    same = Config(epochs=3, momentum=0.5, layers=(4,), sealed=True)
    assert config == same and config.digest() == same.digest() and config.to_toml({}) == same.to_toml({})


@pytest.mark.parametrize("name", ["network", "learner", "update", "slope", "device", "technology", "nonlinearity"])
def test_a_name_of_300_characters_gets_a_short_sentence(name: str) -> None:
    """Whichever table it is looked up in."""
    with pytest.raises(UsageError) as caught:
        examine(Config(**{"data": "toy", "layers": (4,), "shift": 0, name: "\x1b[31m" + "a" * 300}))
    assert "\x1b" not in str(caught.value) and "a" * 100 not in str(caught.value)


# --- the command line ---


@pytest.mark.parametrize(
    "options",
    [
        ("--weight-range", "1e-300"),
        ("--input-scale", "1e-300"),
        ("--input-scale", "inf"),
        ("--epochs", "9" * 5000),
        ("--layers", "9" * 5000),
        ("--tile", "9" * 5000),
        ("--adc", "9" * 4000),
        ("--regions", "[red]"),
        ("--learner", "[red]" * 60),
        ("--data", "\x1b[31m.npz"),
    ],
    ids=short,
)
def test_the_command_line_refuses_in_one_short_line(
    options: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Status 2, nothing on standard output, no escape sequence on the terminal, nothing written."""
    arguments = {"--data": "toy", "--layers": "4", "--shift": "0", "--out": str(tmp_path / "run")} | dict([options])
    assert run_app(app, [part for pair in arguments.items() for part in pair]) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.count("\n") == 1 and len(captured.err) < 1700
    assert "\x1b" not in captured.err and not list(tmp_path.iterdir())


def test_the_ends_of_the_scales_can_be_run() -> None:
    """What is accepted makes a chip: reads are finite, and weights in units of their limit are those of any other scale."""
    wanted = np.linspace(-0.5, 0.5, 64 * 4, dtype=np.float32).reshape(64, 4)
    reached = {}
    for name in ("weight_range", "input_scale", "adc_range"):
        for value in (1e-6, 1e6):
            config = Config(**{"data": "toy", "layers": (4,), "shift": 0, name: value})
            examine(config)
            port, limit = port_of(config, [(64, 4)]), config.weight_range / np.sqrt(64)
            port.program(0, wanted * np.float32(limit), key=Key(0, "program"))
            assert np.isfinite(port.read(0, np.full((1, 64), 0.5, np.float32), key=Key(0, "test"))[0]).all(), (
                name,
                value,
            )
            reached[name, value] = port.oracle.weights(0) / limit
    assert np.abs(next(iter(reached.values()))).max() > 0.1
    for other in reached.values():
        np.testing.assert_allclose(other, reached["adc_range", 1e6], atol=1e-5)


def test_an_option_that_came_later_leaves_the_digest_of_a_run_as_it_was() -> None:
    """A checkpoint of before is resumed and loaded; away from its default the option counts."""
    later = {f.name for f in fields(Config) if f.metadata.get("later")}
    assert {"label_column", "conductances"} <= later
    of_before = {k: v for k, v in Config().as_dict().items() if k not in {*Config.not_in_hash, *later}}
    digest = hashlib.sha256(json.dumps(of_before, sort_keys=True).encode()).hexdigest()[:16]
    assert Config().digest() == digest != Config(label_column="y").digest()
