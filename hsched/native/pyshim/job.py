"""One job, held until nothing of it is left; and the shim around it."""

from __future__ import annotations

import errno
import fcntl
import os
import resource
import signal
import time
from math import inf

from .command import Child
from .files import Failed, Step, read_head, write_text
from .plan import Plan
from .record import COMMAND, ENDING, MEMORY, RECORD_FD, record_started, record_write
from .tree import (
    stat_fields,
    tree_freeze,
    tree_kill,
    tree_signal,
    tree_terminate,
    tree_terminate_stopped,
)

PLAN_FD, FIRST_STRAY_FD = 3, 5
RUNNING, TERMINATING, KILLING = range(3)

PR_SET_CHILD_SUBREAPER = 36
PF_FORKNOEXEC = 0x40
WALL = 0x40000000
#: 33+n asks for signal n.
SIGNAL_BASE = 33
#: Seconds between two looks at a tree that will not die.
FIRST_PAUSE, LONGEST_PAUSE = 0.01, 1.0
#: Seconds from TERM to a look for what did not get it; each further one is so much later.
FIRST_LOOK, LATER_LOOKS = 0.02, 3


class Job:
    """One job: its child, what is left of its tree, and how far its end has come."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._first = self._status = self._ended_at = 0
        self._report = -1
        self._failure = b""
        self._left = False
        self._phase = RUNNING
        self._deadline = self._pause = 0.0
        self._look = inf

    def start(self) -> None:
        """Fork the child.  Its pipe raises SIGIO when there is news."""
        self._report, theirs = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        fcntl.fcntl(self._report, fcntl.F_SETOWN, os.getpid())
        fcntl.fcntl(self._report, fcntl.F_SETFL, os.O_NONBLOCK | os.O_ASYNC)
        if (oom := self._plan.get(b"oom")) is not None:
            write_text(b"/proc/self/oom_score_adj", oom)  # the child inherits it
        self._first = os.fork()
        if self._first == 0:
            os.close(RECORD_FD)
            os.setsid()
            signal.pthread_sigmask(signal.SIG_SETMASK, [])
            Child(self._plan, theirs).run()
        os.close(theirs)

    def hold(self) -> None:
        """Return when nothing of the job is left, or what is left may stay."""
        while not self._reap():
            if self._first == 0 and not self._left and self._leave():
                return self._record_ending(2)
            self._read_report()
            if self._time_left() == 0:
                self._kill()
            self._look_again()
            self._act(wait_signal(self._patience()))
        self._end_cgroup()
        return self._record_ending(1 if self._left else 0)

    def _reap(self) -> bool:
        """Reap all that has ended; return whether no process is left."""
        while True:
            try:
                ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT | WALL)
            except ChildProcessError:
                return True
            if ended is None:
                return False
            if ended.si_pid == self._first:
                self._read_report()  # what was its word, and was there an exec?
                self._status = os.waitpid(self._first, WALL)[1]
                self._first, self._ended_at = 0, time.time_ns() // 1000
            else:
                os.waitpid(ended.si_pid, WALL)

    def _read_report(self) -> None:
        """Read the child's word, if it has one: a failure, or the silence of an exec."""
        if self._report < 0:
            return
        try:
            self._failure = os.read(self._report, 64)
        except BlockingIOError:
            return
        os.close(self._report)
        self._report = -1
        fields = stat_fields(self._first)
        if not self._failure and fields and not int(fields[6]) & PF_FORKNOEXEC:
            record_write(COMMAND, f"command {self._first} {int(fields[19])}\n")

    def _record_ending(self, left: int | str) -> None:
        if self._failure:
            record_write(ENDING, f"spawnfailed {self._failure.decode()}\n")
            return
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = int((used.ru_utime + used.ru_stime) * 1e6)
        code = os.waitstatus_to_exitcode(self._status)
        how = f"exited {code}" if code >= 0 else f"signalled {-code}"
        record_write(ENDING, f"{how} {cpu} {used.ru_maxrss} {self._ended_at} {left}\n")

    def _leave(self) -> bool:
        """Note that the first process has left something; return whether that may stay."""
        self._left = True
        if self._plan.leave and self._phase == RUNNING:
            return True
        self._record_ending("-")
        if self._phase == RUNNING:
            self._terminate()
        return False

    def _terminate(self) -> None:
        if self._phase == RUNNING and not self._plan.grace:
            self._start_killing()  # nobody could answer to TERM
            return
        if self._phase == RUNNING:
            self._phase, self._deadline = TERMINATING, time.monotonic() + self._plan.grace
        tree_terminate(self._first)
        if self._phase == TERMINATING:
            self._look_later(FIRST_LOOK)

    def _look_later(self, pause: float) -> None:
        self._pause, self._look = pause, time.monotonic() + pause

    def _look_again(self) -> None:
        """Tell those of the end that were not there when the others were told."""
        if self._phase == TERMINATING and time.monotonic() >= self._look:
            tree_terminate_stopped()
            self._look_later(self._pause * LATER_LOOKS)

    def _start_killing(self) -> None:
        self._phase, self._pause, self._deadline = KILLING, FIRST_PAUSE, 0.0

    def _kill(self) -> None:
        """Kill in ever longer intervals: what then lives on is in the kernel's hands."""
        if self._phase == TERMINATING:
            self._start_killing()
        if self._plan.cgroup is not None:
            write_text(self._plan.cgroup + b"/cgroup.kill", b"1")
        tree_kill(self._first)
        self._deadline = time.monotonic() + self._pause
        self._pause = min(2 * self._pause, LONGEST_PAUSE)

    def _act(self, number: int) -> None:
        asked = number - SIGNAL_BASE
        if number == signal.SIGTERM:
            self._terminate()
        elif asked == signal.SIGKILL:
            self._start_killing()
        elif asked == signal.SIGSTOP:
            tree_freeze(self._first)
            self._look = inf  # it shall stay stopped
        elif 1 <= asked <= 31:
            tree_signal(asked)

    def _time_left(self) -> float | None:
        if self._phase == RUNNING:
            return None
        return max(0.0, self._deadline - time.monotonic())

    def _patience(self) -> float | None:
        left = self._time_left()
        if self._phase != TERMINATING or left is None:
            return left
        return min(left, max(0.0, self._look - time.monotonic()))

    def _end_cgroup(self) -> None:
        """Record the peak of the whole tree, and remove the folder."""
        if self._plan.cgroup is None:
            return
        if peak := read_head(self._plan.cgroup + b"/memory.peak"):
            record_write(MEMORY, f"memory {int(peak) // 1024}\n")
        try:
            os.rmdir(self._plan.cgroup)
        except OSError:
            return


