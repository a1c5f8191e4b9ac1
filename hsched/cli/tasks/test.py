"""``hsched test``: whether the scheduler, or a task, runs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from hsched import network, paths
from hsched.cli.common import Command, put
from hsched.cli.tasks.common import called, is_running, pick, place_of, scheduler_option
from hsched.client import Client
from hsched.errors import NotRunning

if TYPE_CHECKING:
    from hsched.wire.jobs import JobView

#: How long a task that is just being started may take to have a process, in seconds.
_STARTING_S = 10.0


@click.command("hsched test", cls=Command, examples=("hsched test", "hsched test pipeline/train"))
@click.argument("task", required=False, metavar="[TASK]")
@scheduler_option
def command(scheduler: str | None, task: str | None) -> int:
    """Say whether the scheduler runs, or a task, and with which process id.

    The exit status is 1 where it does not. Nothing is started for it.
    """
    pid = _broker(scheduler)
    if pid is None:
        put(["Backend is not running."])
        return 1
    if task is None:
        put([f"backend is running with PID {pid}."])
        return 0
    with Client(scheduler) as client:
        jobs = pick(client, (task,), False, scope="all")
        live = [job for job in jobs if job.state != "done"] or jobs[-1:]
        found = [_with_pid(client, job) for job in live]
    put(
        f"{called(job)} is running with PID {job.pid}."
        if job.pid is not None
        else f"{called(job)} is not running."
        for job in found
    )
    return 0 if all(job.pid is not None for job in found) else 1


def _broker(scheduler: str | None) -> int | None:
    """Return the process of the scheduler, None where it does not run."""
    tcp = network.address()
    if tcp is not None and not tcp.is_loopback:  # perhaps on another machine, so it is asked
        try:
            with Client(scheduler) as client:
                return client.status().pid
        except NotRunning:
            return None
    place = place_of(scheduler)
    address = paths.read_address(place)
    return address.pid if address is not None and is_running(place) else None


def _with_pid(client: Client, job: JobView) -> JobView:
    """Return the task once it has a process, or does not run any more."""
    deadline = time.monotonic() + _STARTING_S
    while job.pid is None and job.state in ("starting", "running"):
        if time.monotonic() > deadline:
            break
        time.sleep(0.01)  # between fork and exec there is no process of it yet
        job = next(client.jobs(job.id, scope="all"))
    return job
