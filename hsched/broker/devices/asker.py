"""NVML for the broker: asked by a helper process, answered later, and never waited for."""

from __future__ import annotations

import contextlib
import logging
import os
import select
import signal
from collections.abc import Callable, Iterable

from hsched.broker import clock
from hsched.broker.waker import Waker
from hsched.devices import ask
from hsched.devices.ask import Helper
from hsched.devices.reading import Reading

log = logging.getLogger("hsched")

Done = Callable[[Reading], None]


class Asker:
    """One helper process, started when it is first needed; a new one after it hung or died.

    ``roots`` tells the processes that jobs descend from; ``alone`` is told the pid of each
    helper, which is no job's.
    """

    def __init__(
        self, waker: Waker, roots: Callable[[], Iterable[int]], alone: Callable[[int], None]
    ) -> None:
        self._waker, self._roots, self._alone = waker, roots, alone
        self._helper: Helper | None = None
        self._pidfd = -1
        #: The pidfd of the helper that was killed last; while it lives, the driver holds it.
        self._stuck: int | None = None
        self._said = b""
        #: Who waits for the answer that is on its way, and who asked after it was asked for.
        self._waiting: list[Done] = []
        self._later: list[Done] = []
        #: When the answer is overdue; None while none is awaited.
        self.deadline: float | None = None

    def ask(self, done: Done) -> None:
        """Call ``done`` with what NVML sees from now on, or with the reason why not."""
        if self._waiting:
            self._later.append(done)
        else:
            self._waiting.append(done)
            self._send()

    def look_at(self, now: float) -> None:
        """Give up on an answer that is overdue."""
        if self.deadline is not None and now >= self.deadline:
            reading = ask.too_late()
            if self._helper is None:
                reading = Reading(trouble="NVML hangs, and so does the process that asked it")
            self._end_helper()
            self._answer(reading)

    def forget(self) -> None:
        """Drop whoever waits for an answer."""
        self._waiting = [_nobody for _ in self._waiting[:1]]
        self._later = []

    def close(self) -> None:
        """End the helper."""
        self._end_helper()
        if self._stuck is not None:
            os.close(self._stuck)
            self._stuck = None

    def _send(self) -> None:
        now = clock.monotonic()
        self.deadline = now + ask.deadline_s()
        try:
            if self._helper is None:
                self._start()
            if self._helper is not None:
                os.write(self._helper.requests, ask.request(self._roots()))
            else:
                self.deadline = now  # not at once, for whoever asks is not ready to be told
        except OSError as error:
            log.warning("NVML cannot be asked: %s", error)
            self._end_helper()
            self.deadline = now

    def _start(self) -> None:
        if self._stuck is not None:
            if not select.select([self._stuck], [], [], 0)[0]:
                return
            os.close(self._stuck)
        self._stuck, self._said = None, b""
        self._helper = ask.start()
        self._pidfd = os.pidfd_open(self._helper.pid)
        self._alone(self._helper.pid)
        self._waker.watch(self._helper.answers, self._read)

    def _read(self) -> None:
        assert self._helper is not None, "a helper that is gone is not watched"
        try:
            more = os.read(self._helper.answers, 1 << 16)
        except BlockingIOError:
            return
        self._said += more
        if more and not self._said.endswith(b"\n"):
            return
        if more:
            reading = ask.parse(self._said)
        else:
            reading = Reading(trouble="the process that asks NVML has failed")
            self._end_helper()
        self._said = b""
        self._answer(reading)

    def _answer(self, reading: Reading) -> None:
        waiting, self._waiting, self._later = self._waiting, self._later, []
        self.deadline = None
        if self._waiting:
            self._send()
        for done in waiting:
            done(reading)

    def _end_helper(self) -> None:
        helper, self._helper = self._helper, None
        if helper is None:
            return
        self._waker.forget(helper.answers)
        os.close(helper.requests)
        os.close(helper.answers)
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
        self._stuck = self._pidfd


def _nobody(_reading: Reading) -> None:
    """Stands for one who does not wait any more."""
