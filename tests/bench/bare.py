"""The limit: starting programs and waiting for them, and nothing else.

``python tests/bench/bare.py COUNT IN_FLIGHT COMMAND [ARG]...``; all of it must succeed.
"""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run COMMAND so often, so many at a time."""
    count, in_flight, command = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    started = ended = 0
    while ended < count:
        while started < count and started - ended < in_flight:
            os.posix_spawn(command[0], command, os.environ)
            started += 1
        _, status = os.wait()
        ended += 1
        if status:
            sys.exit(f"{command} ended with status {status}")


if __name__ == "__main__":
    main()
