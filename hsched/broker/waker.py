"""What the broker sleeps on: descriptors, signals, and the next deadline."""

from __future__ import annotations

import contextlib
import os
import select
import signal
from collections.abc import Callable

Wake = Callable[[], None]


class Waker:
    """An epoll set in which each descriptor has the function to call when it is readable."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._wakes: dict[int, Wake] = {}
        self._signals, write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(write, warn_on_full_buffer=False)

    def watch(self, descriptor: int, wake: Wake) -> None:
        """Call ``wake`` whenever ``descriptor`` is readable."""
        self._wakes[descriptor] = wake
        self._epoll.register(descriptor, select.EPOLLIN)

    def forget(self, descriptor: int) -> None:
        """Stop watching ``descriptor``; call it before the descriptor is closed."""
        if self._wakes.pop(descriptor, None) is not None:
            self._epoll.unregister(descriptor)

    def on_signal(self, number: int, wake: Wake) -> None:
        """Call ``wake`` from :meth:`sleep` once the process got signal ``number``."""
        signal.signal(number, lambda _signal, _frame: wake())
        if self._signals not in self._wakes:
            self.watch(self._signals, self._drain_signals)

    def sleep(self, seconds: float | None) -> None:
        """Sleep until something is readable or ``seconds`` passed, and make the calls."""
        with contextlib.suppress(InterruptedError):
            for descriptor, _ in self._epoll.poll(seconds):
                wake = self._wakes.get(descriptor)
                if wake is not None:
                    wake()

    def _drain_signals(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self._signals, 4096)
