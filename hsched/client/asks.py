"""Each verb of the clients: the request, the type of its reply, and what is made of that.

The synchronous client and that for asyncio differ in how a request travels, and in
nothing else.  Messages are imported where they are used: commands must start fast.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from hsched.wire.jobs import JobsReply, JobsRequest
from hsched.wire.slots import ResourceView, SlotsReply, SlotsRequest
from hsched.wire.submit import Context, JobSpec, SubmitReply, SubmitRequest

if TYPE_CHECKING:
    from hsched.wire.choice import Choice
    from hsched.wire.devices import DevicesReply
    from hsched.wire.message import Message
    from hsched.wire.runs import RunView
    from hsched.wire.status import StatusReply
    from hsched.wire.stop import StopReply

R = TypeVar("R")


class Ask(Generic[R]):
    """A request, the type of its reply, and what the caller gets of it."""

    __slots__ = ("made_of", "reply", "request")

    def __init__(self, request: Message, reply: type[Message], made_of: Callable[[Any], R]) -> None:
        self.request = request
        self.reply = reply
        self.made_of = made_of


def submit(
    scheduler: str, specs: Sequence[JobSpec], context: Context | None
) -> Ask[tuple[str, ...]]:
    """Queue jobs; their ids."""
    from hsched.client.context import capture  # not needed by the reading commands

    request = SubmitRequest(
        context=context or capture(), jobs=tuple(specs), run=run_of_our_job(scheduler)
    )
    return Ask(request, SubmitReply, _ids)


def jobs(request: JobsRequest) -> Ask[JobsReply]:
    """One page of jobs."""
    return Ask(request, JobsReply, _itself)


def next_page(request: JobsRequest, page: JobsReply) -> JobsRequest | None:
    """Return the request for what comes after ``page``; None where it was the last."""
    if not page.more:
        return None
    return JobsRequest(**{**request.as_dict(), "after": page.last})


def jobs_request(
    words: Sequence[str],
    scope: str,
    states: Sequence[str],
    run: str | None,
    newest: tuple[int | None, str | None],
) -> JobsRequest:
    """Return the request for the first page; of ``newest`` so many, or those after an id."""
    last, after = newest
    return JobsRequest(
        scope=scope, states=tuple(states), words=tuple(words), run=run, last=last, after=after
    )


def kill(
    words: Iterable[str],
    everything: bool,
    states: Sequence[str],
    signal: int,
    grace: float | None,
) -> Ask[list[str]]:
    """Cancel jobs; their ids."""
    from hsched.wire.kill import KillReply, KillRequest

    request = KillRequest(
        words=tuple(words),
        everything=everything,
        states=tuple(states),
        signal=signal,
        grace=grace,
    )
    return Ask(request, KillReply, lambda reply: list(reply.ids))


def hold(words: Iterable[str], choice: dict[str, Any]) -> Ask[list[str]]:
    """Keep pending jobs from starting; their ids."""
    from hsched.wire.hold import HoldRequest

    return _chosen(HoldRequest, words, choice)


def release(words: Iterable[str], choice: dict[str, Any]) -> Ask[list[str]]:
    """Let held jobs start again; their ids."""
    from hsched.wire.release import ReleaseRequest

    return _chosen(ReleaseRequest, words, choice)


def suspend(words: Iterable[str], choice: dict[str, Any]) -> Ask[list[str]]:
    """Stop the processes of running jobs; the jobs' ids."""
    from hsched.wire.suspend import SuspendRequest

    return _chosen(SuspendRequest, words, choice)


def resume(words: Iterable[str], choice: dict[str, Any]) -> Ask[list[str]]:
    """Let the processes of suspended jobs continue; the jobs' ids."""
    from hsched.wire.resume import ResumeRequest

    return _chosen(ResumeRequest, words, choice)


def update(scheduler: str, words: Iterable[str], changes: dict[str, Any]) -> Ask[list[str]]:
    """Change what pending jobs ask for; their ids."""
    from hsched.wire.update import UpdateRequest

    return _chosen(UpdateRequest, words, {**changes, "run": run_of_our_job(scheduler)})


