"""From a configuration to its parts: data, wiring, chip behind its port, learner."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from analog_ff.config.config import Config
from analog_ff.config.parts import DataChoices, LearningChoices
from analog_ff.config.together import settings
from analog_ff.datasets import load
from analog_ff.datasets.base import Dataset, first_windows
from analog_ff.datasets.preprocess import binarised, cropped, of_classes, pooled
from analog_ff.learners import LEARNERS
from analog_ff.learners.base import Learner
from analog_ff.learners.goodness_options import GoodnessOptions
from analog_ff.network import NETWORKS
from analog_ff.network.base import Frame, Network, Wiring
from analog_ff.objective.goodness import LayerGoodness
from analog_ff.objective.negatives import Negatives, load_negatives
from analog_ff.objective.schedule import SCHEDULES, Schedule
from analog_ff.registry.options import flag
from analog_ff.registry.rows import names
from analog_ff.runs.batches import Batches
from analog_ff.runs.chip_parts import (
    boxes_of,
    chip_options,
    converter_faults_of,
    foreign_port_of,
    interconnect_of,
    line_limit_of,
    line_noise_of,
)
from analog_ff.runs.further_arrays import arrays_of, switched
from analog_ff.runs.read_time import check_reads, read_time_of
from analog_ff.runs.run_device import loaded_device
from analog_ff.updates import FastCellOptions
from analog_ff.updates.consolidation import ConsolidationOptions
from hardware_models.check import UsageError
from hardware_models.chip.ports import PORTS
from hardware_models.devices.ageing import aged
from hardware_models.devices.base import BaseDevice
from hardware_models.events import Tally
from hardware_models.keys import Key
from hardware_models.load import load_device
from hardware_models.port import ChipBench, ChipPort
from hardware_models.protocol.links import is_link
from hardware_models.tables import lookup, resolve
from hardware_models.user_faults import guarded
from hardware_models.wires.interconnect import MODES

OF_OTHERS = {*names(FastCellOptions), "leak_time", *names(ConsolidationOptions)}
"""Options of updates that belong to cells of the chip, or to the learner."""
VERIFY_ROUNDS = 20
"""Most corrections of a verified write; a device whose model is written and verified already needs none."""


def data_of(config: DataChoices) -> Dataset:
    """Return the data set of a run."""
    dataset = load(config.data, data_dir=config.data_dir, split=config.split, label_column=config.label_column)
    if config.only_classes is not None:
        dataset = of_classes(dataset, config.only_classes)
    dataset = cut(config, dataset)
    if config.images_per_epoch is not None and config.images_per_epoch > len(dataset.x_train):
        raise UsageError(
            f"--images-per-epoch is at most the {len(dataset.x_train)} training images of {dataset.name}, got "
            f"{config.images_per_epoch}."
        )
    if config.shift and dataset.x_train.shape[1] % ((dataset.height or 1) * (dataset.width or 1)):
        raise UsageError("--shift needs images of known height and width; give --shift 0.")
    return dataset


def cut(config: DataChoices, dataset: Dataset) -> Dataset:
    """Return a data set with its images cut, averaged and blackened as a run asks for it."""
    if config.crop is not None:
        dataset = cropped(dataset, config.crop)
    if config.pool is not None:
        dataset = pooled(dataset, config.pool)
    return dataset if config.binarise is None else binarised(dataset, config.binarise)


def negatives_of(config: Config, data: Dataset) -> Negatives | None:
    """Return the maker of negatives of a run, or None for a learner that needs none."""
    if "negatives" not in LEARNERS[config.learner].reads:
        return None
    pixels = data.x_train.shape[1]
    shape = (data.height, data.width) if data.height and data.width else None
    starts, steps = first_windows(data)
    known = {"classes": len(data.classes), "starts": starts, "steps": steps}
    negatives = load_negatives(config.negatives, pixels, shape, **known, **settings(config, "negatives"))
    least = negatives.least
    if min(config.batch, config.images_per_epoch or least, len(data.x_train)) < least:
        raise UsageError(
            f"negatives '{config.negatives}' are made of several images of a batch: give --batch {least} or more, and as "
            "many images an epoch."
        )
    return negatives


def labelled(config: LearningChoices, negatives: Negatives | None) -> bool:
    """Tell whether the learner of a run shows labels to its network, which negatives such as hybrids do not."""
    return bool(lookup("learner", config.learner, LEARNERS).labelled if negatives is None else negatives.labelled)


def frame_of(config: LearningChoices, data: Dataset, negatives: Negatives | None) -> Frame:
    """Return the frame of a run's network; labels stand where the network and the data have room for them."""
    kind = lookup("network", config.network, NETWORKS)
    place = kind.labelled_place
    if place == "pixels":
        place = data.label_place
    if not labelled(config, negatives):
        place = "none"
    return Frame(data.x_train.shape[1], data.height or 1, data.width or 1, len(data.classes), place)


