"""``python -m hsched.broker.slurm.helper LOCK``: runs commands, one after the other.

For each line of JSON on standard input it runs a command and writes a line about how that
went.  It ends when its broker is gone, after the command that it runs.  The lock is held
until then, by the command too: the next helper starts when nothing of this one can still
reach Slurm.
"""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from typing import Any


def main() -> None:
    """Serve until standard input is closed."""
    lock = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT, 0o600)
    os.set_inheritable(lock, True)
    fcntl.flock(lock, fcntl.LOCK_EX)
    for line in sys.stdin:
        print(json.dumps(_run(json.loads(line), lock)), flush=True)


def _run(asked: dict[str, Any], lock: int) -> dict[str, Any]:
    said: bytes = asked["input"].encode("utf-8", "surrogateescape")
    argv = [os.fsencode(word) for word in asked["argv"]]
    try:
        done = subprocess.run(
            argv,
            input=said,
            env=asked["env"],
            capture_output=True,
            timeout=asked["limit"],
            pass_fds=(lock,),
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {"status": None, "out": "", "err": f"{asked['argv'][0]} took longer than a minute"}
    except OSError as error:
        return {"status": None, "out": "", "err": f"{asked['argv'][0]}: {error.strerror}"}
    out, err = (text.decode("utf-8", "replace") for text in (done.stdout, done.stderr))
    return {"status": done.returncode, "out": out, "err": err}


if __name__ == "__main__":
    main()
