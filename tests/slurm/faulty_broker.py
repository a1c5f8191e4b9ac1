"""A broker on the cluster that kills itself at the n-th pass of one of its steps."""

from __future__ import annotations

import os
import signal
import sys

from hsched import paths
from hsched.broker import daemon, premises


def main() -> None:
    """Serve the default scheduler; die when step STEP is passed for the Nth time."""
    fatal, times = sys.argv[1], int(sys.argv[2])
    passed = 0

    def checkpoint(step: str) -> None:
        nonlocal passed
        passed += step == fatal
        if passed == times:
            os.kill(os.getpid(), signal.SIGKILL)

    place = paths.place("default")
    os.makedirs(place.folder, mode=0o700, exist_ok=True)
    settings = daemon.Settings(spec="6,2,32", engine="slurm", engine_options=("poll=0.1",))
    daemon.serve(daemon.build(place, settings, premises.take_lock(place), checkpoint))


if __name__ == "__main__":
    main()
