"""Which file a command is, and how it is run: a shell's rules, with two of our own.

What has no ``#!`` but looks like text is run by ``/bin/sh``; so is a text file in
the working folder that lacks its x bit.
"""

from __future__ import annotations

import errno
import os
import stat

from .files import read_head


def exec_command(argv: list[bytes], env: dict[bytes, bytes]) -> int:
    """Become the command; return the most telling errno if that cannot be."""
    name, telling = argv[0], errno.ENOENT
    if not name:
        return errno.ENOENT
    if b"/" in name:
        return exec_file(name, argv, env)
    for folder in env.get(b"PATH", b"/usr/local/bin:/usr/bin:/bin").split(b":"):
        error = exec_file((folder or b".") + b"/" + name, argv, env)
        if error not in (errno.ENOENT, errno.ENOTDIR, errno.EACCES):
            return error
        telling = error if error == errno.EACCES else telling
    here = b"./" + name
    error = exec_file(here, argv, env)
    if error == errno.EACCES and is_text(here):
        error = exec_script(here, argv, env)
    return telling if error in (errno.ENOENT, errno.ENOTDIR) else error


def exec_file(path: bytes, argv: list[bytes], env: dict[bytes, bytes]) -> int:
    """Try ``path``; a text file without ``#!`` is for ``/bin/sh``."""
    try:
        os.execve(path, argv, env)
    except OSError as error:
        if error.errno == errno.ENOEXEC and is_text(path):
            return exec_script(path, argv, env)
        return error.errno or errno.EIO


def exec_script(path: bytes, argv: list[bytes], env: dict[bytes, bytes]) -> int:
    """Run ``path`` by ``/bin/sh``, and let it be no option of it."""
    named = b"./" + path if path[:1] == b"-" else path
    try:
        os.execve(b"/bin/sh", [b"/bin/sh", named, *argv[1:]], env)
    except OSError as error:
        return error.errno or errno.EIO


def is_text(path: bytes) -> bool:
    """Whether it is a regular file that can be read, without an early NUL."""
    try:
        regular = stat.S_ISREG(os.stat(path).st_mode)
    except OSError:
        return False
    head = read_head(path) if regular else None
    return head is not None and b"\0" not in head[:512]
