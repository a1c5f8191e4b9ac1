"""From a task that is described to a job: what `Task.submit` does."""

from __future__ import annotations

import sys
from collections import ChainMap
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from hsched.errors import WrongUsage
from hsched.experiment import folders, hooks
from hsched.experiment.asking import asked_of, choose_launcher, wants_warmth
from hsched.experiment.errors import WrongValue
from hsched.experiment.graph import dependencies, in_order, parts, task_of
from hsched.experiment.identity import qualified_name
from hsched.experiment.jobs import Job, JobState, Watch
from hsched.experiment.marking import Marker
from hsched.experiment.modes import RunMode
from hsched.experiment.sealing import Context, seal
from hsched.experiment.state import is_config, state_of
from hsched.experiment.tagging import tags
from hsched.experiment.tokens import TokenDependency

if TYPE_CHECKING:
    from hsched.experiment.run import experiment

#: Where a task that is not submitted yet keeps the callbacks that it was given.
_WATCHES, _COMPLETIONS = "watches", "completions"


def submit(config: Any, *, init_tasks: Iterable[Any] = (), **options: Any) -> Any:
    """Submit a task to the experiment that is open, and return its outputs.

    ``options`` are ``slots`` (``"2,1,8"``), ``time`` (``"2h"``, or seconds), ``priority``,
    ``grace`` (seconds), ``max_retries``, ``launcher`` and ``run_mode``.  A task that has
    succeeded, here or in any earlier experiment of the workspace, is not run; one that is
    live is joined.  Nothing is waited for.

    Raises:
        WrongValue: a value is missing, it is no task, or it was submitted before.
        WrongUsage: no experiment is open, or an option makes no sense.
        Refused: the scheduler has not got what the task asks for.
    """
    from hsched.experiment.run import active

    if not state_of(config).is_task:
        raise WrongValue(f"{config!r} is not a task: derive its class from Task")
    opened = active()
    with opened.lock:
        return _submit(config, opened, init_tasks, options)


def _submit(
    config: Any, opened: experiment, init_tasks: Iterable[Any], options: dict[str, Any]
) -> Any:
    launcher = choose_launcher(options.get("launcher"), opened.launcher)
    asked = asked_of(config, options, launcher, opened.defaults)
    seal(config, Context(opened.workspace.path, init_tasks))
    job, is_new = _job_of(config, opened)
    state_of(config).job = job
    _take_callbacks(config, job, opened)
    if is_new or job.state is JobState.ERROR:
        job.asked, job.launcher = asked, launcher
        _prepare(job, opened)
        _start(job, opened, options.get("run_mode") or opened.run_mode)
    return config.task_outputs(Marker(config))


def on_completed(config: Any, callback: Callable[[], object]) -> None:
    """Have ``callback`` called, once, when the task has succeeded; also where it has already."""
    job: Job | None = state_of(config).job
    if job is None:
        state_of(config).cache.setdefault(_COMPLETIONS, []).append(callback)
        return
    from hsched.experiment.run import experiment_of

    experiment_of(job).complete(job, callback)


def watch_output(
    config: Any, method: Callable[..., Any], callback: Callable[[Any], object]
) -> None:
    """Have ``callback`` called with each thing that ``method`` makes while the task runs.

    ``method`` is that of a configuration in the task, such as ``validation.checkpoint``.

    Raises:
        TypeError: the task is none that can be resumed, or ``method`` is no such method.
    """
    from hsched.experiment.tasks import ResumableTask

    if not isinstance(config, ResumableTask):
        raise TypeError(
            f"watch_output: {qualified_name(type(config))} is no ResumableTask, and only "
            "those give out outputs while they run"
        )
    owner = getattr(method, "__self__", None)
    if not is_config(owner):
        raise TypeError(f"watch_output: {method!r} is no method of a configuration")
    watch = Watch(owner, method, callback)
    job: Job | None = state_of(config).job
    if job is None:
        state_of(config).cache.setdefault(_WATCHES, []).append(watch)
        return
    from hsched.experiment.run import experiment_of

    experiment_of(job).watch(job, [watch])


