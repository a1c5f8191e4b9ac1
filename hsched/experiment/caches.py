"""``@cache``: what a configuration computes once, for all tasks of a workspace."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from hsched.errors import WrongUsage
from hsched.experiment import files, runtime

S = TypeVar("S")
P = ParamSpec("P")
R = TypeVar("R")

#: The folder in a workspace.
FOLDER = "config"


def cache(
    name: str,
) -> Callable[[Callable[Concatenate[S, Path, P], R]], Callable[Concatenate[S, P], R]]:
    """Give a method of a configuration a file of its own, ``WORKSPACE/config/TYPE/ID/name``.

    The method gets that path first, under a lock that no other process holds at the same
    time; it looks whether the file is there, and writes it where it is not.  The call itself
    leaves the path out: ``terms.load()``.

    Raises:
        WrongUsage: ``name`` is no file below the folder; or, from the call, there is neither
            a running task nor an experiment.
    """
    if not name or os.path.isabs(name) or ".." in Path(name).parts:
        raise WrongUsage(f"@cache({name!r}): the name of a file, below the folder of the cache")

    def _decorate(method: Callable[Concatenate[S, Path, P], R]) -> Callable[Concatenate[S, P], R]:
        @functools.wraps(method)
        def _locked(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
            path = _folder(self) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with files.Lock(f"{path}.lock"):
                return method(self, path, *args, **kwargs)

        return _locked

    return _decorate


def _folder(config: Any) -> Path:
    from hsched.experiment.identity import identity_of, qualified_name

    return Path(_workspace(), FOLDER, qualified_name(type(config)), identity_of(config))


def _workspace() -> str | Path:
    if runtime.now is not None:
        return runtime.now.workspace
    from hsched.experiment.run import experiment  # not in a task: it need not be imported there

    active = experiment.CURRENT
    if active is None:
        raise WrongUsage("@cache works inside a running task or an experiment")
    return active.workspace.path
