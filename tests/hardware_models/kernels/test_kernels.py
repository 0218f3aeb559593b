"""Kernels as they are read: few arguments, few lines, figures with names and of the type that the arithmetic needs."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hardware_models
from hardware_models.devices.capacitor import Capacitor
from hardware_models.devices.exponential_step import ExponentialStep
from hardware_models.devices.ferroelectric import Ferroelectric
from hardware_models.devices.floating_gate import FloatingGate
from hardware_models.devices.phase_change import PhaseChange
from hardware_models.devices.programmed import Programmed
from hardware_models.kernels.bursts import as_float32, as_float64
from hardware_models.kernels.switching import SetLaw

COMPILED = {"kernel", "inlined", "parallel_kernel"}
ARGUMENTS, LINES = 10, 25
SINGLE, DOUBLE = (Capacitor, ExponentialStep, PhaseChange), (Ferroelectric, FloatingGate, Programmed)


def kernels() -> Iterator[tuple[str, ast.FunctionDef]]:
    """Yield the place and the syntax tree of each compiled function."""
    for file in sorted((Path(hardware_models.__file__).parent / "kernels").glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and COMPILED & {ast.unparse(d) for d in node.decorator_list}:
                yield f"{file.name}: {node.name}", node


def test_a_kernel_has_few_arguments_and_lines() -> None:
    """More belongs into a NamedTuple with a meaning, or into a formula of its own."""
    seen = 0
    for place, node in kernels():
        lines = (node.end_lineno or 0) - node.body[1].lineno + 1
        assert len(node.args.args) <= ARGUMENTS and lines <= LINES, f"{place}: {len(node.args.args)}, {lines}"
        seen += 1
    assert seen > 50


@pytest.mark.parametrize(("model", "kind"), [(m, np.float32) for m in SINGLE] + [(m, float) for m in DOUBLE])
def test_figures_of_a_law_have_the_type_of_the_arithmetic(model: Any, kind: type) -> None:
    """Numba computes in the type of each figure; a user's whole numbers change neither type nor law."""
    device = model(g_min=0.25, g_max=1.0, states=10.0)
    whole = replace(device, g_max=1, states=10)
    for name in ("law", "drift_law", "slow_law"):
        if hasattr(device, name):
            law = getattr(device, name)()
            expected = float if name != "law" else kind
            assert {type(x) for x in law} == {type(x) for x in getattr(whole, name)()} == {expected}
            assert law == getattr(whole, name)()


def test_a_law_is_rounded_figure_by_figure() -> None:
    """The law keeps its names and its order."""
    law = SetLaw(*(k / 3 for k in range(9)))
    assert as_float32(law) == SetLaw(*np.array(law, np.float32)) and as_float64(law) == law
    assert as_float32(law).reset == np.float32(8 / 3)
