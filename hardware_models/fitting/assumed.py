"""Say what a device needs and a measurement did not give: read voltage, read time, access, size and width of the pulses.

Each such figure is an assumption: the fit prints it, the device file holds it as one, and every run of the device names it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

from hardware_models.check import UsageError, shown
from hardware_models.devices.base import ACCESS, BaseDevice
from hardware_models.fitting.pulse_train import PulseTrain
from hardware_models.laboratory.amplitudes import parse_amplitude


@dataclass(frozen=True)
class Stand:
    """A figure of the measurement's conditions, with its unit, its kind and its source."""

    name: str
    value: float | str
    unit: str  # "" for a word
    kind: str  # "measured" or "assumption"
    source: str

    @property
    def said(self) -> str:
        """Return the figure as one line, as the list of a device's assumptions has it."""
        value = self.value if isinstance(self.value, str) else f"{self.value!r} {self.unit}"
        return f"{self.name} = {value}: {self.source}"


@dataclass(frozen=True)
class Given:
    """Conditions that the user states beside the files."""

    access: str = ""  # "1T1R" or "passive"
    pulse_voltage: str = ""  # such as "1.6 V" or "1.6 V,-1.8 V"
    pulse_width: str = ""  # such as "100 ns"

    def __post_init__(self) -> None:
        """Check the texts; raise UsageError for one that is no figure."""
        if self.access not in ("", *ACCESS):
            raise UsageError(f"--access takes one of {', '.join(ACCESS)}, got {shown(self.access)}.")
        self.sizes()

    def sizes(self) -> Mapping[str, tuple[float, float]]:
        """Return the sizes of the up and the down pulse {"v": (V, V), "t": (s, s)} that are given."""
        out: dict[str, tuple[float, float]] = {}
        for what, quantity, option, text in (
            ("v", "voltage", "--pulse-voltage", self.pulse_voltage), ("t", "width", "--pulse-width", self.pulse_width),
        ):  # fmt: skip
            found = parse_amplitude(text, option)
            if text and {q for q, _ in found} != {quantity}:
                raise UsageError(
                    f"{option} takes a {'voltage' if what == 'v' else 'time'} with its unit, got {shown(text)}."
                )
            if found:
                out[what] = tuple(found.get((quantity, sign), found.get((quantity, 0), 0.0)) for sign in (1, -1))  # type: ignore[assignment]
        return out


def stands(train: PulseTrain, given: Given, where: str) -> list[Stand]:
    """Return the conditions of a train, each measured in the files, given by the user, or assumed; `where` names the files."""
    out = []
    default: dict[str, object] = {f.name: f.default for f in fields(BaseDevice)}
    for name, value, unit, title in (
        ("v_read", train.read_voltage, "V", "read voltage"), ("t_read", train.read_time, "s", "read time"),
    ):  # fmt: skip
        if value is not None:
            out.append(Stand(name, value, unit, "measured", f"{where}, {title}"))
        else:
            option = f"--{title.replace(' ', '-')}"
            said = f"the file gives no {title}; say it with {option}"
            out.append(Stand(name, float(str(default[name])), unit, "assumption", said))
    sizes = given.sizes()
    stairs = {"v": "voltage", "t": "width"}
    for what, pair, unit, title in (
        ("v", train.voltage, "V", "pulse voltage"), ("t", train.width, "s", "pulse width"),
    ):  # fmt: skip
        rising = next((said for said in train.staircase if said.startswith(f"the {stairs[what]} ")), "")
        for side, number in (("up", 0), ("down", 1)):
            name = f"{what}_{side}"
            if what in sizes:
                out.append(
                    Stand(name, sizes[what][number], unit, "measured", f"given with --{title.replace(' ', '-')}")
                )
            elif pair is None:
                said = (
                    f"the file gives no {title}, so writes are priced as free; say it with --{title.replace(' ', '-')}"
                )
                out.append(Stand(name, 0.0, unit, "assumption", said))
            elif rising:
                out.append(Stand(name, pair[number], unit, "assumption", rising))
            else:
                out.append(Stand(name, pair[number], unit, "measured", f"{where}, every row"))
    if given.access:
        out.append(Stand("access", given.access, "", "measured", "given with --access"))
    else:
        said = "the file does not say whether a transistor keeps other cells dark; say it with --access 1T1R or passive"
        out.append(Stand("access", str(default["access"]), "", "assumption", said))
    return out


def with_stands(device: BaseDevice, found: list[Stand]) -> BaseDevice:
    """Return the device with the conditions, and the assumed ones before its other assumptions."""
    values = {stand.name: stand.value for stand in found}
    said = tuple(stand.said for stand in found if stand.kind == "assumption")
    return replace(device, **values, assumptions=(*said, *device.assumptions))  # type: ignore[arg-type]  # one type a name
