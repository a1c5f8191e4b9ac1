"""What a task does when it is told to end: SIGTERM, or SIGINT."""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING, Any

from hsched.experiment.endings import CANCELLED, TIMEOUT, Failure, TaskCancelled
from hsched.experiment.runtime import Running

if TYPE_CHECKING:
    import threading

#: What a shell makes of SIGTERM is 128 more; `.failed` has the signal itself, always this one.
_CODE = 15

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Cancellation:
    """Turns the first such signal into :class:`TaskCancelled`, and cleans up beside it.

    ``clean_up`` is called with what to write of it, in a thread of its own, whether or not
    the task lets the exception through.  Later signals change nothing.
    """

    def __init__(self, running: Running, clean_up: Callable[[Failure], None]) -> None:
        self._running = running
        self._clean_up = clean_up
        self._thread: threading.Thread | None = None
        self._before: list[Any] = []
        self.failure: Failure | None = None

    def install(self) -> None:
        """Handle the signals from now on."""
        self._before = [signal.signal(number, self._told) for number in _SIGNALS]

    def settle(self) -> Failure | None:
        """Let no signal in any more, and return why the task was told to end, if it was."""
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        if self._thread is not None:
            self._thread.join()
        return self.failure

    def _told(self, number: int, _frame: FrameType | None) -> None:
        if self.failure is not None:
            return
        import threading  # slow to import, and not needed by a task that simply ends

        name = signal.Signals(number).name
        reason = TIMEOUT if self._running.is_time_up() else CANCELLED
        self.failure = Failure(reason, _CODE, f"Job terminated by {name}")
        left = self._running.until_kill()
        self._thread = threading.Thread(
            target=self._clean_up, args=(self.failure,), name="task-cancelled", daemon=True
        )
        self._thread.start()
        raise TaskCancelled(remaining_time=left)
