"""Options of a spiking run that would do nothing are refused: every option with every kind, computed from the tables."""

from __future__ import annotations

import itertools
from dataclasses import Field, fields
from typing import Any

import pytest

from analog_ff.config.together import owners, tables
from analog_ff.registry.options import flag
from analog_ff.spiking.config import SpikingConfig
from analog_ff.spiking.cortex.base import Point
from analog_ff.spiking.model import GOODNESS
from analog_ff.spiking.parts import GOODNESS as ROWS
from hardware_models.check import UsageError

OPTIONS = {f.name: f for f in fields(SpikingConfig)}
KINDS = [(choosing, name) for choosing, rows in tables(SpikingConfig).items() for name in rows]
OWNED = owners(SpikingConfig)
BESIDE = {name: f.metadata["beside"] for name, f in OPTIONS.items() if f.metadata["beside"]}


def other(f: Field[Any]) -> Any:
    """Return a value of an option that is not its default and that a run without anything else takes."""
    special = {"layers": (3, 2), "chip": "table", "technology": "cmos-7nm", "data": "toy", "data_dir": "x", "out": "x",
               "device": "memristor", "delay": 2.0, "step": 0.5, "delay_spread": 1.0}  # fmt: skip
    if f.name in special:
        return special[f.name]
    if isinstance(f.default, bool):
        return not f.default
    said = f.metadata
    if names := said["table"] or said["choices"]:
        return next(name for name in names if name != f.default)
    whole = str(f.type).startswith("int")
    near = [said["low"] + (1 if whole else 2.0), said["low"] + (2 if whole else 3.0)]
    return next(one for one in near if one != f.default and one <= said["high"]) if whole or said["high"] > 1 else 0.5


@pytest.mark.parametrize(("choosing", "kind"), KINDS)
def test_every_option_with_every_kind(choosing: str, kind: str) -> None:
    """Taken where a chosen kind reads it or nobody owns it, with what must stand beside it; refused by its flag elsewhere."""
    for name in OPTIONS.keys() - tables(SpikingConfig):
        check(choosing, kind, name)


def check(choosing: str, kind: str, name: str) -> None:
    partner = BESIDE.get(name)
    chosen = {choosing: kind, name: other(OPTIONS[name])} | ({partner: other(OPTIONS[partner])} if partner else {})
    readers = {(option, one) for option, names in OWNED.get(name, {}).items() for one in names}
    at = {(option, chosen.get(option, OPTIONS[option].default)) for option in tables(SpikingConfig)}
    if readers and not readers & at:
        with pytest.raises(UsageError, match=f"{flag(name)} belongs to .*: leave {flag(name)} out"):
            SpikingConfig(**chosen)
    else:
        try:
            config = SpikingConfig(**chosen)
        except UsageError as error:  # two kinds that do not go together say so by their own names
            assert "belongs to synapses that are numbers" in str(error) or "--online needs" in str(error)
            return
        assert getattr(config, name) == chosen[name]


@pytest.mark.parametrize("name", BESIDE)
def test_an_option_that_needs_another_beside_it(name: str) -> None:
    with pytest.raises(UsageError, match=f"{flag(name)} needs {flag(BESIDE[name])} beside it"):
        SpikingConfig(**{name: other(OPTIONS[name])})


def test_what_auto_stands_for_is_no_option_given() -> None:
    """A stored configuration says `exact`: it reads back, and can be changed."""
    plain = SpikingConfig()
    assert plain.chip == "exact" and SpikingConfig(**plain.as_dict() | {"layers": plain.layers}) == plain
    assert SpikingConfig(device="memristor").chip == "table"


def test_the_rows_are_those_of_the_equations() -> None:
    assert set(ROWS) == set(GOODNESS)
    assert {name for names in OWNED.values() for one in names.values() for name in one} <= {kind for _, kind in KINDS}
    assert all(name in OPTIONS for name in itertools.chain(OWNED, BESIDE.values()))


def test_a_cortex_point_leaves_out_what_its_kinds_do_not_read() -> None:
    """r_s of the base's saturating goodness means nothing to the point with a linear one."""
    base = SpikingConfig(goodness="saturating", saturation=2.0, pool_gain=0.3)
    linear = Point("linear", {"goodness": "linear", "pool": "none"}).configuration(base, 1)
    assert (
        linear.saturation == SpikingConfig.saturation
        and linear.pool_gain == SpikingConfig.pool_gain
        and linear.seed == 1
    )
    assert Point("same").configuration(base, 1).saturation == 2.0
