"""The interface of launchers, and the one that gives tasks to this machine's scheduler."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from hsched.errors import WrongUsage
from hsched.experiment.connectors import Connector, LocalConnector

#: What stands in the place of a task that a warm interpreter runs.
STUB = os.path.join(os.path.dirname(os.path.dirname(__file__)), "warm_stub.py")

if TYPE_CHECKING:
    from hsched.experiment.jobs import Job


class Launcher:
    """Says how tasks become jobs; derive from it to change what a job holds or runs.

    ``slots``, ``time``, ``job_priority`` and ``grace`` hold for tasks that say nothing
    themselves; ``scheduler`` is the name of the one that gets the jobs.  ``priority`` is for
    choosing among launchers.
    """

    def __init__(
        self,
        connector: Connector | None = None,
        *,
        priority: float = 0,
        scheduler: str | None = None,
        **defaults: Any,
    ) -> None:
        """Make a launcher.

        Raises:
            WrongUsage: there is no such default.
        """
        self.connector = connector or LocalConnector.instance()
        self.priority = priority
        self.scheduler = scheduler
        self.environ: dict[str, str] = {}
        unknown = set(defaults) - {"slots", "time", "job_priority", "grace"}
        if unknown:
            raise WrongUsage(f"{type(self).__name__}: no option `{min(unknown)}`")
        self.slots: str | None = defaults.get("slots")
        self.time: str | float | None = defaults.get("time")
        self.job_priority: int | None = defaults.get("job_priority")
        self.grace: float | None = defaults.get("grace")

    def setenv(self, name: str, value: str, override: bool = True) -> None:
        """Give every task a variable; without ``override``, one that is set stays."""
        if override or name not in self.environ:
            self.environ[name] = value

    def select(self) -> Launcher:
        """Return the launcher that the next task gets: itself, where there is no choice."""
        return self

    def onSubmit(self, job: Job) -> None:  # the interface's name
        """Do what a job needs before its hooks are applied; nothing by default."""

    def engine_options(self, job: Job) -> tuple[str, ...]:
        """Return the options for the engine that runs the scheduler's jobs; none by default."""
        return ()

    def command(self, job: Job) -> tuple[str, ...]:
        """Return the words that the scheduler runs for ``job``; its script is written by then."""
        if job.warm is not None:
            return (job.interpreter, "-I", "-S", STUB, job.warm, str(job.script))
        return (job.interpreter, str(job.script))

    def prepare(self, job: Job) -> None:
        """Write what :meth:`command` needs besides the script; nothing by default."""


class DirectLauncher(Launcher):
    """Runs tasks on this machine, in the slots that its scheduler counts."""