def remove(ids: Iterable[str]) -> Ask[list[str]]:
    """Take jobs off the list of tasks; their ids."""
    from hsched.wire.choice import Chosen
    from hsched.wire.remove import RemoveRequest

    return Ask(RemoveRequest(ids=tuple(ids)), Chosen, lambda reply: list(reply.ids))


def rerun(words: Iterable[str], failed: bool) -> Ask[tuple[str, ...]]:
    """Submit jobs again; the new ids."""
    from hsched.wire.rerun import RerunRequest

    return Ask(RerunRequest(words=tuple(words), failed=failed), SubmitReply, _ids)


def adopt(pid: int, slots: str, given: dict[str, Any]) -> Ask[tuple[str, ...]]:
    """Let a process hold slots; the id of its job alone."""
    from hsched.wire.adopt import AdoptRequest

    return Ask(AdoptRequest(pid=pid, slots=slots, **given), SubmitReply, _ids)


def slots() -> Ask[tuple[ResourceView, ...]]:
    """The resources."""
    return Ask(SlotsRequest(), SlotsReply, _resources)


def set_slots(spec: str) -> Ask[tuple[ResourceView, ...]]:
    """Set totals; the resources."""
    from hsched.wire.capacity import CapacityRequest

    return Ask(CapacityRequest(spec=spec), SlotsReply, _resources)


def drain_slots(words: Iterable[str], back: bool) -> Ask[tuple[ResourceView, ...]]:
    """Take slots out of use or put them back; the resources."""
    from hsched.wire.drain import DrainRequest

    return Ask(DrainRequest(words=tuple(words), back=back), SlotsReply, _resources)


def devices() -> Ask[DevicesReply]:
    """The GPUs."""
    from hsched.wire.devices import DevicesReply, DevicesRequest

    return Ask(DevicesRequest(), DevicesReply, _itself)


def status() -> Ask[StatusReply]:
    """How the scheduler stands."""
    from hsched.wire.status import StatusReply, StatusRequest

    return Ask(StatusRequest(), StatusReply, _itself)


def stop(**how: Any) -> Ask[StopReply]:
    """End the run and the broker."""
    from hsched.wire.stop import StopReply, StopRequest

    return Ask(StopRequest(**how), StopReply, _itself)


def runs() -> Ask[tuple[RunView, ...]]:
    """All runs of the scheduler."""
    from hsched.wire.runs import RunsReply, RunsRequest

    return Ask(RunsRequest(), RunsReply, lambda reply: tuple(reply.runs))


def run_of_our_job(name: str) -> str | None:
    """Return the run that our own job belongs to, where it is one of the same scheduler."""
    if os.environ.get("HSCHED_NAME") == name and "HSCHED_JOB_ID" in os.environ:
        return os.environ.get("HSCHED_RUN_ID")
    return None


def is_awaited(ids: Sequence[str], signal: int) -> bool:
    """Return whether a kill with ``signal`` has an end to wait for."""
    return bool(ids) and signal in (9, 15)


class Waiting:
    """Which of some jobs are not done yet."""

    def __init__(self, ids: Sequence[str], any_of: bool) -> None:
        self._left = set(ids)
        self._enough = len(self._left) - 1 if any_of else 0

    def is_over(self, identity: str, state: str) -> bool:
        """Take note of how a job stands, and return whether that was enough."""
        if state == "done":
            self._left.discard(identity)
        return len(self._left) <= self._enough


def _chosen(request: type[Choice], words: Iterable[str], fields: dict[str, Any]) -> Ask[list[str]]:
    from hsched.wire.choice import Chosen

    return Ask(request(words=tuple(words), **fields), Chosen, lambda reply: list(reply.ids))


def _ids(reply: SubmitReply) -> tuple[str, ...]:
    return reply.ids


def _resources(reply: SlotsReply) -> tuple[ResourceView, ...]:
    return reply.resources


def _itself(reply: Any) -> Any:
    return reply
