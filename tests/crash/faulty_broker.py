"""A broker that kills itself at the n-th checkpoint: ``python -m tests.crash.faulty_broker``.

Only tests have this door: the real program never passes a checkpoint function.
"""

from __future__ import annotations

import os
import signal
import sys

from hsched import paths
from hsched.broker import daemon, premises


def main() -> None:
    """Serve scheduler NAME with SPEC; count checkpoints into a file, and die at number N."""
    name, spec, passed, fatal = sys.argv[1:5]
    count = 0

    def checkpoint(step: str) -> None:
        nonlocal count
        count += 1
        with open(passed, "a", encoding="ascii") as file:
            file.write(f"{count} {step}\n")
        if count == int(fatal):
            os.kill(os.getpid(), signal.SIGKILL)

    place = paths.place(name)
    os.makedirs(place.folder, mode=0o700, exist_ok=True)
    lock = premises.take_lock(place)
    daemon.serve(daemon.build(place, daemon.Settings(spec=spec), lock, checkpoint))


if __name__ == "__main__":
    main()
