"""Measuring several programs in turn, so that what disturbs the machine disturbs all."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.bench.figures import Figures, joined


@dataclass(frozen=True, slots=True)
class Settings:
    """How thoroughly to measure: ``rounds`` of each, and ``quick`` for a first look."""

    rounds: int = 5
    quick: bool = False

    def of(self, thorough: int, quick: int) -> int:
        """Return the number that goes with how thoroughly to measure."""
        return quick if self.quick else thorough


#: Measures one round of one contender, and returns what it found.
Contender = Callable[[], list[float]]


def in_turn(
    contenders: Mapping[str, Contender], rounds: int, more_is_better: bool = False
) -> dict[str, Figures]:
    """Measure A B C, A B C, ...; return what each came to."""
    found: dict[str, list[list[float]]] = {name: [] for name in contenders}
    for number in range(rounds):
        for name, measure in contenders.items():
            say(f"  round {number + 1} of {rounds}: {name}")
            found[name].append(measure())
    return {name: joined(values, more_is_better) for name, values in found.items()}


def say(line: str) -> None:
    """Tell on stderr how far it is: what is measured takes minutes."""
    print(line, file=sys.stderr, flush=True)
