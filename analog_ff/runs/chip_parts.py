"""The parts of a run's chip around its cells: wires, limits and noise of the lines, faults of the converters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from analog_ff.config.array_parts import ADC_FAULTS, DAC_FAULTS
from analog_ff.config.config import Config
from analog_ff.config.parts import ChipChoices
from analog_ff.config.together import settings
from analog_ff.plain import Document, Facts
from hardware_models.check import UsageError
from hardware_models.devices.base import BaseDevice
from hardware_models.energy import load_technology
from hardware_models.keys import Key
from hardware_models.nonlinearities.base import load_nonlinearity
from hardware_models.wires import Interconnect

if TYPE_CHECKING:
    from hardware_models.chip.between import Between
    from hardware_models.chip.foreign_port import ForeignPort
    from hardware_models.crossbar.line_noise import LineNoise
    from hardware_models.port import ChipPort


def line_noise_of(config: Config) -> LineNoise:
    """Return the noise of the lines of a run's chip, which leaves out what the read noise of its device contains."""
    from hardware_models.crossbar.line_noise import LineNoise  # its package brings the compiled loops with it

    return LineNoise(johnson=config.johnson_noise, fano=config.shot_noise, temperature=config.chip_temperature)


def converter_faults_of(config: Config) -> Document:
    """Return the faults of a run's converters as `Chip` takes them; empty if there are none."""
    of_adc = {to: getattr(config, name) for name, to in ADC_FAULTS.items() if getattr(config, name)}
    of_dac = {to: getattr(config, name) for name, to in DAC_FAULTS.items() if getattr(config, name)}
    if not (of_adc or of_dac):
        return {}
    from hardware_models.converters.faults import AdcFaults, DacFaults  # brings the compiled loops with it

    return {"adc_faults": AdcFaults(**of_adc), "dac_faults": DacFaults(**of_dac)}


def interconnect_of(config: ChipChoices) -> Interconnect:
    """Return the wires of a run's tiles: of its own resistance, or of that of its technology."""
    resistance = config.wire_resistance
    if resistance is None:
        figure = load_technology(config.technology).line_resistance
        if figure is None:
            raise UsageError(
                f"technology '{config.technology}' has no figure line.resistance: give --wire-resistance [Ohm] beside --wires."
            )
        resistance = figure.at("nominal")
    return Interconnect(
        resistance,
        resistance,
        mode="exact" if config.wires == "test" else config.wires,
        tolerance=config.wire_tolerance,
    )


def line_limit_of(config: ChipChoices) -> float:
    """Return the current that a line of a run's technology bears [A]."""
    technology = load_technology(config.technology)
    if technology.line_current is None:
        raise UsageError(
            f"technology '{technology.name}' gives no current limit of a line (line.current_limit), from which groups follow: "
            "give --line-groups off, or another --technology."
        )
    return technology.line_current.at("nominal")


def _inside(config: Config) -> bool:
    """Tell whether the nonlinearity of a run is that of its neurons, as in every network but a stack."""
    return bool(settings(config, "network").get("box_place", "inside") == "inside")


def boxes_of(config: Config, port: ChipPort) -> list[Between]:
    """Return the boxes between the layers of a run's chip, of which they are a part: none where the box is inside its layers."""
    if _inside(config):
        return []
    from hardware_models.chip.between import Between  # its package brings the compiled loops with it

    kind = load_nonlinearity(config.nonlinearity, config.box_strength, known="linear")
    key, sealed = Key(config.chip_seed, "chip"), config.sealed or config.port != "local"
    return [
        Between(kind, below[1], above, key.child("between", layer), sealed=sealed)
        for layer, (below, above) in enumerate(zip(port.shapes, port.datasheet[1:], strict=False))
    ]


def box_of(config: Config) -> str:
    """Return, for a description, the name of a run's nonlinearity with its strength and place away from the defaults."""
    return box_named({**config.as_dict(), "box_place": "inside" if _inside(config) else "between"})


def box_named(choices: Facts) -> str:
    """Return the same from the choices of a stored result, which may be of a version without boxes between layers."""
    strength = choices.get("box_strength", 1.0)
    said = "" if strength == 1.0 else f", strength {strength:g}"
    between = choices.get("box_place", "inside") == "between"
    return str(choices["nonlinearity"]) + said + (", between layers of rectifiers" if between else "")


def chip_options(config: Config) -> Document:
    """Return the choices of a chip that its constructor takes as they are."""
    inside = _inside(config)
    return {
        "chip_seed": config.chip_seed,
        "nonlinearity": config.nonlinearity if inside else "relu",
        "strength": config.box_strength if inside else 1.0,
        "dac": config.dac,
        "adc": config.adc,
        "tile": config.tile,
        "weight_range": config.weight_range,
        "input_scale": config.input_scale,
        "adc_range": config.adc_range,
        "partial_sums": config.partial_sums,
        "pairs": config.pairs,
        "answer_within": config.answer_within,
    }


def foreign_port_of(config: Config, device: BaseDevice, shapes: Sequence[tuple[int, int]]) -> ForeignPort:
    """Return the chip from outside of a run, which is told the choices that it may heed; `device` is what prices it."""
    from hardware_models.chip.foreign_port import ForeignPort

    told = ("chip_seed", "dac", "adc", "weight_range", "input_scale", "adc_range")
    wishes = {name: getattr(config, name) for name in told}
    return ForeignPort(config.port, device, shapes, answer_within=config.answer_within, wishes=wishes)
