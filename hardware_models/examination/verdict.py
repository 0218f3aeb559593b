"""Verdicts of an examination: one sentence a check, and all of them on one device."""

from __future__ import annotations

from dataclasses import dataclass

from hardware_models.check import UsageError


@dataclass(frozen=True)
class Check:
    """One verdict: passed is None where a check does not apply."""

    name: str
    passed: bool | None
    detail: str


@dataclass(frozen=True)
class Examination:
    """All verdicts on one device."""

    device: str
    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """No check failed."""
        return not self.failures

    @property
    def failures(self) -> tuple[Check, ...]:
        """The checks that failed."""
        return tuple(c for c in self.checks if c.passed is False)

    def raise_if_failed(self) -> None:
        """Raise UsageError in one sentence that names every failure."""
        if self.failures:
            said = "; ".join(f"{c.name}: {c.detail.rstrip('.')}" for c in self.failures)
            raise UsageError(f"device '{self.device}' fails its examination: {said}.")

    def describe(self) -> dict[str, object]:
        """Return the verdicts as plain values."""
        return {"device": self.device, "passed": self.passed, "checks": [vars(c) for c in self.checks]}


class Failed(Exception):
    """A check's sentence."""


class Skipped(Exception):
    """Why a check does not apply."""


def need(condition: bool, sentence: str) -> None:
    """Fail the check with a sentence unless the condition holds."""
    if not condition:
        raise Failed(sentence)
