r"""The contract of a device: the base class with all members and their defaults, of which a plug-in writes two.

A device is an immutable set of population parameters. Its state is a separate value, a NamedTuple of float32 arrays
(rows, columns) with a field ``g`` [S], made by `fabricate` for one array on one chip. `pulse` is the one place where
a conductance changes. Everything is in SI units.

Whatever the package asks of a device is a member of `BaseDevice`. A class that has the methods and figures without being
derived from it is adapted where it comes in (`hardware_models.devices.adapted`), so that nobody behind that door need ask.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal

import numpy as np

from hardware_models.check import UsageError, in_range
from hardware_models.devices.drawn import bounds_of, cell_bounds, log_normal, saturating_variance  # noqa: F401  # for plug-ins
from hardware_models.devices.numbers import Said as Said
from hardware_models.devices.numbers import declared as declared
from hardware_models.devices.numbers import si as si
from hardware_models.devices.plug_in import Device as Device
from hardware_models.devices.state import CellState
from hardware_models.devices.windows import Window as Window
from hardware_models.devices.windows import crossings  # noqa: F401  # for plug-ins
from hardware_models.devices.windows import gathered as gathered
from hardware_models.keys import Key
from hardware_models.user_contract import is_users, left_alone

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    from hardware_models.kernels.listed import Kept, Listed, Sums

    # The state that a device's own `fabricate` makes; a bare `BaseDevice` is a device of some state, unknown which.
    Own = TypeVar("Own", bound=CellState, contravariant=True, default=Any)
else:
    from typing import TypeVar

    Own = TypeVar("Own", contravariant=True)

Polarities = Literal["both", "up", "down"]
SIGNS: Mapping[str, tuple[int, ...]] = MappingProxyType({"both": (1, -1), "up": (1,), "down": (-1,)})
"""Polarities of a device -> the signs that its pulses can have."""
FRESH = ("mid", "low", "random", "high")
ACCESS = ("1T1R", "passive")


def origin(kind: type, name: str) -> type | None:
    """Return the class, `kind` or one that it derives from, in which the attribute `name` is defined."""
    return next((parent for parent in kind.__mro__ if name in vars(parent)), None)


@dataclass(frozen=True, kw_only=True)
class BaseDevice(Generic[Own]):
    """Numbers that every device has, and defaults for all but `fabricate` and `pulse`.

    Raises UsageError in one sentence if a number is outside its range.
    """

    # A ClassVar is part of a device's description; what stands without annotation is not.
    timed: ClassVar[bool] = False  # pulse takes the chip's time [s] as keyword, and a read depends on the time
    trainable: ClassVar[bool] = True  # False: written once and verified, not pulsed in situ

    name: str = "device"
    source: str = ""
    g_min: float = si("S", 0.0, 1.0)
    g_max: float = si("S", 0.0, 1.0, low_open=True)
    states: float = si("1", 1.0, 1e9)  # pulses over the range, nominal; the controller's pulse step is range/states
    v_read: float = si("V", 0.0, 20.0, 0.2)
    t_read: float = si("s", 0.0, 1.0, 10e-9)
    v_up: float = si("V", 0.0, 50.0, 0.0)
    t_up: float = si("s", 0.0, 10.0, 0.0)
    v_down: float = si("V", 0.0, 50.0, 0.0)
    t_down: float = si("s", 0.0, 10.0, 0.0)
    read_noise: float = si("1", 0.0, 1.0, 0.0)  # standard deviation of one read in units of g_max - g_min
    read_noise_relative: float = si("1", 0.0, 1.0, 0.0)  # standard deviation of one read in units of g
    read_noise_contains_thermal: bool = False  # True: it was measured with the Johnson noise of a read of t_read in it
    fresh: str = "mid"  # fresh cells: in mid-range, at g_min, at g_max, or uniform over the range
    c_gate: float = si(
        "F", 0.0, 1e-9, 0.0
    )  # of a third terminal that a pulse charges; 0: pulses flow through the channel
    r_access: float = si("ohm", 0.0, 1e9, 0.0)  # of the transistor of a 1T1R cell that is on; 0: none
    access: str = "1T1R"  # "1T1R": a transistor keeps half-selected cells dark; "passive": they see half the voltage
    assumptions: tuple[str, ...] = ()

    polarities: ClassVar[Polarities] = "both"  # "up", "down": pulses of one sign; a pair moves on its other device
    refresh_every = 0.0  # one-sided pairs: writes between two looks at all of them; 0: never by itself
    refresh_share = 0.0  # ... a pair is refreshed when a device has no more than this share of the range left

    def __init_subclass__(cls, **named: object) -> None:
        super().__init_subclass__(**named)
        if "__repr__" not in vars(cls):  # that of a dataclass lists every number, and the sources of all of them
            cls.__repr__ = BaseDevice.__repr__  # type: ignore[method-assign]

    def __repr__(self) -> str:
        pulses = {"both": "", "up": ", pulses upwards only", "down": ", pulses downwards only"}[self.polarities]
        return (
            f"<{type(self).__name__} device '{self.name}': {self.g_min:g} to {self.g_max:g} S in {self.states:g} states"
            f"{pulses}>"
        )

    def __post_init__(self) -> None:
        """Check every declared number against its range."""
        unnamed = self.name == type(self).__dataclass_fields__["name"].default == "device"
        owner = f"device {type(self).__name__ if unnamed else self.name}"
        for name, m in declared(type(self)).items():
            if "unit" in m:
                in_range(owner, name, getattr(self, name), m["low"], m["high"], m["unit"], low_open=m["low_open"])
        if not self.g_min < self.g_max:
            raise UsageError(f"{owner} needs 0 <= g_min < g_max, got g_min={self.g_min:g} S, g_max={self.g_max:g} S.")
        for what, value, known in (("fresh", self.fresh, FRESH), ("access", self.access, ACCESS)):
            if value not in known:
                raise UsageError(f"{owner} needs {what} to be one of {', '.join(known)}, got {value!r}.")

    @property
    def g_range(self) -> float:
        """Width of the nominal conductance range, g_max - g_min [S]."""
        return self.g_max - self.g_min

    def fresh_conductance(self, shape: tuple[int, int], key: Key) -> np.ndarray:
        """Return the conductances of cells never pulsed, (rows, columns) float32 [S]."""
        if self.fresh == "random":
            u = key.child("fresh").generator().random(shape, dtype=np.float32)
            return (self.g_min + self.g_range * u).astype(np.float32)
        share = {"mid": 0.5, "low": 0.0, "high": 1.0}[self.fresh]
        return np.full(shape, self.g_min + share * self.g_range, np.float32)

    def fabricate(self, shape: tuple[int, int], key: Key) -> CellState:
        """Return the fresh cells of one array: a NamedTuple of (rows, columns) arrays with a field g [S]."""
        raise NotImplementedError(f"{type(self).__name__} has no method fabricate.")

    # --- writing ---

    def pulse(self, state: Own, pulses: np.ndarray, key: Key, window: Window | None = None) -> None:
        """Apply int32 pulse counts in place; positive raises g. With a window, pulses has the window's shape.

        That of a `timed` device takes the chip's time [s] as well, as ``time=``.
        """
        raise NotImplementedError(f"{type(self).__name__} has no method pulse.")

    def pulse_at(self, time: float, state: Own, pulses: np.ndarray, key: Key, window: Window | None = None) -> None:
        """Pulse at the chip's `time` [s]; whoever pulses calls this, and the time reaches a `timed` device alone."""
        when = {"time": time} if self.timed else {}
        with self._watched("pulse", pulses=pulses):
            self.pulse(state, pulses, key, window, **when)

    def pulse_some(self, state: Own, where: np.ndarray, pulses: np.ndarray, key: Key) -> None:
        """Pulse the cells at flat positions `where` (k,) int64, each once; the bits of `pulse` with zeros elsewhere.

        A device need not have it; `Crossbar` uses it for bursts on few cells.
        """
        raise NotImplementedError(f"{type(self).__name__} pulses whole arrays only.")

    def pulse_listed(self, state: Own, where: np.ndarray, pulses: np.ndarray, key: Key) -> None:
        """Do `pulse_some`; whoever pulses listed cells calls this."""
        with self._watched("pulse_some", where=where, pulses=pulses):
            self.pulse_some(state, where, pulses, key)

    def pulse_pairs(
        self, state: Own, counts: np.ndarray, parity: int, listed: Listed, kept: Kept, sums: Sums, key: Key
    ) -> None:
        """Pulse the pairs of an array by signed `counts` (rows, columns), and change what is `kept` of its cells accordingly.

        `listed` is filled in, split as by `split_pairs` with `parity`, and `sums` too. A device whose pulses have both signs and
        that `pulses_some` may do all of it in one pass, with the bits of these three.
        """
        from hardware_models.kernels.listed import follow_cells, list_cells

        list_cells(counts, parity, kept.g, listed)
        self.pulse_listed(state, listed.where, listed.pulses, key)
        follow_cells(listed, kept, sums)

    @property
    def is_users(self) -> bool:
        """True if the class is not of this project: it is then watched whether a call changes what it is handed."""
        return is_users(type(self))

    def _watched(self, method: str, **arguments: np.ndarray) -> AbstractContextManager[None]:
        """Return a context in which a class of a user's must leave the arguments alone."""
        who = f"the method {method} of device '{self.name}'"
        return left_alone(who, **arguments) if self.is_users else nullcontext()

    @property
    def pulses_some(self) -> bool:
        """True if `pulse_some` stands for `pulse`: both are of one class, so that neither is older than the other."""
        kind = origin(type(self), "pulse")
        return kind is not BaseDevice and origin(type(self), "pulse_some") is kind

    def renew(self, state: Own, cells: np.ndarray, key: Key) -> None:
        """Give the cells of a mask (rows, columns) one strong pulse to the end where pulses of `polarities` begin.

        A one-sided device needs it for `Crossbar.refresh`. That of a `timed` device takes ``time=`` as well.
        """
        raise UsageError(f"device {self.name} has no renewal.")

    def renew_at(self, time: float, state: Own, cells: np.ndarray, key: Key) -> None:
        """Renew at the chip's `time` [s], which reaches a `timed` device alone."""
        when = {"time": time} if self.timed else {}
        with self._watched("renew", cells=cells):
            self.renew(state, cells, key, **when)

    @property
    def renews(self) -> bool:
        """True if the device has a `renew` of its own."""
        return origin(type(self), "renew") is not BaseDevice

    # --- reading and waiting ---

    def conductance(self, state: Own, time: float) -> np.ndarray:
        """Return the conductances that a read at `time` [s] sees, (rows, columns) [S]."""
        del time
        return state.g

    def read_variance(self, state: Own, time: float) -> np.ndarray | float:
        """Return the variance of white noise in one read [S²]: one number, or one per cell if it depends on the cell.

        sigma² = (read_noise (g_max - g_min))² + (read_noise_relative g)²
        """
        common = (self.read_noise * self.g_range) ** 2
        if self.read_noise_relative == 0.0:
            return common
        return np.float32(common) + (np.float32(self.read_noise_relative) * self.conductance(state, time)) ** 2

    def wait(self, state: Own, seconds: float, key: Key) -> None:
        """Let time pass; a device without drift, leak or telegraph noise stays as it is."""
        del state, seconds, key

    @property
    def leak_time(self) -> float:
        """Time constant [s] with which a cell forgets, 0 if it does not."""
        return 0.0

    @property
    def disturbs(self) -> bool:
        """True if a read changes the cells that it drives, by `disturb`."""
        return False

    def disturb(self, state: Own, reads: np.ndarray, time: float) -> None:
        """Change the cells of word lines that were read `reads` (rows,) times at `time` [s], in place."""
        raise NotImplementedError(f"reads do not disturb the cells of {type(self).__name__}.")

    def pulse_energy(self, up: bool) -> float | None:
        """Return the energy [J] of a pulse up or down of a cell that is not written by a current through it; None: V² G t."""
        del up
        return None

    def without(
        self,
        *,
        read_noise: bool = False,
        write_noise: bool = False,
        spread: bool = False,
        nonlinearity: bool = False,
    ) -> BaseDevice:
        """Return this device with the named imperfections switched off; a model says what belongs to each.

        Without nonlinearity the steps no longer depend on the state, as far as the model allows (`straight`).
        """
        names = self.imperfections()
        off: list[str] = []
        for wanted, group in ((read_noise, "read_noise"), (write_noise, "write_noise"), (spread, "spread")):
            off += names[group] if wanted else []
        values: Mapping[str, Any] = dict.fromkeys(off, 0.0) | (self.straight() if nonlinearity else {})
        if read_noise:
            values = {**values, "read_noise_contains_thermal": False}
        return replace(self, **values)

    def with_read_time(self, seconds: float) -> BaseDevice:
        """Return this device read for another time [s]; its read noise keeps the size that its figures give."""
        return replace(self, t_read=seconds)

    def straight(self) -> dict[str, float]:
        """Return the numbers with which the steps do not depend on the state; none where the model has no such limit."""
        return {}

    def imperfections(self) -> dict[str, list[str]]:
        """Return the names of the numbers that are read noise, write noise and spread; a model adds its own."""
        return {"read_noise": ["read_noise", "read_noise_relative"], "write_noise": [], "spread": []}

    def noise_of_finer_steps(self) -> tuple[str, ...] | None:
        """Return the noises of one pulse in units of the range, which shrink with the step where a pulse is cut into finer ones.

        None where `states` alone does not decide the size of a step, so that no number of steps can be chosen.
        """
        return None

    def describe(self) -> dict[str, object]:
        """Return the numbers of this device as plain values, SI units, for the result file."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in ((n, getattr(self, n)) for n in self.__dataclass_fields__)
        } | {"model": type(self).__name__}
