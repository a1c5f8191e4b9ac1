"""make's jobserver, made for one job out of the slots that it holds.

A jobserver is a pipe with a byte for each recipe that may run at once beyond the first: who
starts one more takes a byte, and puts it back afterwards.  Here it belongs to the job, as
the slots do: both come back when the job has ended, whoever in it was killed.
"""

from __future__ import annotations

import fcntl
import os

#: A make that finds the descriptors closed writes into whatever file has the numbers then.
HIGH = 100

#: From this version on make knows a jobserver that is a FIFO, and passes it on to everyone.
_FIFO_SINCE = (4, 4)
_AUTH_SINCE = (4, 2)

#: They speak with a FIFO, whatever make there is, and ninja with nothing else.
_FIFO_ALONE = (b"ninja", b"ninja-build", b"samu")


def set_up(environment: dict[bytes, bytes], slots: int, folder: bytes, command: bytes) -> None:
    """Make a jobserver that lasts as long as this process, and tell of it in MAKEFLAGS.

    ``slots`` is how many recipes may run at once; a FIFO is made in ``folder``.
    """
    version = (9, 0)
    if os.path.basename(command) not in _FIFO_ALONE:
        version = make_version(environment) or version
    if version >= _FIFO_SINCE and len(folder.split()) == 1:
        path, write = _fifo(folder)
        auth = b"--jobserver-auth=fifo:" + path
    else:
        read, write = map(_raised, os.pipe())
        option = b"auth" if version >= _AUTH_SINCE else b"fds"
        auth = b"--jobserver-%b=%d,%d" % (option, read, write)
    os.write(write, b"+" * (slots - 1))
    flags = [word for word in environment.get(b"MAKEFLAGS", b"").split(b" ") if not _is_old(word)]
    environment[b"MAKEFLAGS"] = b" ".join([*flags, b"-j%d" % slots, auth])
    if len(flags) == 0 or flags[0].startswith(b"-"):
        environment[b"MAKEFLAGS"] = b" " + environment[b"MAKEFLAGS"]  # the first word is letters


def has_one(environment: dict[bytes, bytes]) -> bool:
    """Return whether there is a jobserver already, of a make around us."""
    return b"--jobserver" in environment.get(b"MAKEFLAGS", b"")


def make_version(environment: dict[bytes, bytes]) -> tuple[int, int] | None:
    """Return the version of the make on the PATH of ``environment``, None where there is none."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.dup2(os.open(os.devnull, os.O_RDWR), 2)
            os.dup2(write, 1)
            os.execvpe(b"make", [b"make", b"--version"], environment)
        finally:
            os._exit(127)
    os.close(write)
    with open(read, "rb") as file:
        words = file.read().split(b"\n")[0].split(b" ")
    os.waitpid(pid, 0)
    if words[:2] != [b"GNU", b"Make"]:
        return None
    major, _, rest = words[2].partition(b".")
    minor = rest.partition(b".")[0]
    return (int(major), int(minor)) if major.isdigit() and minor.isdigit() else None


def _fifo(folder: bytes) -> tuple[bytes, int]:
    os.makedirs(folder, mode=0o700, exist_ok=True)
    path = folder + b"/jobserver"
    os.mkfifo(path, 0o600)
    return path, _raised(os.open(path, os.O_RDWR))


def _raised(descriptor: int) -> int:
    """Return the same file under a high number, which is inherited."""
    try:
        return fcntl.fcntl(descriptor, fcntl.F_DUPFD, HIGH)
    finally:
        os.close(descriptor)


def _is_old(word: bytes) -> bool:
    return not word or word.startswith((b"-j", b"--jobs", b"--jobserver"))
