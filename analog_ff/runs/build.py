"""From a configuration to its parts: data, wiring, chip behind its port, learner."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from analog_ff.datasets import load
from analog_ff.datasets.base import first_windows
from analog_ff.datasets.preprocess import binarised, cropped
from analog_ff.learners import LEARNERS, STREAMING
from analog_ff.learners.local import ArrayLearner, LocalLearner
from analog_ff.network import NETWORKS
from analog_ff.network.base import Frame, Wiring
from analog_ff.objective.goodness import LayerGoodness
from analog_ff.objective.negatives import load_negatives
from analog_ff.objective.schedule import SCHEDULES
from analog_ff.runs.batches import Batches
from analog_ff.runs.compatible import AVERAGES, check_read_noise
from analog_ff.runs.config import Config
from analog_ff.runs.options import flag
from hardware_models.check import UsageError
from hardware_models.devices.ageing import aged
from hardware_models.devices.load import load_device
from hardware_models.tables import lookup
from hardware_models.user_faults import guarded

VERIFY_ROUNDS = 20
"""Most corrections of a verified write; a device whose model is written and verified already needs none."""


def data_of(config: Config) -> Any:
    """Return the data set of a run."""
    dataset = load(config.data, data_dir=config.data_dir, split=config.split)
    if config.crop is not None:
        dataset = cropped(dataset, config.crop)
    if config.binarise is not None:
        dataset = binarised(dataset, config.binarise)
    if config.images_per_epoch is not None and config.images_per_epoch > len(dataset.x_train):
        raise UsageError(
            f"--images-per-epoch is at most the {len(dataset.x_train)} training images of {dataset.name}, got "
            f"{config.images_per_epoch}."
        )
    if config.shift and dataset.x_train.shape[1] % ((dataset.height or 1) * (dataset.width or 1)):
        raise UsageError("--shift needs images of known height and width; give --shift 0.")
    return dataset


def negatives_of(config: Config, data: Any) -> Any:
    """Return the maker of negatives of a run, or None for a learner that needs none."""
    if config.learner != "forward-forward":
        return None
    pixels = data.x_train.shape[1]
    shape = (data.height, data.width) if data.height and data.width else None
    starts, steps = first_windows(data)
    known = {"classes": len(data.classes), "starts": starts, "steps": steps}
    negatives = load_negatives(
        config.negatives, pixels, shape, blurs=config.blurs, rollout_every=config.rollout_every, **known
    )
    least = negatives.least
    if min(config.batch, config.images_per_epoch or least, len(data.x_train)) < least:
        raise UsageError(
            f"negatives '{config.negatives}' are made of several images of a batch: give --batch {least} or more, and as "
            "many images an epoch."
        )
    return negatives


def frame_of(config: Config, data: Any, negatives: Any) -> Frame:
    """Return what the network of a run is made for; labels stand where the network and the data have room for them."""
    kind = lookup("network", config.network, NETWORKS)
    place = kind.labelled_place
    if place == "pixels":
        place = data.label_place
    labelled = lookup("learner", config.learner, LEARNERS).labelled if negatives is None else negatives.labelled
    if not labelled:
        place = "none"
    return Frame(data.x_train.shape[1], data.height or 1, data.width or 1, len(data.classes), place)


def wiring_of(config: Config, frame: Frame) -> Wiring:
    """Return what the network of a run asks of its chip."""
    kind = lookup("network", config.network, NETWORKS)
    layers = config.layers + ((frame.classes,) if config.learner == "backprop-sigmoid" else ())
    wiring: Wiring = kind.plan(frame, layers, **{name: getattr(config, name) for name in kind.choices})
    if config.regions == "positions" and not wiring.positions:
        raise UsageError(
            f"--regions positions belongs to --network local or convolution, not to '{config.network}'; give a number."
        )
    return wiring._replace(options={**wiring.options, "label_place": frame.label_place})


@guarded(UsageError)
def device_of(config: Config, *, written_once: bool = False) -> Any:
    """Return the device of a run's cells, with what is switched off; one that learns needs a device that can.

    Wear and retention of the command line belong to the chip that is run; one that is written once (`program_to`) has those of
    its own parameter file.
    """
    device: Any = load_device(str(config.program_to) if written_once else config.device)
    switches = {"read_noise": config.read_noise, "write_noise": config.write_noise, "spread": config.device_spread,
                "nonlinearity": config.step_nonlinearity}  # fmt: skip
    if not all(switches.values()):
        device = device.without(**{name: not on for name, on in switches.items()})
    in_situ = lookup("learner", config.learner, LEARNERS).in_situ
    if not written_once and in_situ and not device.trainable:
        raise UsageError(
            f"device '{config.device}' is written once and verified, it cannot learn in situ; "
            f"train another and write it: --device ideal --program-to {config.device}."
        )
    if config.ageing() and not written_once:
        device = aged(device, config.ageing(), ", ".join(flag(name) for name in config.ageing()))
    return device


@guarded(UsageError)
def port_of(config: Config, shapes: Sequence[tuple[int, int]], *, written_once: bool = False) -> Any:
    """Return the chip of a run, or its chips, in this process or not.

    `shapes` are (inputs, neurons) of its layers, see `wiring_of`.
    """
    device = device_of(config, written_once=written_once)
    check_read_noise(config, device)
    options: dict[str, Any] = {
        "chip_seed": config.chip_seed,
        "nonlinearity": config.nonlinearity,
        "dac": config.dac,
        "adc": config.adc,
        "tile": config.tile,
        "weight_range": config.weight_range,
        "input_scale": config.input_scale,
        "adc_range": config.adc_range,
        "partial_sums": config.partial_sums,
    }
    if config.faults():
        options["faults"] = config.faults()
    kind: Any
    if config.port == "process":
        from hardware_models.process_port import ProcessPort

        kind = ProcessPort
    else:
        from hardware_models.chip import Chip

        kind, options["sealed"] = Chip, config.sealed
    if config.chips == "per-layer":
        from hardware_models.joined_port import a_chip_a_layer

        return a_chip_a_layer(kind, device, shapes, **options)
    return kind(device, shapes, **options)


def network_of(config: Config, port: Any, wiring: Wiring) -> Any:
    """Return the wiring of a run's chip, its layers' goodness included."""
    kind = lookup("network", config.network, NETWORKS)
    number = config.regions
    every = wiring.positions if isinstance(number, str) else (number,) * len(wiring.units)
    # Without a goodness of its own a layer takes the unsquared sum, whose slope is that of the neurons alone.
    name = "sum" if config.learner == "dimensionality" else config.goodness
    goodness = [
        LayerGoodness(name, units, regions=regions, theta_factor=config.theta, temperature=config.temperature)
        for units, regions in zip(wiring.units, every, strict=True)
    ]
    return kind(port, goodness, **wiring.options)


def learner_of(config: Config, port: Any, classes: int, wiring: Wiring, negatives: Any) -> Any:
    """Return the learner of a run on its port."""
    kind = lookup("learner", config.learner, LEARNERS)
    if config.schedule == "pipelined":
        if config.learner not in STREAMING:
            raise UsageError(
                f"learner {config.learner} takes no stream of frames: choose --learner {', '.join(STREAMING)}, or another "
                "--schedule."
            )
        kind = lookup("learner", config.learner, STREAMING)
    options: dict[str, Any] = {
        "classes": classes,
        "seed": config.seed,
        "readout_layers": config.readout_layers,
        "label_strength": config.label_strength,
        "readout_rate": config.readout_rate,
        "readout_decay": config.readout_decay,
        "skip_silent": config.skip_silent,
    }
    if issubclass(kind, ArrayLearner):
        scheme: dict[str, Any] = {"slots": config.slots}
        if config.update in AVERAGES:
            scheme = {"momentum": config.momentum, "rounding": config.rounding, "write_every": config.write_every}
        options |= {
            "learning_rate": config.learning_rate,
            "update": config.update,
            "update_options": scheme,
        }
    if issubclass(kind, LocalLearner):
        options |= {
            "peer": config.peer,
            "slope": config.slope,
            "slope_options": {name: getattr(config, name) for name in ("dither", "perturbation", "perturbations")},
            "dropout": config.dropout,
            "weight_decay": config.weight_decay,
            "decay_every": config.decay_every,
        }
    if negatives is not None:
        options["negatives"] = negatives
        options |= {name: getattr(config, name) for name in ("gate", "drive_bits", "drive_rounding")}
    if config.learner == "dimensionality":
        options |= {
            "copies": config.copies,
            "copies_from": config.copies_from,
            "copy_dropout": config.copy_dropout,
            "projection": config.projection,
        }
    options |= {name: getattr(config, name) for name in kind.choices}
    if options.get("verify_rounds", 0) is None:
        options["verify_rounds"] = VERIFY_ROUNDS if load_device(config.device).trainable else 0
    learner = kind(network_of(config, port, wiring), **options)
    if config.readout not in learner.readouts:
        raise UsageError(
            f"a network that is shown no labels has no goodness of a label: choose --readout {learner.readouts[0]}."
        )
    return learner


def batches_of(config: Config, images: int, learner: Any) -> Batches:
    """Return how an epoch over so many training images is cut into batches for a learner."""
    return Batches(images, config.batch, shown=config.images_per_epoch, least=learner.least)


def schedule_of(config: Config, batches: Batches) -> Any:
    """Return the schedule of a run over these batches."""
    kind = lookup("schedule", config.schedule, SCHEDULES)
    options = {"block": config.block, "sleep": config.sleep} if config.schedule == "wake-sleep" else {}
    return kind(config.epochs, batches.number, len(config.layers), **options)
