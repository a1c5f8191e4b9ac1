"""Starting jobs when the machine is full: they wait, and none fails for it."""

from __future__ import annotations

import errno
from typing import Any

import pytest

from hsched.broker.starter import Starter
from hsched.core.effects import EndJob, StartJob
from hsched.core.events import Event, Submitted
from hsched.core.model import NewJob, OutcomeKind, Request, Resource, State, job_id
from hsched.core.scheduler import Scheduler


class FullMachine:
    """A broker whose shims cannot be started."""

    def __init__(self, error: int) -> None:
        self.scheduler = Scheduler([Resource("cores", 1)])
        self.error = error
        self.effects: list[Any] = []
        self.stop_request = None
        self.place = self.ledger = self.shims = self.devices = self.standby = self
        self.name = self.run_folder = ""
        self.foreground: set[int] = set()  # no hrun
        self.checkpoints: list[str] = []

    def apply(self, event: Event) -> None:
        self.effects += self.scheduler.handle(event, 0.0)

    def checkpoint(self, step: str) -> None:
        self.checkpoints.append(step)

    def holds_back(self, _: StartJob) -> bool:
        return False

    def has_begun(self, _: StartJob) -> bool:
        return False

    def forget(self, _: StartJob) -> bool:
        return False

    def ran_s(self, _: int) -> float:
        return 0.0

    def plan(self, *_: object) -> None:
        return None

    def prepare(self, *_: object) -> None:
        raise OSError(self.error, "no")

    def start(self, *_: object) -> None:
        raise AssertionError("it was not prepared")

    def watch(self, shim: object) -> None:
        raise AssertionError(f"{shim} cannot have been started")

    def may_start(self) -> bool:
        return True


@pytest.mark.parametrize("error", [errno.EAGAIN, errno.EMFILE, errno.ENOMEM, errno.ENOSPC])
def test_a_job_waits_for_room_and_is_started_then(error: int) -> None:
    broker = FullMachine(error)
    starter = Starter(broker)  # type: ignore[arg-type] # a stand-in for the machine's edge
    broker.apply(Submitted((NewJob(job_id(1), Request((1,))),)))
    (start,) = broker.effects
    assert isinstance(start, StartJob)
    starter.prepare([start])
    starter.start(start)
    assert broker.scheduler.job(job_id(1)).state is State.PENDING
    assert starter.deadline is not None
    broker.effects.clear()
    starter.look_at(starter.deadline)
    assert [one for one in broker.effects if isinstance(one, StartJob)] == [start]
    assert starter.deadline is None


def test_what_is_wrong_with_the_shim_itself_ends_the_job() -> None:
    broker = FullMachine(errno.ENOENT)
    starter = Starter(broker)  # type: ignore[arg-type] # a stand-in for the machine's edge
    broker.apply(Submitted((NewJob(job_id(1), Request((1,))),)))
    starter.prepare(broker.effects)
    starter.start(broker.effects.pop())
    ended = [one for one in broker.effects if isinstance(one, EndJob)]
    assert [one.outcome.kind for one in ended] == [OutcomeKind.SPAWN_FAILED]
    assert starter.deadline is None


class RoomyMachine(FullMachine):
    """A broker that notes which shims are made, and which of them are told to go."""

    def __init__(self) -> None:
        super().__init__(errno.ENOENT)
        self.scheduler = Scheduler([Resource("cores", 1000)])
        self.made: list[int] = []
        self.gone: list[int] = []
        self.most_ahead = 0

    def prepare(self, *given: Any) -> None:
        job = given[0]
        self.made.append(job)
        self.most_ahead = max(self.most_ahead, len(self.made) - len(self.gone))

    def start(self, *given: Any) -> None:
        (job,) = given
        assert job in self.made, "it was not prepared"
        self.gone.append(job)

    def watch(self, shim: object) -> None:
        pass

    def announce(self, job: int) -> None:
        pass

    def wish(self, effects: list[Any]) -> None:
        pass


def test_of_many_starts_a_few_are_prepared_ahead_and_each_once() -> None:
    broker = RoomyMachine()
    starter = Starter(broker)  # type: ignore[arg-type] # a stand-in for the machine's edge
    jobs = [job_id(number) for number in range(1, 501)]
    broker.apply(Submitted(tuple(NewJob(one, Request((1,))) for one in jobs)))
    starts = [one for one in broker.effects if isinstance(one, StartJob)]
    starter.prepare(broker.effects)
    assert broker.made, "the first wait for the disk, and nothing else does"
    for start in starts:
        starter.start(start)
    assert broker.made == broker.gone == jobs
    assert broker.most_ahead < 100
