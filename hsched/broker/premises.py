"""What a broker needs to be found: folder, lock, socket and address, mended when removed.

Cleaners sweep /tmp, and people remove folders under a live broker.  The kernel tells
of a removal; then everything is made anew, the store out of what the open file still
holds.  Only the broker that lives may do that, so the lock comes first.
"""

from __future__ import annotations

import contextlib
import logging
import os

from hsched import paths
from hsched.broker.endpoint import Endpoint
from hsched.broker.kernel import Removals
from hsched.broker.store import Store
from hsched.errors import AlreadyRunning, HschedError
from hsched.paths import Place

log = logging.getLogger("hsched")

#: How often all is made anew while somebody goes on removing it.
_ATTEMPTS = 100


def take_lock(place: Place) -> int:
    """Become the only broker of ``place``; the lock goes with the returned descriptor.

    Raises:
        AlreadyRunning: another broker lives.
    """
    descriptor = os.open(place.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    if not paths.lock_exclusively(descriptor):
        os.close(descriptor)
        raise AlreadyRunning(f"scheduler {place.name} is already running")
    return descriptor


class Premises:
    """Keeps the broker of ``place`` reachable."""

    def __init__(self, place: Place, lock: int, endpoint: Endpoint) -> None:
        self._place, self._lock, self._endpoint = place, lock, endpoint
        self._removals = Removals()
        self._watches: dict[int, frozenset[str]] = {}
        self.descriptor = self._removals.descriptor

    def open(self) -> None:
        """Tell clients where we are, and watch that it stays so."""
        self._write_address()
        self._watch()

    def mend(self, store: Store, run_folder: str) -> None:
        """Make anew what was removed of ours.

        Raises:
            AlreadyRunning: another broker has taken the place meanwhile; ours is lost.
            HschedError: somebody goes on removing it.
        """
        if not any(self._is_ours(*removal) for removal in self._removals.read()):
            return
        log.warning("files of %s were removed under us; making them anew", self._place.folder)
        for _ in range(_ATTEMPTS):
            with contextlib.suppress(FileNotFoundError):  # whoever removes them is still at it
                self._make_anew(store, run_folder)
                self.open()
                if self._is_whole():
                    return
        raise HschedError(f"{self._place.folder} is removed again and again")

    def _make_anew(self, store: Store, run_folder: str) -> None:
        os.makedirs(os.path.join(run_folder, "records"), mode=0o700, exist_ok=True)
        if not _is_same(self._lock, self._place.lock):
            fresh = take_lock(self._place)
            os.close(self._lock)
            self._lock = fresh
        store.ensure_on_disk()
        if not os.path.exists(self._endpoint.path):
            os.makedirs(os.path.dirname(self._endpoint.path), mode=0o700, exist_ok=True)
            self._endpoint.rebind()

    def _is_whole(self) -> bool:
        """Whether all is there, now that the kernel will tell if it goes."""
        files = (self._place.store, self._place.address, self._endpoint.path)
        return _is_same(self._lock, self._place.lock) and all(map(os.path.exists, files))

    def close(self) -> None:
        """Stop watching, and let go of the lock: the next broker may come."""
        self._removals.close()
        os.close(self._lock)

    def _is_ours(self, watch: int, name: str) -> bool:
        return not name or name in self._watches.get(watch, ())

    def _watch(self) -> None:
        socket_folder, socket = os.path.split(self._endpoint.path)
        own = ("lock", "address", "hsched.db", "hsched.db-wal")
        self._watches = {}
        for folder, names in ((self._place.folder, own), (socket_folder, (socket,))):
            with contextlib.suppress(FileNotFoundError):
                watch = self._removals.watch(folder)
                self._watches[watch] = self._watches.get(watch, frozenset()) | set(names)

    def _write_address(self) -> None:
        fresh = f"{self._place.address}.new"
        with open(fresh, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(f"{self._endpoint.address}\n{os.getpid()}\n")
        os.replace(fresh, self._place.address)


def _is_same(descriptor: int, path: str) -> bool:
    try:
        there = os.stat(path)
    except FileNotFoundError:
        return False
    return os.path.samestat(there, os.fstat(descriptor))
