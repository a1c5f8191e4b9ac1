"""Submitting a plan: one message, one transaction, whatever the number of its tasks."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from hsched.client.context import capture
from hsched.errors import HschedError, NoAnswer
from hsched.tasks.devices import device_fields
from hsched.tasks.planned import RETRY_STATUS, Plan, PlannedTask
from hsched.wire.submit import Context, JobSpec

if TYPE_CHECKING:
    from hsched.client import Client, Job
    from hsched.tasks.groups import Node

#: The program of a task that is a function.
RUNNER = os.path.join(os.path.dirname(__file__), "runner.py")


def submit(*exported: Node, client: Client | None = None) -> list[Job]:
    """Queue tasks and groups, all or none, and return a handle on each task in order.

    Raises:
        TaskError: something in them cannot be; nothing was queued.
        Refused: one asks for more than there is, or has the name of a live task.
    """
    from hsched.client import Client
    from hsched.tasks.compiling import compiled

    found = compiled(exported)
    if client is not None:
        return submit_plan(client, found.plan, found.payload)
    with Client() as own:
        return submit_plan(own, found.plan, found.payload)


def submit_plan(
    client: Client, plan: Plan, payload: bytes = b"", context: Context | None = None
) -> list[Job]:
    """Queue the tasks of a plan, all or none.

    ``payload`` has the pickled functions and hooks; the broker never looks into it.

    Raises:
        Refused: one asks for more than there is, or has the name of a live task.
    """
    path = write_payload(client.status().folder, payload) if payload else ""
    try:
        resources = client.slots()
        specs = [
            job_spec(number, task, path, device_fields(task, resources))
            for number, task in enumerate(plan.tasks)
        ]
        return client.submit_batch(specs, context or capture())
    except NoAnswer:
        raise  # they may be queued all the same, and would miss what was pickled
    except HschedError:
        if path:
            os.unlink(path)
        raise


def job_spec(number: int, task: PlannedTask, payload: str, devices: dict[str, Any]) -> JobSpec:
    """Return the job that task ``number`` of a plan becomes."""
    argv = task.argv
    if task.start is not None:
        argv = (sys.executable, RUNNER, payload, str(task.start), str(task.length))
    return JobSpec(
        **devices,
        kind="task",
        name=task.name,
        log_folder=task.name,
        label=str(number),
        argv=argv,
        shell=task.shell if task.start is None else None,
        environment=task.environment,
        append=True,
        dependencies=task.after,
        priority=task.priority,
        time_limit=task.time_limit,
        grace=task.grace,
        retries=task.retries,
        retry_on=(RETRY_STATUS,) if task.retries else (),
    )


def write_payload(run_folder: str, payload: bytes) -> str:
    """Write what was pickled into the run's folder, for the jobs alone; return the path."""
    folder = os.path.join(run_folder, "payloads")
    os.makedirs(folder, mode=0o700, exist_ok=True)
    path = os.path.join(folder, os.urandom(8).hex())
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(payload)
    return path
