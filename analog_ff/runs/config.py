"""The configuration of one run: every choice, checked before anything is written, and its file ``config.toml``."""

from __future__ import annotations

import hashlib
import json
import tomllib
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from hardware_models.check import UsageError, in_range, positive_int
from hardware_models.tables import closest

# Chosen in holdout runs on mnist-5k (benchmarks/experiments); a device without a line of its own uses "default".
RECIPES: dict[str, dict[str, Any]] = {
    "default": {"learning_rate": 0.01, "label_strength": 4.0, "input_scale": 12.0},
    "ideal": {"learning_rate": 0.02, "label_strength": 4.0, "input_scale": 12.0},
}
SPLITS = ("final", "holdout")
FAULTS = ("stuck_low", "stuck_high", "dead_rows", "dead_columns")
NOT_IN_HASH = ("data_dir", "out")
"""What may differ between a run and its resumption: places, not physics."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """All choices of a run; raises UsageError in one sentence at construction."""

    device: str = "memristor"
    learner: str = "forward-forward"
    update: str = "accumulate"
    goodness: str = "sum-of-squares"
    negatives: str = "hard"
    readout: str = "softmax"
    readout_layers: str = "all"
    nonlinearity: str = "relu"
    sealed: bool = False
    port: str = "local"
    data: str = "mnist-5k"
    data_dir: str | None = None
    split: str = "final"
    shift: int = 1
    layers: tuple[int, ...] = (500, 500)
    epochs: int = 40
    batch: int = 100
    learning_rate: float = 0.01
    momentum: float = 0.98
    rounding: str = "stochastic"
    slots: int = 10
    theta: float | None = None
    temperature: float = 1.0
    peer: float = 0.03
    label_strength: float = 4.0
    readout_rate: float = 0.1
    readout_decay: float = 0.003
    weight_range: float = 4.0
    input_scale: float = 12.0
    adc_range: float = 8.0
    dac: int | None = 8
    adc: int | None = 8
    tile: tuple[int, int] = (256, 256)
    partial_sums: str = "digital"
    read_noise: bool = True
    write_noise: bool = True
    device_spread: bool = True
    step_nonlinearity: bool = True
    stuck_low: float = 0.0
    stuck_high: float = 0.0
    dead_rows: float = 0.0
    dead_columns: float = 0.0
    fault_map: str | None = None
    program_to: str | None = None
    technology: str = "cmos-32nm"
    seed: int = 0
    chip_seed: int = 0
    out: str = ""

    def __post_init__(self) -> None:
        """Check every choice that can be checked without the data and the chip."""
        for width in self.layers:
            positive_int("--layers", "every layer", width, 1, 100_000)
        if not self.layers:
            raise UsageError("--layers needs at least one layer, such as 500,500.")
        positive_int("a run", "--epochs", self.epochs, 1, 100_000)
        positive_int("a run", "--batch", self.batch, 1, 1_000_000)
        positive_int("a run", "--slots", self.slots, 1, 1000)
        positive_int("a run", "--shift", self.shift, 0, 8)
        for name in ("seed", "chip_seed"):
            positive_int("a run", f"--{name.replace('_', '-')}", getattr(self, name), 0, 2**63 - 1)
        in_range("a run", "--learning-rate", self.learning_rate, 0.0, 100.0)
        in_range("a run", "--momentum", self.momentum, 0.0, 0.9999)
        for name, low, high in (("readout_rate", 0.0, 100.0), ("readout_decay", 0.0, 1.0)):
            in_range("a run", f"--{name.replace('_', '-')}", getattr(self, name), low, high)
        for name in FAULTS:
            in_range("a run", f"--{name.replace('_', '-')}", getattr(self, name), 0.0, 1.0)
        if self.fault_map is not None and not Path(self.fault_map).expanduser().is_file():
            raise UsageError(f"--fault-map {self.fault_map} does not exist.")
        for name, known in (("split", SPLITS), ("port", ("local", "process")), ("readout", ("energy", "softmax"))):
            value = getattr(self, name)
            if value not in known:
                raise UsageError(f"--{name} is one of {', '.join(known)}, got '{value}'{closest(value, known)}.")
        if self.learner == "random-features" and self.readout == "energy":
            raise UsageError("frozen random layers have no goodness to read: choose --readout softmax.")

        if self.program_to is not None and (self.sealed or self.port != "local"):
            raise UsageError("--program-to reads the trained weights off the chip, which a sealed chip does not allow.")

    def faults(self) -> dict[str, Any]:
        """Return the faults of the chip as `Chip` takes them; empty if there are none."""
        rates: dict[str, Any] = {name: getattr(self, name) for name in FAULTS if getattr(self, name)}
        return rates | ({"map": str(Path(self.fault_map).expanduser())} if self.fault_map else {})

    def folder(self) -> Path:
        """Return the run folder, named after the choices if none was given."""
        name = f"{Path(self.data).stem}-{Path(self.device.split(':')[0]).stem}-{self.learner}"
        return Path(self.out) if self.out else Path("runs") / f"{name}-s{self.seed}-c{self.chip_seed}"

    def as_dict(self) -> dict[str, Any]:
        """Return the choices as plain values."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}

    def digest(self) -> str:
        """Return a hash of everything that decides the result."""
        kept = {k: v for k, v in self.as_dict().items() if k not in NOT_IN_HASH}
        return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()[:16]

    def to_toml(self, versions: dict[str, str]) -> str:
        """Return config.toml: everything needed to repeat the run. An entry that is off is written as "none"."""
        lines = ["schema = 1", ""]
        lines += [f"{k} = {_toml('none' if v is None else v)}" for k, v in self.as_dict().items()]
        lines += ["", "[versions]", *(f'"{k}" = {_toml(v)}' for k, v in versions.items())]
        return "\n".join(lines) + "\n"

    @classmethod
    def from_toml(cls, path: Path) -> Config:
        """Read a run folder's config.toml."""
        try:
            table = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise UsageError(f"{path} cannot be read as a run's configuration: {error}.") from None
        known = {f.name for f in fields(cls)}
        values: dict[str, Any] = {k: None if v == "none" else v for k, v in table.items() if k in known}
        for name in ("layers", "tile"):
            if name in values:
                values[name] = tuple(values[name])
        return cls(**values)


def _toml(value: Any) -> str:
    """Return a value in TOML; JSON's strings, numbers and lists are TOML's, but for two things.

    TOML knows no escaped surrogate pairs, so letters stand as they are, and no bare DEL.
    """
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def parse_layers(text: str) -> tuple[int, ...]:
    """Return the widths that ``500,500`` names."""
    try:
        return tuple(int(part) for part in text.split(",") if part.strip() or "," in text)
    except ValueError:
        raise UsageError(f"--layers takes whole numbers separated by commas, such as 500,500, got '{text}'.") from None


def parse_bits(option: str, text: str) -> int | None:
    """Return the bits that ``8`` names, or None for ``none``."""
    if text.lower() == "none":
        return None
    try:
        return int(text)
    except ValueError:
        raise UsageError(f"{option} takes a number of bits or 'none', got '{text}'.") from None


def parse_tile(text: str) -> tuple[int, int]:
    """Return (rows, columns) of ``256x256`` or ``256``."""
    parts = text.lower().split("x")
    try:
        numbers = [int(p) for p in parts]
    except ValueError:
        numbers = []
    if len(numbers) not in (1, 2):
        raise UsageError(f"--tile takes rows x columns in cells, such as 256x256, got '{text}'.")
    return numbers[0], numbers[-1]
