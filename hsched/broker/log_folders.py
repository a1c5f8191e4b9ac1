"""Where the logs of named jobs go: a folder of that name in the run's folder.

Names of tasks are unique among those that live, so a task's folder is its name, and a
task that comes again adds to the logs that are there.  Other jobs may share a name, with
tasks too: the first gets the folder, each later one a folder with its id in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hsched.core.model import State, format_job_id
from hsched.core.names import fault_of_whole
from hsched.errors import Refused, WrongUsage
from hsched.wire.submit import JobSpec

if TYPE_CHECKING:
    from hsched.broker.broker import Broker

#: The kind of jobs whose names are unique.
TASK = "task"


class LogFolders:
    """The folders of one submission; ``of`` is asked for each of its jobs in order."""

    def __init__(self, broker: Broker) -> None:
        self._store, self._run = broker.store, broker.run.number
        self._here: set[str] = set()

    def of(self, spec: JobSpec, number: int) -> JobSpec:
        """Return ``spec`` with its folder, None where it has no name or is an array.

        Raises:
            WrongUsage: a task's name cannot be one, or stands twice in the batch.
            Refused: a task of that name is live.
        """
        folder = self._folder(spec, number)
        if folder == spec.log_folder:
            return spec
        return JobSpec(**{**spec.as_dict(), "log_folder": folder})

    def _folder(self, spec: JobSpec, number: int) -> str | None:
        name = spec.name
        if spec.kind == TASK:
            return self._of_task(name or "")
        if name is None or spec.array or spec.pid is not None or fault_of_whole(name):
            return None
        is_first = name not in self._here and not self._store.called(self._run, name)
        self._here.add(name)
        return name if is_first else f"{name}~{number}"

    def _of_task(self, name: str) -> str:
        fault = fault_of_whole(name)
        if fault:
            raise WrongUsage(f"task name {name[:80]!r}: {fault}")
        if name in self._here:
            raise WrongUsage(f"two tasks are called {name}; give each a name of its own")
        self._here.add(name)
        known = self._store.called(self._run, name)
        live = [job_id for job_id, state in known if state != State.DONE.value]
        if live:
            raise Refused(
                f"there is a task {name} already (job {format_job_id(live[0])}); "
                "wait for its end, remove it, or give this one another name"
            )
        return name
