"""`Task`, and what is like one: configurations that do something."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar, cast

from hsched.experiment.config import Config
from hsched.experiment.errors import WrongAttribute, WrongValue
from hsched.experiment.state import is_config, state_of

T = TypeVar("T")


class DependentMarker(Protocol):
    """What `task_outputs` is given as ``dep``: marks what exists once the task has run."""

    def __call__(self, config: T, /) -> T:
        """Return the configuration, marked: who uses it depends on the task."""


class Shown(Generic[T]):
    """An attribute that is worked out, and that a parameter of its name comes before."""

    def __init__(self, get: Callable[[Any], T]) -> None:
        self._get = get
        self.__doc__ = get.__doc__

    def __get__(self, one: Any, owner: type | None = None) -> T:
        """Return the value for an object; for the class, what it is."""
        return self._get(one) if one is not None else cast("T", self)


class LightweightTask(Config):
    """What runs within the process of a task, before it: ``submit(init_tasks=[...])``."""

    def execute(self) -> None:
        """Do it."""
        raise NotImplementedError(f"{type(self).__qualname__} has no execute()")


class Task(Config):
    """A configuration that can be submitted; the same one is never run twice."""

    __hsched_is_task__ = True

    if TYPE_CHECKING:
        #: While it runs: its folder, and the one shared by those that differ in a partial only.
        __taskdir__: ClassVar[Path]
        __maintaskdir__: ClassVar[Path]

    def execute(self) -> None:
        """Do it; the working directory is the task's own."""
        raise NotImplementedError(f"{type(self).__qualname__} has no execute()")

    def task_outputs(self, dep: DependentMarker) -> Any:
        """Return what `submit` returns; by default the task itself."""
        return dep(self)

    def submit(self, *, init_tasks: Iterable[Any] = (), **options: Any) -> Any:
        """Submit it to the experiment that is open, and return its outputs.

        Args:
            init_tasks: what runs in the task's process before it.
            options: `slots`, `time`, `priority`, `launcher`, `max_retries` and others; see
                `hsched.experiment.submission.submit`.

        Raises:
            WrongValue: a value is missing, or it was submitted before.
        """
        if not is_config(self):
            raise WrongValue("submit() can only be used on a configuration, not in a running task")
        from hsched.experiment import submission

        return submission.submit(self, init_tasks=list(init_tasks), **options)

    @Shown
    def job(self) -> Any:
        """What the submission knows about it: its state, folder and exit."""
        return self._submitted()

    @Shown
    def jobpath(self) -> Path:
        """The folder of the task."""
        folder = state_of(self).folder
        return folder if folder is not None else Path(self._submitted().path)

    def stdout(self) -> Path:
        """Return the file that its standard output goes to.

        Raises:
            WrongAttribute: it has not been submitted.
        """
        return Path(self._submitted().stdout)

    def stderr(self) -> Path:
        """Return the file that its standard error goes to.

        Raises:
            WrongAttribute: it has not been submitted.
        """
        return Path(self._submitted().stderr)

    def wait(self) -> Any:
        """Wait for its end, and return the state of its job.

        Raises:
            WrongAttribute: it has not been submitted.
        """
        return self._submitted().wait()

    def _submitted(self) -> Any:
        job = state_of(self).job
        if job is None:
            raise WrongAttribute(f"{self!r} has not been submitted")
        return job

    def on_completed(self, callback: Callable[[], object]) -> None:
        """Call back once when it has succeeded; at once where it has."""
        from hsched.experiment import submission

        submission.on_completed(self, callback)

    def watch_output(self, method: Callable[..., T], callback: Callable[[T], object]) -> None:
        """Call back with each output that a method produces while the task runs.

        Raises:
            TypeError: the task is no `ResumableTask`.
        """
        from hsched.experiment import submission

        submission.watch_output(self, method, callback)


class ResumableTask(Task):
    """A task that can be run again when its time was up, and goes on from its checkpoints."""

    def remaining_time(self) -> float | None:
        """Return the seconds that are left before it is ended; None without a limit."""
        from hsched.experiment import runtime

        return runtime.remaining_time()
