"""The driver's side of outputs: files of running tasks are read as they grow.

One thread reads and calls back, so callbacks come in order and one at a time.  inotify(7)
wakes it, and the end of a task; only where there are no watches left, and for tasks on other
machines, it looks again after a while.
"""

from __future__ import annotations

import contextlib
import os
import select
import threading
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial

from hsched.client.inotify import Folders
from hsched.experiment import files, outputs
from hsched.experiment.board import Board
from hsched.experiment.identity import identity_of
from hsched.experiment.jobs import Job, Watch
from hsched.experiment.marking import Marker
from hsched.experiment.worker import guarded

_LOOK_AGAIN_S = 2.0


class _Reader:
    """What one task has given out, how far it was read, and who wants to know."""

    def __init__(self, job: Job, watches: Sequence[Watch]) -> None:
        self.job = job
        self.watches = [(_key(watch), watch) for watch in watches]
        self.path = os.path.join(job.path, outputs.FILE)
        self.offset = 0
        self.seen: set[str] = set()

    def news(self) -> list[outputs.Output]:
        """Return what has come since the last look, each once."""
        lines, self.offset = files.whole_lines(self.path, self.offset)
        fresh = [line for line in dict.fromkeys(lines) if line not in self.seen]
        self.seen.update(fresh)
        found = [outputs.parse(line) for line in fresh]
        return [one for one in found if one is not None]


def _key(watch: Watch) -> str:
    return outputs.key_of(watch.method, identity_of(watch.config))


class OutputWatcher:
    """Calls the watches of tasks with what these give out, from the beginning on."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._asked: deque[Callable[[], None] | None] = deque()
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._folders = Folders()
        self._readers: dict[str, list[_Reader]] = {}
        self._unwatched: set[str] = set()
        self._thread: threading.Thread | None = None

    def begin(self, job: Job, watches: Sequence[Watch]) -> None:
        """Call ``watches`` with all that ``job`` has given out and goes on to give out."""
        reader = _Reader(job, watches)

        def _add() -> None:
            self._readers.setdefault(job.relpath, []).append(reader)
            folder = os.path.dirname(reader.path)
            os.makedirs(folder, exist_ok=True)
            if not self._folders.add(folder):
                self._unwatched.add(job.relpath)
            self._read(reader)

        self._ask(_add)

    def catch_up(self, job: Job, for_good: bool) -> None:
        """Read the rest of what ``job`` has given out; it has ended.

        Unless that is ``for_good``, it may run again, and is read on then.
        """

        def _read_rest() -> None:
            readers = self._readers.get(job.relpath, [])
            for reader in readers:
                self._read(reader)
            if for_good and readers:
                del self._readers[job.relpath]
                self._unwatched.discard(job.relpath)
                self._folders.remove(os.path.dirname(readers[0].path))

        self._ask(_read_rest)

    def close(self) -> None:
        """End the thread; what was asked before is done before."""
        if self._thread is not None:
            self._asked.append(None)
            os.eventfd_write(self._wake, 1)
            self._thread.join()
        os.close(self._wake)
        self._folders.close()

    def _ask(self, what: Callable[[], None]) -> None:
        self._board.begin()
        self._asked.append(what)
        if self._thread is None:
            self._thread = threading.Thread(
                target=self._run, name="task-outputs-worker", daemon=True
            )
            self._thread.start()
        os.eventfd_write(self._wake, 1)

    def _run(self) -> None:
        while True:
            while self._asked:
                asked = self._asked.popleft()
                if asked is None:
                    return
                try:
                    guarded(asked)
                finally:
                    self._board.finish()
            self._sleep()
            for reader in [one for readers in self._readers.values() for one in readers]:
                self._read(reader)

    def _sleep(self) -> None:
        poller = select.poll()
        for descriptor in (self._wake, self._folders.descriptor):
            if descriptor >= 0:
                poller.register(descriptor, select.POLLIN)
        poller.poll(_LOOK_AGAIN_S * 1000 if self._unwatched else None)
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._wake)
        self._folders.forget_news()

    def _read(self, reader: _Reader) -> None:
        for output in reader.news():
            for key, watch in reader.watches:
                if key == output.key:
                    guarded(partial(_call, reader.job, watch, output))


def _call(job: Job, watch: Watch, output: outputs.Output) -> None:
    # What is made depends on the task for its identity, and exists before the task ends.
    made = watch.method(Marker(job.config, soft=True), *output.args, **output.kwargs)
    watch.callback(made)
