"""Between fork and exec: all that can block or fail because of the job happens here."""

from __future__ import annotations

import errno
import os
import resource

from .exec import exec_command
from .files import Failed, Step, write_text
from .plan import Plan


class Child:
    """The process between fork and exec: all that can block or fail because of the job."""

    def __init__(self, plan: Plan, report: int) -> None:
        self._plan, self._report = plan, report
        self._in_cwd = self._err_done = False

    def run(self) -> None:
        """Become the job's first process, or say why not; never return."""
        try:
            self._prepare()
            self._exec()
        except Failed as failed:
            self._fail(failed.step, failed.error)
        except MemoryError:
            self._fail("exec", errno.ENOMEM)
        finally:
            os._exit(127)

    def _prepare(self) -> None:
        plan = self._plan
        if plan.umask >= 0:
            os.umask(plan.umask)
        with Step("chdir"):
            os.chdir(plan.get(b"cwd") or b".")
        self._in_cwd = True
        with Step("in"):
            open_as(0, plan.get(b"in"), os.O_RDONLY | os.O_NOCTTY)
        if plan.mkdirs:
            make_folders(plan.get(b"out"))
            make_folders(plan.get(b"err"))
        with Step("out"):
            open_as(1, plan.get(b"out"), plan.write_flags)
        self._err_done = True
        with Step("err"):
            self._open_err()
        if plan.cgroup is not None:
            write_text(plan.cgroup + b"/cgroup.procs", b"0")
        set_affinity(plan.get(b"affinity"))
        with Step("limits"):
            self._set_limits()

    def _open_err(self) -> None:
        """One file for both is opened once, or found to be one: its lines interleave."""
        out, err = self._plan.get(b"out"), self._plan.get(b"err")
        if out is None or out != err:
            open_as(2, err, self._plan.write_flags)
        if (out is not None and out == err) or os.path.sameopenfile(1, 2):
            os.dup2(1, 2)

    def _set_limits(self) -> None:
        for number, soft, hard in self._plan.limits:
            try:
                _set_limit(number, soft, hard)
            except ValueError:
                raise Failed("limits", errno.EINVAL) from None

    def _exec(self) -> None:
        plan = self._plan
        if plan.shell is None:
            raise Failed("exec", exec_command(plan.argv, plan.env))
        with Step("exec"):
            os.execve(b"/bin/sh", [b"/bin/sh", b"-c", b"--", plan.shell], plan.env)

    def _fail(self, step: str, error: int) -> None:
        """Say it to the shim first: the job's file may be full, or a pipe that nobody reads."""
        plan = self._plan
        os.write(self._report, f"{error} {step}".encode())
        err = plan.get(b"err")
        if not self._err_done and err is not None and (self._in_cwd or err[:1] == b"/"):
            open_as(2, err, plan.write_flags | os.O_NONBLOCK)
        name = plan.argv[0] if plan.shell is None else plan.shell
        why = f": {step}: {os.strerror(error)}\n".encode()
        os.write(2, b"hsched: cannot start " + name[:200] + why)


def open_as(target: int, path: bytes | None, flags: int) -> None:
    """Open ``path`` as descriptor ``target``; without one it stays ``/dev/null``."""
    if path is not None:
        fd = os.open(path, flags, 0o666)
        os.dup2(fd, target)
        os.close(fd)


def make_folders(path: bytes | None) -> None:
    """Make the folders that ``path`` needs; what cannot be made is told by the opening."""
    try:
        os.makedirs(os.path.dirname(path or b"") or b".", exist_ok=True)
    except OSError:
        return


def set_affinity(cores: bytes | None) -> None:
    """Keep to these cores, as in ``0-3,5``, as far as they exist."""
    try:
        spans = [span.split(b"-") for span in (cores or b"").split(b",")]
        chosen = [core for span in spans for core in range(int(span[0]), int(span[-1]) + 1)]
        os.sched_setaffinity(0, chosen)
    except (OSError, ValueError):
        return


def _set_limit(number: int, soft: int, hard: int) -> None:
    """Set a limit; where the submitter's was higher than the broker's, the broker's holds."""
    try:
        resource.prlimit(0, number, (soft, hard))
    except PermissionError:
        most = resource.prlimit(0, number)[1]
        resource.prlimit(0, number, (_least(soft, most), _least(hard, most)))


def _least(limit: int, most: int) -> int:
    infinite = resource.RLIM_INFINITY
    return limit if most == infinite or (limit != infinite and limit < most) else most
