"""What hkill and hsched kill have in common: by which signal, and after how long."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from hsched.cli.common import option, reads
from hsched.cli.words import seconds, signal_number
from hsched.errors import WrongUsage

F = TypeVar("F", bound=Callable[..., Any])

_TERM, _KILL = 15, 9


def kill_options(grace_by_default: str, force: str) -> Callable[[F], F]:
    """Return what adds ``--kill``, ``--signal``, ``--grace`` and ``--force``.

    ``grace_by_default`` and ``force`` are the parts of their help that differ.
    """

    def decorate(function: F) -> F:
        for add in reversed(_options(grace_by_default, force)):
            function = add(function)
        return function

    return decorate


def _options(grace_by_default: str, force: str) -> list[Callable[[Any], Any]]:
    return [
        option("-k", "--kill", is_flag=True, help="Send KILL at once, without TERM and grace."),
        option(
            "-s",
            "--signal",
            metavar="SIGNAL",
            callback=reads(signal_number),
            help="Send this signal. One other than TERM and KILL changes nothing else.",
        ),
        option(
            "--grace",
            metavar="SECONDS",
            callback=reads(seconds),
            help=f"Time between TERM and KILL; by default {grace_by_default}.",
        ),
        option("-f", "--force", is_flag=True, expose_value=False, help=force),
    ]


def signal_to_send(kill: bool, signal: int | None) -> int:
    """Return the signal that the options mean.

    Raises:
        WrongUsage: both were given.
    """
    if kill and signal is not None:
        raise WrongUsage("give either --kill or --signal, not both")
    return _KILL if kill else signal or _TERM