def wiring_of(config: Config, frame: Frame) -> Wiring:
    """Return the wiring of a run's network: the arrays that it needs on its chip."""
    kind = lookup("network", config.network, NETWORKS)
    layers = config.layers + ((frame.classes,) if LEARNERS[config.learner].output_layer else ())
    wiring: Wiring = kind.plan(frame, layers, **settings(config, "network"))
    if config.regions == "positions" and not wiring.positions:
        raise UsageError(
            f"--regions positions belongs to --network local or convolution, not to '{config.network}'; give a number."
        )
    return wiring._replace(options={**wiring.options, "label_place": frame.label_place})


@guarded(UsageError)
def device_of(config: Config, *, written_once: bool = False) -> BaseDevice:
    """Return the device of a run's cells without the effects switched off; learning in situ needs a trainable device.

    It is read for as long as `read_time_of` says.
    Wear and retention of the command line belong to the chip that is run; one that is written once (`program_to`) has those of
    its own parameter file.
    """
    device = switched(loaded_device(config, written_once=written_once), config)
    in_situ = lookup("learner", config.learner, LEARNERS).in_situ
    if not written_once and in_situ and not device.trainable:
        raise UsageError(
            f"device '{config.device}' is written once and verified, it cannot learn in situ; "
            f"train another and write it: --device ideal --program-to {config.device}."
        )
    if (seconds := read_time_of(device, config)) != device.t_read:
        device = device.with_read_time(seconds)
    if config.ageing() and not written_once:
        device = aged(device, config.ageing(), ", ".join(flag(name) for name in config.ageing()))
    return device


def calibrated(config: Config, learner: Learner) -> Tally:
    """Calibrate the converters of a learner's chip as a run asks for, and return the events, of phase ``program``.

    The converters of transposed reads are calibrated only if the learner reads backwards: else the chip need not have them.
    """
    tally = Tally()
    if config.calibrate != "none":
        kind, reads, back = config.calibrate, config.calibration_reads, learner.reads_back
        for layer in range(len(learner.port.shapes)):
            key = Key(config.seed, "calibrate").child("layer", layer)
            tally.add(layer, learner.port.calibrate(layer, kind=kind, reads=reads, key=key, transposed=back))
    return tally


def check_read_noise(config: Config, device: BaseDevice) -> None:
    """Refuse copies from the noise of reads that have none."""
    if settings(config, "learner").get("copies_from") != "read-noise" or config.johnson_noise or config.shot_noise:
        return
    cells = device.fabricate((8, 8), Key(config.chip_seed, "chip").child("read noise"))
    if not np.any(np.asarray(device.read_variance(cells, 0.0)) > 0.0):
        raise UsageError(f"device '{config.device}' reads without noise: choose --copies-from dropout.")


