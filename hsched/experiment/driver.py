"""``with experiment(workspace, name) as xp:``: within it tasks can be submitted.

At its end it waits until all of them are done.  Tasks belong to the scheduler, so they go on
without it; run again, the same script takes up where it was.
"""

from __future__ import annotations

import os
import sys
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar

from hsched.client import Client
from hsched.errors import WrongUsage
from hsched.experiment import asking, records, running, runtime, settings
from hsched.experiment.bar import Bar
from hsched.experiment.board import Board
from hsched.experiment.endings import FailedExperiment, Failure, GracefulExperimentExit
from hsched.experiment.jobs import Asked, Job, JobState, Watch
from hsched.experiment.launchers import DirectLauncher, Launcher
from hsched.experiment.link import Link
from hsched.experiment.modes import RunMode
from hsched.experiment.report import failure_report
from hsched.experiment.schedulers import Scheduler
from hsched.experiment.tokens import CounterToken
from hsched.experiment.verdict import judge
from hsched.experiment.warming import Warmth
from hsched.experiment.watching import OutputWatcher
from hsched.experiment.worker import Worker
from hsched.experiment.workspace import Workspace
from hsched.wire.subscribe import Change


class experiment:
    """A run of an experiment; a context manager."""

    #: The one that is open in this process.
    CURRENT: ClassVar[experiment | None] = None

    def __init__(
        self,
        workspace: str | os.PathLike[str] | settings.WorkspaceSettings | None,
        name: str,
        *,
        launcher: Launcher | None = None,
        scheduler: str | None = None,
        run_mode: RunMode = RunMode.NORMAL,
        warm: bool | Sequence[str] = False,
        **defaults: Any,
    ) -> None:
        """Describe a run; ``with`` begins it.

        Args:
            workspace: a folder, or the id of a workspace in the settings.
            name: runs of one name come one after the other.
            launcher: how tasks are run that name none.
            scheduler: the name of the scheduler that gets the tasks.
            run_mode: to write or tell what would be run only.
            warm: run tasks by forks of an interpreter that has imported their modules, and
                those named here; see docs/experiments.md for when not to.
            defaults: ``slots``, ``time``, ``priority``, ``grace`` and ``max_retries`` of
                tasks that say nothing themselves.

        Raises:
            WrongUsage: a name, a default or the settings make no sense.
        """
        records.check_name(name)
        self.name = name
        self.run_mode = run_mode
        known = settings.load()
        chosen = workspace
        if not isinstance(chosen, settings.WorkspaceSettings):
            chosen = known.choose(chosen, name)
        self.workspace = Workspace(chosen)
        self.launcher = launcher or DirectLauncher(scheduler=scheduler)
        self.defaults = _defaults(defaults, chosen.max_retries)
        self.environ: dict[str, str] = {**known.env, **chosen.env}
        self.lock = threading.RLock()  # submissions, from whatever thread, one at a time
        self._scheduler = scheduler
        self._bar = Bar(name)
        self.board = Board(self._changed)
        self._watcher = OutputWatcher(self.board)
        self._notifications = Worker("task-notifications", self.board)
        self._links: dict[str, Link] = {}
        self._schedulers: dict[str, Scheduler] = {}
        self._run: records.Run | None = None
        self._warm = warm
        self._warmth: Warmth | None = None

    @staticmethod
    def current() -> experiment:
        """Return the experiment that is open.

        Raises:
            WrongUsage: none is.
        """
        return active()

    @property
    def workdir(self) -> Path:
        """The folder of this run."""
        assert self._run is not None, "the experiment has begun"
        return self._run.folder

    @property
    def jobspath(self) -> Path:
        """The folder of all tasks of the workspace."""
        return self.workspace.jobspath

    @property
    def resultspath(self) -> Path:
        """A folder of this run that is the user's."""
        return self.workdir / "results"

    @property
    def jobs(self) -> list[Job]:
        """The tasks, in the order of their submission."""
        return self.board.jobs

    @property
    def failedJobs(self) -> list[Job]:  # the model's name
        """The tasks that failed, and those that never ran because of them."""
        return self.board.failed

    @property
    def failed(self) -> bool:
        """Whether a task has failed so far."""
        return bool(self.board.failed)

    def setenv(self, name: str, value: str, override: bool = True) -> None:
        """Give tasks that are submitted from now on a variable."""
        if override or name not in self.environ:
            self.environ[name] = value

    def token(self, name: str, count: int) -> CounterToken:
        """Return a token, of which there are ``count`` for all experiments of this user."""
        return CounterToken(name, count)

    def wait(self) -> bool:
        """Wait until all tasks so far are done; return whether all succeeded."""
        self.board.wait()
        return not self.failed

    def __enter__(self) -> experiment:
        """Begin the run, after another of the same name has ended.

        Raises:
            WrongUsage: an experiment is open already, this process runs a task, or the
                workspace cannot be written to.
        """
        if runtime.now is not None or running.task is not None:
            raise WrongUsage(
                f"experiment {self.name!r} begins within a task: the task's process reads this "
                "file to find its class; put the experiment under `if __name__ == '__main__':`"
            )
        if experiment.CURRENT is not None:
            raise WrongUsage(f"experiment {experiment.CURRENT.name!r} is open; leave it first")
        self.workspace.create()
        self._run = records.Run(self.workspace, self.name)
        self._bar.open()
        experiment.CURRENT = self
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        """Wait for all tasks, unless the body was left by an exception.

        Raises:
            FailedExperiment: tasks failed; the text says which and why.
        """
        status = records.FAILED
        try:
            if kind is None:
                self.wait()
                status = records.FAILED if self.failed else records.DONE
            elif issubclass(kind, GracefulExperimentExit):
                status = records.DETACHED
            elif issubclass(kind, KeyboardInterrupt):
                status = records.INTERRUPTED
        except KeyboardInterrupt:
            status = records.INTERRUPTED
            raise
        finally:
            self._leave(status)
        if kind is None and self.failed:
            raise FailedExperiment(failure_report(self.name, self.failedJobs, len(self.jobs)))
        return status == records.DETACHED

    def stop(self) -> None:
        """End all tasks of this experiment that are live."""
        for name in self._links:
            live = [job.id for job in self.jobs if job.id is not None]
            with Client(name) as client:
                client.kill(live)

    # What follows is for the other modules of this package.

    def enter(self, job: Job, state: JobState) -> None:
        """Take in a task, or one that failed and is to run again."""
        assert self._run is not None, "the experiment has begun"
        with self.board.lock:
            if self.board.find(job.relpath) is None:
                self.board.add(job)
                self._run.note(job)
                if job.watches:
                    self._watcher.begin(job, job.watches)
            if state is JobState.DONE:
                self._finish(job, JobState.DONE)
            else:
                self.board.change(job, state)

    def complete(self, job: Job, callback: Callable[[], object]) -> None:
        """Call back once when ``job`` has succeeded."""
        with self.board.lock:
            if job.state is JobState.DONE:
                self._notifications.put(callback)
            else:
                job.completions.append(callback)

    def watch(self, job: Job, watches: Sequence[Watch]) -> None:
        """Call back with what a task has given out that was submitted before."""
        with self.board.lock:
            if not watches:
                return
            job.watches += watches
            self._watcher.begin(job, watches)
            if job.state is JobState.DONE:
                self._watcher.catch_up(job, for_good=True)

    def scheduler_of(self, job: Job) -> Scheduler:
        """Return the scheduler that gets a job."""
        assert job.launcher is not None
        name = job.launcher.scheduler or self._scheduler or ""
        return self._schedulers.setdefault(name, Scheduler(name or None))

    def warm_address(self) -> str | None:
        """Return where the warm interpreter listens, None where none was asked for."""
        if self._warm is False:
            return None
        if self._warmth is None:
            modules = () if self._warm is True else tuple(self._warm)
            self._warmth = Warmth(modules, self.workdir / "warm.log")
        return self._warmth.address

    def link_of(self, job: Job) -> Link:
        """Return the thread that speaks with the scheduler of a job."""
        name = self.scheduler_of(job).name
        if name not in self._links:
            self._links[name] = Link(name, self.board, self._ended)
        return self._links[name]

    def _ended(self, job: Job, change: Change, client: Client) -> bool:
        """Decide what comes of a task whose job is done; True where it is to run again."""
        attempts = 1 if not job.resumable else next(client.jobs(change.id, scope="all")).attempt
        verdict = judge(job, change, attempts)
        if not verdict.again:
            state = JobState.ERROR if verdict.failure else JobState.DONE
            self._finish(job, state, verdict.failure)
        return verdict.again

    def _finish(self, job: Job, state: JobState, failure: Failure | None = None) -> None:
        with self.board.lock:
            if job.watches:
                self._watcher.catch_up(job, for_good=state is JobState.DONE)
            if state is JobState.DONE:
                while job.completions:
                    self._notifications.put(job.completions.pop(0))
            self.board.change(job, state, failure)

    def _changed(self, job: Job) -> None:
        self._bar.show(self.board)

    def _leave(self, status: str) -> None:
        """End the threads and the record of the run; tasks go on."""
        assert self._run is not None
        for link in self._links.values():
            link.close()
        if status in (records.DONE, records.FAILED):
            self._watcher.close()
            self._notifications.close()
        self._bar.close(self.board)
        if self._warmth is not None:
            self._warmth.close()
        counts = Counter({state.value: n for state, n in self.board.counts().items()})
        self._run.end(status, counts)
        experiment.CURRENT = None
        live = sum(not job.state.finished for job in self.jobs)
        if live:
            print(
                f"hsched: {live} tasks of experiment {self.name} go on; run this again to wait "
                f"for them, or end them with `hkill --label {self.name}`",
                file=sys.stderr,
            )


