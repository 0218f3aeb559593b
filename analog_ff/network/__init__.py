"""Networks: the wiring between the layers of a chip."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

from analog_ff.registry.options import option, parse_layers
from analog_ff.registry.rows import Kind
from hardware_models.nonlinearities import NONLINEARITIES, remembering

BOX_PLACES = ("inside", "between")
"""Places of a chip's unknown nonlinearity."""


@dataclass(frozen=True, kw_only=True)
class BoxOptions:
    """Options of an unknown curve in a stack."""

    box_place: str = option(
        "inside",
        "inside: --nonlinearity is the curve of the neurons; between: it stands between two layers of rectifiers",
        choices=BOX_PLACES,
        beside="nonlinearity",
        later=True,
    )

    @staticmethod
    def check(config: _Boxed) -> None:
        """Raise UsageError for a box between layers that remembers; a user's own function and a table never do."""
        known = NONLINEARITIES.get(config.nonlinearity)
        if config.box_place == "between" and known is not None and known.remembers:
            raise remembering(config.nonlinearity)


class _Boxed(Protocol):
    box_place: str
    nonlinearity: str


@dataclass(frozen=True, kw_only=True)
class RecurrentOptions:
    """Options of a recurrent network."""

    iterations: int = option(8, "iterations after the bottom-up pass", low=1, high=1000)
    damping: float = option(0.3, "share of the old state that an iteration keeps [1]", low=0.0, high=1.0)


@dataclass(frozen=True, kw_only=True)
class PatchOptions:
    """Options of layers that see patches of an image."""

    patch: tuple[int, ...] | None = option(
        None,
        "side of a patch, layer by layer; the last serves the others",
        parse_layers,
        "local: 10,2; convolution: 5,3",
    )
    stride: tuple[int, ...] | None = option(
        None, "distance of patches, layer by layer", parse_layers, "local: 6,1; convolution: 2"
    )


NETWORKS = MappingProxyType(
    {
        "stack": Kind("analog_ff.network.stack:Stack", "each layer sees all of the one below", options=(BoxOptions,)),
        "recurrent": Kind(
            "analog_ff.network.recurrent:Recurrent", "layers also see the one above", options=(RecurrentOptions,)
        ),
        "local": Kind("analog_ff.network.local:Local", "fields with weights of their own", options=(PatchOptions,)),
        "convolution": Kind(
            "analog_ff.network.convolution:Convolution", "fields that share weights", options=(PatchOptions,)
        ),
    }
)
"""Networks by name."""
