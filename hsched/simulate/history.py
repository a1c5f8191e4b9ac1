"""A scheduler's own history as a workload, read through the client like by any script.

A job that ran and is done counts, as long as it was held by its last attempt.  What it
waited for, it waits for here: a dependency that was met is met as soon as its upstream
job has started (``after``) or is done (all others), for it is known how that ended.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from hsched.client import Client
from hsched.core.model import Condition, Resource
from hsched.errors import Refused, WrongUsage
from hsched.simulate import workload
from hsched.simulate.workload import TraceJob, Workload, is_too_large
from hsched.wire.jobs import Held, JobView


def read_history(client: Client, resources: Sequence[Resource], run: str | None = None) -> Workload:
    """Return the done jobs of a run, the newest unless named, that fit ``resources``.

    Amounts go by the name of the resource; of one that is not among ``resources`` there
    is nothing.

    Raises:
        Refused: no job of that run is done.
        WrongUsage: a resource has slots here and is an amount there, or the reverse.
        HschedError: the history cannot be read.
    """
    views = list(client.jobs(scope="done", run=run))
    if not views:
        raise Refused(f"no job of scheduler {client.name} is done in this run; --run names others")
    return _Reader(resources).workload(views)


class _Reader:
    def __init__(self, resources: Sequence[Resource]) -> None:
        self._resources = resources
        self._names = [resource.name for resource in resources]
        self._left_out: Counter[str] = Counter()
        self._jobs: list[TraceJob] = []
        #: The positions of a job, or of all elements of an array, by the id that people type.
        self._positions: dict[str, list[int]] = {}

    def workload(self, views: Iterable[JobView]) -> Workload:
        first: float | None = None
        now = 0.0
        for view in views:
            run_s, amounts = _run_s(view), self._amounts(view)
            if view.submitted_at is None or run_s is None:
                self._left_out[workload.NO_RUN_TIME] += 1
            elif amounts is None or is_too_large(amounts, self._resources):
                self._left_out[workload.TOO_LARGE] += 1
            else:
                submitted = _seconds(view.submitted_at)
                first = submitted if first is None else first
                # In order of id, whatever was done to the clock in between.
                now = max(now, submitted - first)
                job = TraceJob(
                    label=view.id,
                    submit_s=now,
                    run_s=run_s,
                    estimate_s=run_s,
                    amounts=amounts,
                    priority=view.priority,
                    upstreams=tuple(self._upstreams(view)),
                )
                self._add(view, job)
        return Workload(tuple(self._jobs), self._left_out)

    def _add(self, view: JobView, job: TraceJob) -> None:
        for name in {view.id, view.array_id or view.id}:
            self._positions.setdefault(name, []).append(len(self._jobs))
        self._jobs.append(job)

    def _upstreams(self, view: JobView) -> Iterator[tuple[int, Condition]]:
        for edge in view.depends_on:
            after = edge.condition == Condition.AFTER.value
            for position in self._positions.get(edge.id, ()):
                yield position, Condition.AFTER if after else Condition.AFTERANY

    def _amounts(self, view: JobView) -> tuple[int, ...] | None:
        for name, held in (view.allocation or {}).items():
            self._check_kind(name, held)
        if any(h.amount and name not in self._names for name, h in view.request.items()):
            return None
        nothing = Held(amount=0)
        return tuple(view.request.get(name, nothing).amount for name in self._names)

    def _check_kind(self, name: str, held: Held) -> None:
        if name not in self._names or not held.amount:
            return
        resource = self._resources[self._names.index(name)]
        was_numbered = held.slots is not None
        if resource.numbered != was_numbered:
            was, example = ("slots", "6") if was_numbered else ("an amount", "32G")
            raise WrongUsage(f"{name} was {was} in that run: in --slots, give {name}={example}")


def _run_s(view: JobView) -> float | None:
    if view.started_at is None or view.ended_at is None:
        return None
    return max(0.0, _seconds(view.ended_at) - _seconds(view.started_at))


def _seconds(stamp: str) -> float:
    return datetime.fromisoformat(stamp.replace("Z", "+00:00")).timestamp()