@guarded(UsageError)
def port_of(config: Config, shapes: Sequence[tuple[int, int]], *, written_once: bool = False) -> ChipBench:
    """Return the chip of a run, or its chips, in this process or not.

    `shapes` are (inputs, neurons) of its layers, see `wiring_of`.
    """
    device = device_of(config, written_once=written_once)
    check_reads(device, config, shapes, written_once=written_once)
    check_read_noise(config, device)
    if is_link(config.port):
        if arrays_of(config, device, len(shapes)):
            raise UsageError(f"update '{config.update}' needs further arrays, which a chip from outside has not.")
        return foreign_port_of(config, device, shapes)
    options = {**chip_options(config), "noise": line_noise_of(config), "access_transistor": config.access_transistor}
    if config.line_groups == "auto":
        options |= {"line_current": line_limit_of(config), "current_margin": config.current_margin}
    if config.faults():
        options["faults"] = config.faults()
    options |= converter_faults_of(config)
    if arrays := arrays_of(config, device, len(shapes)):
        options["arrays"] = arrays
    if config.wires in MODES:
        options["wires"] = interconnect_of(config)
    kind: Callable[..., ChipBench] = lookup("port", config.port, PORTS)
    if config.port == "local":
        options["sealed"] = config.sealed
    if config.chips == "per-layer":
        from hardware_models.chip.joined_port import a_chip_a_layer

        return a_chip_a_layer(kind, device, shapes, **options)
    return kind(device, shapes, **options)


def network_of(config: Config, port: ChipPort, wiring: Wiring) -> Network:
    """Return the wiring of a run's chip, its layers' goodness included."""
    kind = lookup("network", config.network, NETWORKS)
    number = config.regions
    every = wiring.positions if isinstance(number, str) else (number,) * len(wiring.units)
    name = LEARNERS[config.learner].goodness or config.goodness
    goodness = [
        LayerGoodness(
            name,
            units,
            regions=regions,
            theta_factor=config.theta,
            temperature=config.temperature,
            winners=config.winners,
        )
        for units, regions in zip(wiring.units, every, strict=True)
    ]
    boxes = {"boxes": found} if (found := boxes_of(config, port)) else {}
    network: Network = kind(port, goodness, **wiring.options, **boxes)
    return network


def learner_of(config: Config, port: ChipPort, classes: int, wiring: Wiring, negatives: Negatives | None) -> Learner:
    """Return the learner of a run on its port."""
    row = LEARNERS[config.learner]
    kind: Callable[..., Learner] = resolve(row.streaming if config.schedule == "pipelined" else row.place)
    options = settings(config, "learner")
    for name in names(GoodnessOptions):  # of the network's layers
        options.pop(name, None)
    for name in {"update", "slope", "final_weights"} & options.keys():
        options[f"{name}_options"] = {
            option: value for option, value in settings(config, name).items() if option not in OF_OTHERS
        }
    if config.consolidate:
        options["consolidation"] = {"share": config.consolidate_share, "every": config.consolidate_every}
    if "negatives" in options:
        options["negatives"] = negatives
    for given in (options, options.get("final_weights_options", {})):
        if given.get("verify_rounds", 0) is None:
            given["verify_rounds"] = VERIFY_ROUNDS if load_device(config.device).trainable else 0
    learner = kind(
        network_of(config, port, wiring), classes=classes, seed=config.seed, skip_silent=config.skip_silent,
        **settings(config, "readout"), **options,
    )  # fmt: skip
    if config.readout not in learner.readouts:
        raise UsageError(
            f"a network that is shown no labels has no goodness of a label: choose --readout {learner.readouts[0]}."
        )
    return learner


def batches_of(config: Config, images: int, learner: Learner) -> Batches:
    """Return the batches of an epoch over so many training images for a learner."""
    return Batches(images, config.batch, shown=config.images_per_epoch, least=learner.least)


def schedule_of(config: Config, batches: Batches) -> Schedule:
    """Return the schedule of a run over these batches."""
    kind = lookup("schedule", config.schedule, SCHEDULES)
    schedule: Schedule = kind(config.epochs, batches.number, len(config.layers), **settings(config, "schedule"))
    return schedule
