"""A child that waits for a word, and then becomes the command.

It is made before anything else: so its pid is known when the job is queued, and the
command never runs without somebody who watches it.  The word comes by a pipe; where that
ends without one, the child ends as well, whatever killed its parent.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping, Sequence
from typing import NoReturn

from hsched.native.pyshim.exec import exec_command

#: Signals that the interpreter ignores for itself, and a command expects at their default.
_PIPE, _FILE_SIZE = 13, 25

#: Gets the argv and the environment of the command, in the child, and may change them.
Prepare = Callable[[list[bytes], dict[bytes, bytes]], None]


class Child:
    """``pid`` waits until :meth:`go` or :meth:`give_up`."""

    def __init__(self, argv: Sequence[bytes], prepare: Prepare) -> None:
        """Fork; ``argv`` is looked up and run as a job's command is, after ``prepare``."""
        self._argv, self._prepare = list(argv), prepare
        word, self._word = os.pipe()
        self._failure, failure = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.close(self._word)
                os.close(self._failure)
                self._become(word, failure)
            finally:
                os._exit(127)
        os.close(word)
        os.close(failure)

    def go(self, variables: Mapping[str, str], unless_set: Mapping[str, str] | None = None) -> int:
        """Let it run with these variables as well; return 0, or the errno where it cannot.

        Those of ``unless_set`` it gets where it has none of that name.  A child that has
        been killed meanwhile is told by its wait status.
        """
        new = {k: v for k, v in (unless_set or {}).items() if k not in os.environ}
        pairs = (os.fsencode(f"{name}={value}") for name, value in {**new, **variables}.items())
        with contextlib.suppress(BrokenPipeError):
            os.write(self._word, b"\0".join([b"go", *pairs]))
        os.close(self._word)
        with open(self._failure, "rb") as failure:
            return int(failure.read() or b"0")

    def give_up(self) -> None:
        """Let it end without having run anything, and reap it."""
        os.close(self._word)
        os.close(self._failure)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, 0)

    def _become(self, word: int, failure: int) -> NoReturn:
        with open(word, "rb") as file:
            said = file.read()
        if not said:
            os._exit(0)
        environment = without_outer(os.environb)
        environment.update(pair.partition(b"=")[::2] for pair in said.split(b"\0")[1:])
        self._prepare(self._argv, environment)
        import signal

        for number in (_PIPE, _FILE_SIZE):
            signal.signal(number, signal.SIG_DFL)
        os.write(failure, b"%d" % exec_command(self._argv, environment))
        os._exit(127)


def without_outer(environment: Mapping[bytes, bytes]) -> dict[bytes, bytes]:
    """Return ``environment`` less the slots that an outer job told; its jobserver stays."""
    return {
        name: value
        for name, value in environment.items()
        if name not in (b"HSCHED_ARRAY_INDEX", b"HSCHED_LEASE")
        and not (name[:5] == b"QUEUE" and name[5:].isdigit())
    }
