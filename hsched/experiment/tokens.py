"""Counting tokens: at most so many tasks at once, of all experiments of a user.

A token of ``total`` is a folder with as many files.  Who holds some of it has locked that
many of them, so it comes back with the end of the process, however that ends.  Slots are
the better way to say what a task needs: a task that waits for a token holds its slots.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from hsched import paths
from hsched.client.inotify import Growth
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
        self._locks: list[Lock] = []
        self._places: list[Path] = []

    def acquire(self, wanted: Iterable[list[Any]]) -> None:
        """Wait for tokens and take them; ``wanted`` is (name, total, count) of each.

        Of one token, who asked first gets first.
        """
        # In one order for all, so that no two wait for each other.
        for name, total, count in sorted(wanted):
            place = folder() / name
            place.mkdir(parents=True, exist_ok=True)
            self._places.append(place)
            with Lock(place / "queue"), Growth(str(place / "released")) as released:
                while True:
                    released.renew()
                    if self._take(place, total, count):
                        break
                    _sleep(released.descriptor)

    def release(self) -> None:
        """Give all of them back."""
        for lock in self._locks:
            lock.release()
        for place in self._places:
            (place / "released").write_bytes(b".")  # wakes who waits
        self._locks.clear()
        self._places.clear()

    def _take(self, place: Path, total: int, count: int) -> bool:
        taken: list[Lock] = []
        for number in range(total):
            lock = Lock(place / str(number))
            if lock.try_acquire():
                taken.append(lock)
            if len(taken) == count:
                self._locks += taken
                return True
        for lock in taken:
            lock.release()
        return False


def _sleep(descriptor: int) -> None:
    import select

    poller = select.poll()
    poller.register(descriptor, select.POLLIN)
    poller.poll(_LOOK_AGAIN_MS)