def active() -> experiment:
    """Return the experiment that is open.

    Raises:
        WrongUsage: none is.
    """
    if experiment.CURRENT is None:
        raise WrongUsage(
            "no experiment is open; submit tasks within `with experiment(FOLDER, NAME):`"
        )
    return experiment.CURRENT


def experiment_of(job: Job) -> experiment:
    """Return the open experiment that a job belongs to.

    Raises:
        WrongUsage: none is open that has it.
    """
    opened = active()
    if opened.board.find(job.relpath) is not job:
        raise WrongUsage(f"{job.relpath} does not belong to experiment {opened.name}")
    return opened


def _defaults(given: dict[str, Any], max_retries: int) -> Asked:
    unknown = given.keys() - {"slots", "time", "priority", "grace", "max_retries"}
    if unknown:
        raise WrongUsage(f"experiment: no option `{min(unknown)}`")
    base = Asked(max_retries=max_retries)
    checks: dict[str, Callable[[Any], Any]] = {
        "slots": asking.slots_of,
        "time": lambda value: asking.seconds("time", value),
        "priority": lambda value: asking.whole("priority", value),
        "grace": lambda value: asking.seconds("grace", value),
        "max_retries": lambda value: asking.count("max_retries", value),
    }
    fields = {"time": "time_limit"}
    checked = {name: checks[name](value) for name, value in given.items() if value is not None}
    return base._replace(**{fields.get(name, name): value for name, value in checked.items()})
