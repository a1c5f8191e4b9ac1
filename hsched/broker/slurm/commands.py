"""Slurm's commands, run one at a time by a helper process: the broker never waits for one."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sys
from collections.abc import Callable, Sequence
from typing import NamedTuple

from hsched.broker.waker import Waker

#: After so many seconds a command is given up; it may have been carried out.
_LIMIT_S = 60

#: What Slurm's commands find in their environment, of that of the broker.
_PASSED = (
    "HOME",
    "LANG",
    "LOGNAME",
    "PATH",
    "SBATCH_ACCOUNT",
    "SBATCH_PARTITION",
    "SBATCH_QOS",
    "SBATCH_RESERVATION",
    "SLURM_CONF",
    "USER",
)
_BLOCK = 1 << 20


class Answer(NamedTuple):
    """How a command went; ``status`` is None where it could not be run to its end."""

    status: int | None
    out: str
    err: str


Then = Callable[[Answer], None]


def environment() -> dict[str, str]:
    """Return the environment of Slurm's commands, and so of the batch script."""
    return {name: os.environ[name] for name in _PASSED if name in os.environ}


class Commands:
    """The helper, started with the first command, and again where somebody killed it."""

    def __init__(self, waker: Waker, lock: str) -> None:
        self._waker, self._lock = waker, lock
        self._socket: socket.socket | None = None
        self._then: Then | None = None
        self._received = b""

    @property
    def busy(self) -> bool:
        """Whether a command runs; another one must wait for its answer."""
        return self._then is not None

    def ask(self, argv: Sequence[str], then: Then, said: str = "") -> None:
        """Run a command that reads ``said``, and call ``then`` with its answer."""
        assert not self.busy, "one command at a time"
        helper = self._socket or self._start()
        self._then = then
        asked = {"argv": list(argv), "input": said, "limit": _LIMIT_S, "env": environment()}
        helper.setblocking(True)  # it reads at once, or is gone
        with contextlib.suppress(OSError):
            helper.sendall(json.dumps(asked).encode() + b"\n")
        helper.setblocking(False)

    def forget(self) -> None:
        """Call nobody with the answer of the command that runs; wait for it all the same."""
        if self._then is not None:
            self._then = _nobody

    def close(self) -> None:
        """Let the helper end, once its command has."""
        if self._socket is not None:
            self._waker.forget(self._socket.fileno())
            self._socket.close()
            self._socket = None

    def _start(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        with theirs:
            end = theirs.fileno()
            os.posix_spawn(
                sys.executable,
                [sys.executable, "-m", "hsched.broker.slurm.helper", self._lock],
                os.environ,
                file_actions=[(os.POSIX_SPAWN_DUP2, end, 0), (os.POSIX_SPAWN_DUP2, end, 1)],
                setsid=True,
            )
        self._socket, self._received = ours, b""
        ours.setblocking(False)
        self._waker.watch(ours.fileno(), self._readable)
        return ours

    def _readable(self) -> None:
        assert self._socket is not None, "only a live helper is watched"
        try:
            block = self._socket.recv(_BLOCK)
        except BlockingIOError:
            return
        except ConnectionError:
            block = b""
        self._received += block
        if not block:
            self._ended()
        elif self._received.endswith(b"\n"):
            line, self._received = self._received, b""
            self._answer(Answer(**json.loads(line)))

    def _ended(self) -> None:
        self.close()
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        self._answer(
            Answer(None, "", "the helper that runs Slurm's commands was killed: try again")
        )

    def _answer(self, answer: Answer) -> None:
        then, self._then = self._then, None
        if then is not None:
            then(answer)


def _nobody(_answer: Answer) -> None:
    """Take an answer that nobody waits for any more."""
