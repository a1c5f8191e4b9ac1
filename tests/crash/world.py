"""A real broker beside a model of what it must do, and the comparison of the two.

The jobs of this world each write down that they started, then wait at a FIFO for the
status that they shall exit with.  So every end is the test's own decision.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hsched import paths
from hsched.client import Client, launch
from hsched.wire.jobs import JobView
from hsched.wire.submit import Context, JobSpec
from tests.e2e.shell import Shell, is_alive

CORES = 4
PATIENCE_S = 60.0

LINE = 'echo "$HSCHED_JOB_ID" >> started; read status < "end.$HSCHED_JOB_ID"; exit "$status"'

#: When a dependant may start, given how its upstream ended.
MET: dict[str, Callable[[str], bool]] = {
    "afterany": lambda outcome: True,
    "afterok": lambda outcome: outcome == "succeeded",
    "afternotok": lambda outcome: outcome != "succeeded",
}


@dataclass
class Modelled:
    """What the model knows of a job; ``outcome`` None while it is live."""

    amount: int
    upstream: str | None
    condition: str
    outcome: str | None = None
    exit_status: int | None = None


class World:
    """Operations on a broker, each followed by :meth:`check`."""

    def __init__(self) -> None:
        self.shell = Shell()
        self.jobs: dict[str, Modelled] = {}
        self.crashes = 0
        os.environ["HSCHED_HOME"] = str(self.shell.home)
        self.place = paths.place("default")
        launch.launch(self.place, [f"--spec={CORES}"], time.monotonic() + PATIENCE_S)
        self.client = Client(timeout=PATIENCE_S)

    def close(self) -> None:
        """End everything."""
        self.client.close()
        self.shell.close()
        del os.environ["HSCHED_HOME"]

    # What a user can do

    def submit(self, amount: int, upstream: str | None, condition: str) -> None:
        """Submit a job that may depend on another."""
        identity = str(len(self.jobs) + 1)
        os.mkfifo(self.shell.folder / f"end.{identity}")
        spec = JobSpec(
            slots=str(amount),
            shell=LINE,
            dependencies=() if upstream is None else (f"{condition}:{upstream}",),
            grace=0.5,
        )
        context = Context(environment=self.shell.env, cwd=str(self.shell.folder), umask=0o022)
        assert self.client.submit(spec, context).id == identity
        self.jobs[identity] = Modelled(amount, upstream, condition)
        self._settle_dependants()

    def cancel(self, identity: str) -> None:
        """Cancel a live job; the call returns when it is gone."""
        assert self.client.kill([identity]) == [identity]
        self.jobs[identity].outcome = "cancelled"
        self._settle_dependants()

    def finish(self, identity: str, status: int) -> None:
        """Let a running job exit, and wait until the broker knows."""
        self._tell(identity, status)
        assert self.client.wait([identity], timeout=PATIENCE_S)
        self._settle_dependants()

    def finish_without_broker(self, identity: str, status: int) -> None:
        """Let a running job exit while no broker lives."""
        shim = self._shim(identity)
        self._kill_broker()
        self._tell(identity, status)
        self._until(lambda: not is_alive(shim))
        self._settle_dependants()

    def lose(self, identity: str) -> None:
        """Kill the shim of a running job."""
        os.kill(self._shim(identity), signal.SIGKILL)
        assert self.client.wait([identity], timeout=PATIENCE_S)
        self.jobs[identity].outcome = "lost"
        self._settle_dependants()

    def crash(self) -> None:
        """Kill the broker; the next operation brings it back."""
        self._kill_broker()

    # What must hold

    def running(self) -> list[str]:
        """Return the jobs that hold slots."""
        return [view.id for view in self.client.jobs() if view.state != "pending"]

    def live(self) -> list[str]:
        """Return the jobs that are not done, by the model."""
        return [identity for identity, job in self.jobs.items() if job.outcome is None]

    def check(self) -> None:
        """Compare the broker with the model.

        No slot is held twice; held and free make the capacity; nothing started before its
        dependencies; nothing started twice; who ended ended as the model says; the first job
        that may start and fits has started.
        """
        self._until(self._all_started_are_written)
        views = {view.id: view for view in self.client.jobs(scope="all")}
        assert views.keys() == self.jobs.keys()
        holding = [view for view in views.values() if view.state in ("starting", "running")]
        slots = [slot for view in holding for slot in _slots(view)]
        assert len(slots) == len(set(slots)), f"a slot is held twice: {views}"
        (cores,) = self.client.slots()
        assert (cores.used, cores.used + cores.free) == (len(slots), CORES)
        started = self._started()
        assert len(started) == len(set(started)), f"a job started twice: {started}"
        for identity, job in self.jobs.items():
            self._compare(identity, job, views[identity])
        ready = [job for job in views.values() if job.state == "pending" and self._is_ready(job)]
        if ready:
            assert self.jobs[ready[0].id].amount > cores.free, f"{ready[0]} could run"

    def _compare(self, identity: str, job: Modelled, view: JobView) -> None:
        told = (view.state == "done", view.outcome)
        assert told == (job.outcome is not None, job.outcome), f"{identity}: {job} {view}"
        if job.exit_status is not None:
            assert view.exit_status == job.exit_status
        if identity in self._started():
            upstream = self.jobs.get(job.upstream or "")
            if upstream is not None:
                assert upstream.outcome is not None, f"{identity} ran before its dependency"
                assert MET[job.condition](upstream.outcome)

    def _is_ready(self, view: JobView) -> bool:
        job = self.jobs[view.id]
        return job.upstream is None or self.jobs[job.upstream].outcome is not None

    def _settle_dependants(self) -> None:
        """Work out in the model who can never run."""
        for job in self.jobs.values():
            upstream = self.jobs.get(job.upstream or "")
            ended = None if upstream is None else upstream.outcome
            if job.outcome is None and ended is not None and not MET[job.condition](ended):
                job.outcome = "dependency failed"

    def _all_started_are_written(self) -> bool:
        return set(self.running()) <= set(self._started())

    def _started(self) -> list[str]:
        with contextlib.suppress(FileNotFoundError):
            return (self.shell.folder / "started").read_text().split()
        return []

    def _tell(self, identity: str, status: int) -> None:
        self._until(self._all_started_are_written)
        with open(self.shell.folder / f"end.{identity}", "w", encoding="ascii") as fifo:
            fifo.write(f"{status}\n")
        job = self.jobs[identity]
        job.outcome, job.exit_status = ("succeeded" if status == 0 else "failed"), status

    def _shim(self, identity: str) -> int:
        self._until(self._all_started_are_written)
        mark = os.fsencode(self.shell.home)
        for pid in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError):
                words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
                is_shim = b" ".join(words).rstrip().endswith(b"hsched-shim " + identity.encode())
                if is_shim and mark in os.fsencode(os.readlink(f"/proc/{pid}/fd/4")):
                    return int(pid)
        raise AssertionError(f"job {identity} has no shim")

    def _kill_broker(self) -> None:
        address = paths.read_address(self.place)
        assert address is not None
        with contextlib.suppress(ProcessLookupError):
            os.kill(address.pid, signal.SIGKILL)
        self._until(lambda: not is_alive(address.pid))
        self.crashes += 1

    def _until(self, look: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not look():
            assert time.monotonic() < deadline, self.shell.describe()
            time.sleep(0.005)


def _slots(view: JobView) -> tuple[int, ...]:
    held = (view.allocation or {}).get("cores")
    return () if held is None or held.slots is None else held.slots
