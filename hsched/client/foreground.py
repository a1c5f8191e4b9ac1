"""The conversation of a hrun with its broker: queue, wait for the turn, tell the end."""

from __future__ import annotations

import os
import time

from hsched.client.connection import Connection, new_key, read_reply
from hsched.client.relay import Ended
from hsched.native.pyshim.tree import stat_fields
from hsched.paths import Place
from hsched.wire.message import text
from hsched.wire.run import (
    FinishReply,
    FinishRequest,
    RunReply,
    RunRequest,
    TurnReply,
    TurnRequest,
)
from hsched.wire.submit import JobSpec

#: How long to look for a broker at a time while the turn may be days away, in seconds.
_LONG_S = 3600.0


class Foreground:
    """One job that this process runs itself; :meth:`queue` comes first."""

    def __init__(self, place: Place, timeout: float) -> None:
        """``timeout`` in seconds bounds each request but the wait for the turn."""
        self._connection = Connection(place, timeout)
        self.id = ""

    def queue(self, spec: JobSpec, child: int, run: str | None) -> None:
        """Queue the job; ``child`` is the process that waits to become its command.

        Raises:
            Refused: it asks for more than there is, or depends on what never was.
            WrongUsage: a word of the spec makes no sense.
        """
        request = RunRequest(
            job=spec,
            cwd=text(os.getcwdb()),
            started=_started(os.getpid()),
            child=child,
            child_started=_started(child),
            run=run,
        )
        self.id = self._connection.call(request, RunReply).id

    def wait_for_turn(self) -> TurnReply:
        """Wait until the job holds its slots, or will never; a broker may come and go.

        Raises:
            NotRunning: the scheduler was stopped.
        """
        request, key = TurnRequest(id=self.id), new_key()
        self._connection.send(request, key, time.monotonic() + _LONG_S)
        while True:
            frames = self._connection.receive(None)
            if frames is None:
                key = new_key()
                self._connection.send(request, key, time.monotonic() + _LONG_S)
            elif frames[0].key == key:
                return read_reply(frames, TurnReply)

    def finish(self, ended: Ended) -> FinishReply:
        """Tell how the command ended; return how the job did."""
        request = FinishRequest(
            id=self.id,
            exit_status=ended.exit_status,
            signal=ended.signal,
            cpu_s=ended.cpu_s,
            peak_memory_bytes=ended.peak_memory_bytes,
            tree_left=ended.tree_left,
        )
        return self._connection.call(request, FinishReply)

    def not_started(self, error: int) -> FinishReply:
        """Tell that the command could not be started, for this errno."""
        return self._connection.call(FinishRequest(id=self.id, errno=error), FinishReply)

    def close(self) -> None:
        """Drop the connection."""
        self._connection.close()


def _started(pid: int) -> int:
    """Return when a process of ours was started, in clock ticks since boot."""
    fields = stat_fields(pid)
    assert fields is not None, "it is us, or a child that nobody has reaped"
    return int(fields[19])
