"""Being the parent of the command as if one were not there: signals, stops, and the end.

The command stays in our process group, so what the terminal sends reaches both of us.  We
keep all of these signals blocked and look at each: one that a process has sent to us is
passed on, one of the terminal is not, for the command has had it.  When the command stops
we stop in the same way, so that the shell takes its terminal back.

``PR_SET_CHILD_SUBREAPER`` makes us the parent of all that it leaves behind, so that
"no child" is "nothing left".
"""

from __future__ import annotations

import ctypes
import os
import signal
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from hsched.native.pyshim import tree

if TYPE_CHECKING:
    import resource

_SET_CHILD_SUBREAPER = 36

_PASSED_ON = frozenset(
    (
        signal.SIGHUP,
        signal.SIGINT,
        signal.SIGQUIT,
        signal.SIGTERM,
        signal.SIGUSR1,
        signal.SIGUSR2,
        signal.SIGALRM,
        signal.SIGWINCH,
        signal.SIGCONT,
        signal.SIGTSTP,
    )
)
#: By these a user ends us; when the command dies of the same one, so do we.
ENDING = frozenset((signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM))


class Ended(NamedTuple):
    """How the command ended: exit status or signal, what it used, and what it left.

    ``received`` are the ending signals that we got ourselves, from whomever.
    """

    exit_status: int | None
    signal: int | None
    cpu_s: float
    peak_memory_bytes: int
    tree_left: str
    received: frozenset[int]


class Relay:
    """Holds one child, from before it runs until nothing of it is left."""

    def __init__(self, child: int, grace_s: float, leave_children: bool) -> None:
        """Block the signals from now on.

        ``grace_s`` is the time between TERM and KILL for what the command leaves.
        """
        self._child, self._grace_s, self._leave = child, grace_s, leave_children
        self._received: set[int] = set()
        ignored = {one for one in _PASSED_ON if signal.getsignal(one) is signal.SIG_IGN}
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # ignored, it would take the status away
        self._mask = (_PASSED_ON - ignored) | {signal.SIGCHLD}
        self._before = signal.pthread_sigmask(signal.SIG_BLOCK, self._mask)
        ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

    def hold(self, limit_s: float | None = None) -> Ended:
        """Return when the command has ended, and what it left is gone or may stay.

        After ``limit_s`` seconds it is ended, with all that it started.
        """
        deadline = None if limit_s is None else time.monotonic() + limit_s
        status, used = self._first(deadline)
        left = self._rest()
        code = os.waitstatus_to_exitcode(status)
        self._received |= signal.sigpending() & ENDING
        return Ended(
            exit_status=code if code >= 0 else None,
            signal=-code if code < 0 else None,
            cpu_s=used[0],
            peak_memory_bytes=used[1],
            tree_left=left,
            received=frozenset(self._received),
        )

    def _first(self, deadline: float | None) -> tuple[int, tuple[float, int]]:
        """Wait for the end of the command itself."""
        while True:
            for pid, status, usage in _news():
                if pid == self._child and os.WIFSTOPPED(status):
                    self._stop_as_well(os.WSTOPSIG(status))
                elif pid == self._child:
                    cpu_s = usage.ru_utime + usage.ru_stime
                    return status, (cpu_s, usage.ru_maxrss * 1024)
            if deadline is not None and time.monotonic() >= deadline:
                deadline = None
                self._end_tree()
            else:
                self._take(deadline)

    def _rest(self) -> str:
        """End what the command has left; return what is to be said of it."""
        for _ in _news():
            pass
        if not _has_children():
            return "nothing"
        if self._leave:
            return "running"
        self._end_tree()
        return "ended"

    def _end_tree(self) -> None:
        """End all of the tree, but for the status of the command, which is not taken here."""
        tree.tree_terminate(0)
        limit = time.monotonic() + self._grace_s
        while self._anyone_lives() and time.monotonic() < limit:
            if self._take(limit) in ENDING:
                break  # who asks a second time has no patience
        while self._anyone_lives():
            tree.tree_kill(0)
            self._take(time.monotonic() + 0.1)

    def _anyone_lives(self) -> bool:
        """Reap all but the command; return whether something runs."""
        for pid in list(tree.tree()):
            if pid != self._child and _is_zombie(pid):
                _reap(pid)
        return any(not _is_zombie(pid) for pid in tree.tree())

    def _take(self, deadline: float | None) -> int:
        """Wait for one signal and do what it means; return its number, 0 when the time is up."""
        if deadline is None:
            info: signal.struct_siginfo | None = signal.sigwaitinfo(self._mask)
        else:
            info = signal.sigtimedwait(self._mask, max(0.0, deadline - time.monotonic()))
        if info is None:
            return 0
        number = info.si_signo
        if number in ENDING:
            self._received.add(number)
        # Above 0 is the kernel's own: the terminal has told the command as well.
        if number != signal.SIGCHLD and info.si_code <= 0 and not _is_below(info.si_pid):
            _send(self._child, number)
        return number

    def _stop_as_well(self, number: int) -> None:
        """Stop by the signal that has stopped the command, and go on together with it."""
        if number != signal.SIGSTOP:
            signal.sigtimedwait({number}, 0)  # ours, of the same key: once is enough
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})
        os.kill(os.getpid(), number)
        signal.pthread_sigmask(signal.SIG_BLOCK, self._mask)
        if not _has_changed(self._child):
            _send(self._child, signal.SIGCONT)


def die_of(number: int) -> None:
    """End by a signal that is at its default action, without a core of our own."""
    import resource  # for this alone

    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})
    os.kill(os.getpid(), number)


def _news() -> Iterator[tuple[int, int, resource.struct_rusage]]:
    """Yield what can be waited for now: pid, status, usage."""
    while True:
        try:
            pid, status, usage = os.wait4(-1, os.WNOHANG | os.WUNTRACED)
        except ChildProcessError:
            return
        if pid == 0:
            return
        yield pid, status, usage


def _has_children() -> bool:
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def _has_changed(pid: int) -> bool:
    """Whether a child that had stopped went on, stopped anew or ended since: a shell tells both.

    Then it must not be told to go on: a Ctrl-Z may have come in between.
    """
    states = os.WEXITED | os.WSTOPPED | os.WCONTINUED
    try:
        return os.waitid(os.P_PID, pid, states | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return True


def _is_zombie(pid: int) -> bool:
    fields = tree.stat_fields(pid)
    return fields is None or fields[0] in (b"Z", b"X")


def _reap(pid: int) -> None:
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return  # a zombie of somebody in the tree


def _is_below(pid: int) -> bool:
    """Return whether the sender of a signal descends from us: it knows whom else it told."""
    while pid > 1:
        if pid == os.getpid():
            return True
        fields = tree.stat_fields(pid)
        if fields is None:
            return False
        pid = int(fields[1])
    return False


def _send(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