def _job_of(config: Any, opened: experiment) -> tuple[Job, bool]:
    """Return the job of a sealed task, and whether the experiment had none for it."""
    digest = state_of(config).digest
    assert digest is not None, "sealing gives it an identity"
    kind = qualified_name(type(config))
    known = opened.board.find(f"{kind}/{digest.hex()}")
    if known is not None:
        return known, False
    return Job(config, kind, digest.hex(), opened.workspace), True


def _take_callbacks(config: Any, job: Job, opened: experiment) -> None:
    cache = state_of(config).cache
    is_known = opened.board.find(job.relpath) is job
    watches, completions = cache.pop(_WATCHES, []), cache.pop(_COMPLETIONS, [])
    if not is_known:
        job.watches += watches
        job.completions += completions
        return
    opened.watch(job, watches)
    for callback in completions:
        opened.complete(job, callback)


def _prepare(job: Job, opened: experiment) -> None:
    """Fill in all that the job needs, by what its configuration says."""
    from hsched.experiment.tasks import ResumableTask

    assert job.launcher is not None
    job.experiment = opened.name
    job.resumable = isinstance(job.config, ResumableTask)
    job.environ = ChainMap({}, job.launcher.environ, opened.environ)
    job.tags = dict(tags(job.config))
    needed = dependencies(job.config)
    job.tokens = [one.plain() for one in needed if isinstance(one, TokenDependency)]
    tasks = [one for one in needed if not isinstance(one, TokenDependency)]
    job.dependencies = tuple(dict.fromkeys(_upstream(one, opened) for one in tasks))


def _upstream(task: Any, opened: experiment) -> Job:
    job = state_of(task).job
    if not isinstance(job, Job):
        raise WrongValue(f"{task!r}: The value must be submitted before giving it to a task")
    if opened.board.find(job.relpath) is None and not job.state.finished:
        raise WrongUsage(f"{job.relpath} is of an experiment that was left before it had ended")
    return job


def _start(job: Job, opened: experiment, mode: RunMode) -> None:
    """Bring a task to its end: it is there already, or is given to the scheduler."""
    assert job.launcher is not None
    if mode is RunMode.DRY_RUN:
        _simulate(job, opened)
        return
    if job.is_done():
        opened.enter(job, JobState.DONE)
        return
    job.launcher.onSubmit(job)
    for hook in hooks.distinct(_classes(job.config)):
        hook.process(job, job.launcher)
    if mode is RunMode.NORMAL:
        scheduler = opened.scheduler_of(job)
        scheduler.check(job.asked.slots)
        job.engine = scheduler.engine()
    folders.write(job)
    job.launcher.prepare(job)
    if mode is RunMode.NORMAL and job.engine == "local" and wants_warmth(job):
        job.warm = opened.warm_address()
    if mode is RunMode.GENERATE_ONLY:
        opened.enter(job, JobState.DONE)
        return
    opened.enter(job, JobState.UNSCHEDULED)
    opened.link_of(job).submit(job)


def _classes(config: Any) -> list[type]:
    """Return the classes of all configurations of a task, but not of earlier tasks."""

    def _below(one: Any) -> list[Any]:
        if one is not config and task_of(one) is not None:
            return []
        return parts(one)

    found = in_order(config, _below, lambda one: one is not config and state_of(one).is_task)
    return [type(one).__hsched_class__ for one in found]


def _simulate(job: Job, opened: experiment) -> None:
    print(f"[not run] Simulating {job.path}", file=sys.stderr)
    print(f"   Launcher: {type(job.launcher).__name__}, slots {job.asked.slots}", file=sys.stderr)
    for upstream in job.dependencies:
        print(f"   Dependency: {upstream.relpath}", file=sys.stderr)
    opened.enter(job, JobState.DONE)
