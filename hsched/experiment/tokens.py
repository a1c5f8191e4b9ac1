"""Counting tokens: at most so many tasks at once, of all experiments of a user.

A token of ``total`` is a folder with as many files.  Who holds some of it has locked that
many of them, so it comes back with the end of the process, however that ends.  Slots are
the better way to say what a task needs: a task that waits for a token holds its slots.
"""

from __future__ import annotations

import fcntl
import os
import select
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hsched import paths
from hsched.client.inotify import Folders
from hsched.errors import WrongUsage
from hsched.experiment.files import Lock

if TYPE_CHECKING:
    from collections.abc import Iterable

#: How long to wait at most before looking again; a holder on another machine of a
#: network disk wakes nobody here.
_LOOK_AGAIN_MS = 5000


class CounterToken:
    """A token: ``token = xp.token("gpu-memory", 3)``, then ``token(2, task)``."""

    def __init__(self, name: str, total: int) -> None:
        """Name a token, of which there are ``total``.

        Raises:
            WrongUsage: it cannot be.
        """
        if not name or "/" in name or name.startswith("."):
            raise WrongUsage(f"token {name!r}: a name without slash, and no leading dot")
        if total < 1:
            raise WrongUsage(f"token {name}: {total} in total; there must be one at least")
        self.name = name
        self.total = total

    def dependency(self, count: int) -> TokenDependency:
        """Return what a task depends on that needs ``count`` of it.

        Raises:
            WrongUsage: there are never so many.
        """
        if not 1 <= count <= self.total:
            raise WrongUsage(f"token {self.name}: {count} asked for, there are 1 to {self.total}")
        return TokenDependency(self, count)

    def __call__(self, count: int, task: Any) -> Any:
        """Let ``task``, which is not submitted yet, need ``count``; return it."""
        task.add_dependencies(self.dependency(count))
        return task


class TokenDependency:
    """So many of a token."""

    def __init__(self, token: CounterToken, count: int) -> None:
        self.token = token
        self.count = count

    def plain(self) -> list[Any]:
        """Return it for ``params.json``."""
        return [self.token.name, self.token.total, self.count]


def folder() -> Path:
    """Return where tokens are; like schedulers, they belong to a user."""
    return Path(paths.home(), "tokens")


class Held:
    """Tokens that a running task holds."""

    def __init__(self) -> None:
        self._descriptors: list[int] = []

    def acquire(self, wanted: Iterable[list[Any]]) -> None:
        """Wait for tokens and take them; ``wanted`` is (name, total, count) of each.

        Of one token, who asked first gets first.
        """
        # In one order for all, so that no two wait for each other.
        for name, total, count in sorted(wanted):
            place = folder() / name
            place.mkdir(parents=True, exist_ok=True)
            with Lock(place / "queue"):
                self._descriptors += _taken(place, total, count)

    def release(self) -> None:
        """Give all of them back."""
        for descriptor in self._descriptors:
            os.close(descriptor)
        self._descriptors.clear()


def _taken(place: Path, total: int, count: int) -> list[int]:
    """Wait until ``count`` of the files can be locked, and return them."""
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
    left = [os.open(place / str(number), flags, 0o600) for number in range(total)]
    taken: list[int] = []
    folders = Folders()
    try:
        folders.add(str(place), closing=True)  # whoever ends, however, closes its files
        while len(taken) < count:
            folders.forget_news()
            taken += [one for one in left if _try(one)]
            if len(taken) < count:
                for one in taken:
                    fcntl.flock(one, fcntl.LOCK_UN)
                taken.clear()
                _sleep(folders.descriptor)
    except BaseException:
        taken.clear()
        raise
    finally:
        folders.close()
        for one in set(left) - set(taken[:count]):
            os.close(one)
    return taken[:count]


def _try(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _sleep(descriptor: int) -> None:
    poller = select.poll()
    if descriptor >= 0:
        poller.register(descriptor, select.POLLIN)
    poller.poll(_LOOK_AGAIN_MS)