def wait_signal(timeout: float | None) -> int:
    """Wait for any signal; return its number, or 0 when ``timeout`` seconds have passed."""
    signals = signal.valid_signals()
    if timeout is None:
        return signal.sigwaitinfo(signals).si_signo
    news = signal.sigtimedwait(signals, timeout)
    return news.si_signo if news else 0


def tidy() -> None:
    """Block all signals at their default action, close what the broker did not mean to give."""
    signals = signal.valid_signals()
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    for number in signals - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_DFL)
    strays = [int(name) for name in os.listdir("/proc/self/fd")]
    os.closerange(FIRST_STRAY_FD, max(strays) + 1)
    for fd in (PLAN_FD, RECORD_FD):
        os.set_inheritable(fd, False)
    try:
        os.setsid()
    except OSError:
        return


def become_subreaper() -> None:
    """Let orphans of the tree come to this process; without that no promise would hold."""
    try:
        import ctypes

        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    except ImportError:
        raise Failed("fork", errno.ENOSYS) from None


def read_plan() -> Plan:
    """Read the plan and close it."""
    with Step("plan"):
        data = os.pread(PLAN_FD, os.fstat(PLAN_FD).st_size, 0)
        os.close(PLAN_FD)
    try:
        return Plan(data)
    except ValueError:
        raise Failed("plan", errno.EINVAL) from None


def main() -> None:
    """Hold the job of the plan."""
    tidy()
    record_started()
    try:
        plan = read_plan()
        become_subreaper()
        job = Job(plan)
        with Step("fork"):
            job.start()
    except Failed as failed:
        record_write(ENDING, f"spawnfailed {failed.error} {failed.step}\n")
    else:
        job.hold()
