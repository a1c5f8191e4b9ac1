"""A hrun that kills itself at a step: ``python -m tests.crash.faulty_hrun STEP WORD...``.

Only tests have this door: the steps are methods of the real program, wrapped from outside.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from hsched.cli import hrun
from hsched.client.child import Child
from hsched.client.foreground import Foreground
from hsched.client.relay import Relay

#: In the order in which hrun takes them.
STEPS = {
    "fork": (Child, "__init__"),
    "queue": (Foreground, "queue"),
    "turn": (Foreground, "wait_for_turn"),
    "block": (Relay, "__init__"),
    "go": (Child, "go"),
    "hold": (Relay, "hold"),
    "finish": (Foreground, "finish"),
}


def wrap(step: str, when: str) -> None:
    """Have the process die right before or after a step."""
    owner, name = STEPS[step]
    real: Callable[..., Any] = getattr(owner, name)

    def fatal(*arguments: Any) -> Any:
        if when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = real(*arguments)
        os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, name, fatal)


def main() -> None:
    """Be hrun, up to ``before STEP`` or ``after STEP``."""
    when, step = sys.argv.pop(1).split()
    wrap(step, when)
    hrun.main()


if __name__ == "__main__":
    main()
