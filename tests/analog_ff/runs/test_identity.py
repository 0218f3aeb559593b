"""The key of a run: every file that decides its result changes it, at once; what decides nothing does not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analog_ff.config.config import Config
from analog_ff.runs.identity import key
from hardware_models.check import UsageError

DEVICE = """
from dataclasses import dataclass
from hardware_models.devices.soft_bounds import SoftBounds

@dataclass(frozen=True)
class Mine(SoftBounds):
    name: str = "mine"
    def pulse(self, state, pulses, key, window=None):
        return super().pulse(state, pulses, key, window)
"""


def of(**options: Any) -> dict[str, Any]:
    return key("simulate", Config(**{"data": "toy", "layers": (8,), **options}))


def test_the_code_of_a_device_of_ones_own_belongs_to_the_key(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(DEVICE)
    before = of(device=f"{file}:Mine")
    file.write_text(DEVICE.replace("pulses, key, window)", "2 * pulses, key, window)"))
    after = of(device=f"{file}:Mine")
    assert before["inputs"]["device"] == after["inputs"]["device"], "the figures are the same"
    assert before["inputs"]["device code"] != after["inputs"]["device code"]
    assert "device code" not in of(device="memristor")["inputs"]


def test_a_data_file_that_changes_is_read_again(tmp_path: Path) -> None:
    images, labels = np.zeros((20, 4), np.float32), np.arange(20) % 2
    found = []
    for pixel in (0.0, 0.5):
        images[0, 0] = pixel
        np.savez(tmp_path / "mine.npz", x_train=images, y_train=labels, x_test=images, y_test=labels)
        found.append(of(data=str(tmp_path / "mine.npz"))["inputs"]["data"])
    assert found[0] != found[1]


def test_a_table_and_a_program_behind_the_neurons_belong_to_the_key(tmp_path: Path) -> None:
    for file, name in ((tmp_path / "curve.csv", "lookup:{}"), (tmp_path / "box.pl", "process:perl {}")):
        found = []
        for text in ("0,0\n1,1\n", "0,0\n1,2\n"):
            file.write_text(text)
            found.append(of(nonlinearity=name.format(file)))
        assert found[0]["configuration"] == found[1]["configuration"] and found[0] != found[1], name
    assert of(nonlinearity="relu")["inputs"].keys() == of()["inputs"].keys()


def test_places_decide_nothing() -> None:
    config = Config(data="toy", layers=(8,))
    assert key("simulate", replace(config, out="there", data_dir="elsewhere")) == key("simulate", config)


def test_what_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    for options, words in (
        ({"device": "memristr"}, "memristr"),
        ({"data": str(tmp_path / "none.npz")}, "does not exist"),
    ):
        with pytest.raises(UsageError, match=words):
            of(**options)
