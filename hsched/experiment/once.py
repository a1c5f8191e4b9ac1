"""`initializer`: a method that works once for each object."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

S = TypeVar("S")
P = ParamSpec("P")
R = TypeVar("R")


def initializer(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """Let a method run when it is first called; later calls give what that returned."""
    key = f"__hsched_once_{method.__name__}"

    @functools.wraps(method)
    def _once(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        known: dict[str, Any] = vars(self)
        if key not in known:
            known[key] = method(self, *args, **kwargs)
        return cast("R", known[key])

    return _once
