"""When NVML is asked, and what becomes of its answer, with a broker that only takes notes."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from hsched.broker import clock
from hsched.broker.devices import devices as module
from hsched.broker.devices.devices import Devices
from hsched.broker.devices.mapping import Mapping, identified
from hsched.broker.devices.placement import Placement
from hsched.broker.store.rows import Run
from hsched.core.effects import Effect, EndJob, StartJob
from hsched.core.events import CancelAsked, Ended, Event, Started, StartsStopped, Submitted
from hsched.core.model import NewJob, OutcomeKind, Request, State, job_id
from hsched.core.policy import Policy
from hsched.core.scheduler import Scheduler
from hsched.core.spec import parse_spec
from hsched.devices.reading import Device, Process, Reading
from tests.core.kit import FAILED, OK

G = 1 << 30
NODE = parse_spec("8,2")
STRANGER = Process(8, 8 * G, user="bob", name="python")
A, B = (Device(str(n), f"GPU-{c}", c, str(n), 24 * G, 0, 50, 40, ()) for n, c in enumerate("ab"))
BUSY = A._replace(used=8 * G, processes=(STRANGER,))


class FakeAsker:
    """Answers when the test says so."""

    def __init__(self, *_: object) -> None:
        self.waiting: list[Callable[[Reading], None]] = []
        self.deadline: float | None = None
        self.closed = False

    def ask(self, done: Callable[[Reading], None]) -> None:
        self.waiting.append(done)

    def answer(self, *devices: Device, **trouble: Any) -> None:
        waiting, self.waiting = self.waiting, []
        assert waiting, "nobody has asked"
        for done in waiting:
            done(Reading(devices, **trouble))

    def look_at(self, now: float) -> None:
        pass

    def forget(self) -> None:
        self.waiting = []


class World:
    """A broker without a world: a core, and the devices under test."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **options: Any) -> None:
        monkeypatch.setattr(module, "Asker", FakeAsker)
        self.now = 1000.0
        monkeypatch.setattr(clock, "monotonic", lambda: self.now)
        found = identified(options, NODE, Reading((A, B)), None)
        self.run = Run(1, "r", NODE, found, "boot")
        self.waker = self.shims = self.adopted = self.foreground = self
        self.starter = self.ledger = self
        self.placement = Placement()
        self.device_use: Any = None
        self.started: list[int] = []
        self.ended: dict[int, OutcomeKind] = {}
        self.numbers = itertools.count(1)
        self.scheduler = self.new_scheduler()
        self.devices = Devices(self)  # type: ignore[arg-type] # a stand-in
        self.devices.core_built()
        asker: Any = self.devices._asker
        self.asker: FakeAsker = asker

    def new_scheduler(self) -> Scheduler:
        sharing = Mapping.of(self.run.options, NODE).sharing()
        return Scheduler(NODE, Policy.BACKFILL, 10, sharing)

    def apply(self, event: Event) -> None:
        self.carry_out(self.scheduler.handle(event, self.now))

    def carry_out(self, effects: list[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, StartJob):
                self.devices.start(effect)
            elif isinstance(effect, EndJob):
                self.ended[effect.job_id >> 21] = effect.outcome.kind

    def change_run(self, run: Run) -> None:
        self.run = run

    def leave_alone(self, pid: int) -> None:
        raise AssertionError("there is no helper")

    def pid_of(self, identity: int) -> int | None:
        return 100 + (identity >> 21)

    def start(self, effect: StartJob) -> None:
        """Be the starter, with which every start comes about."""
        self.started.append(effect.job_id >> 21)
        self.apply(Started(effect.job_id))

    def submit(self, *amounts: int, share: int = 0) -> int:
        number = next(self.numbers)
        request = Request(amounts or (0, 0), int(share > 0), share * G)
        self.apply(Submitted((NewJob(job_id(number), request),)))
        return number

    def state(self, number: int) -> State:
        return self.scheduler.job(job_id(number)).state


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(monkeypatch)


def test_a_job_without_gpus_is_nobodys_business(world: World) -> None:
    world.submit(4, 0)
    assert (world.started, world.asker.waiting, world.devices.deadline) == ([1], [], None)


def test_a_job_starts_once_nvml_has_told(world: World) -> None:
    world.submit(0, 1)
    world.submit(0, 0, share=4)
    assert (world.started, len(world.asker.waiting)) == ([], 2)
    world.asker.answer(A, B)
    assert world.started == [1, 2]


def test_who_would_get_what_an_outsider_has_goes_back(world: World) -> None:
    world.submit(0, 2)
    world.submit(1, 0)
    world.asker.answer(BUSY, B)
    assert world.started == [2]
    assert world.state(1) is State.PENDING
    assert "pid 8 (python) of bob, 8G" in world.scheduler.reason(job_id(1), world.now)


def test_it_gets_another_device_where_there_is_one_and_nvml_is_asked_again(world: World) -> None:
    world.submit(0, 1)
    world.asker.answer(BUSY, B)
    assert world.started == []
    world.asker.answer(BUSY, B)
    held = world.scheduler.job(job_id(1)).allocation
    assert held is not None
    assert (world.started, held.slots[1]) == ([1], (1,))


def test_of_two_claims_that_do_not_fit_the_later_one_goes_back(world: World) -> None:
    world.submit(0, 1)
    world.asker.answer(A, B)
    world.submit(0, 0, share=10)
    world.submit(0, 0, share=10)
    full = B._replace(used=8 * G, processes=(STRANGER,))
    world.asker.answer(A, full)
    assert world.started == [1, 2]
    assert world.state(3) is State.PENDING


def test_what_nobody_is_told_to_use_is_no_claim_of_a_job_that_has_not_started(
    world: World,
) -> None:
    hidden = A._replace(used=8 * G, processes=(Process(9, 8 * G, visible=False),))
    world.submit(0, 0, share=20)
    world.asker.answer(hidden, B._replace(used=20 * G, processes=(STRANGER,)))
    assert world.state(1) is State.PENDING


def test_who_waits_for_outsiders_has_nvml_asked_again_less_and_less_often(world: World) -> None:
    world.submit(0, 2)
    world.asker.answer(BUSY, B)
    pauses = []
    for _ in range(7):
        deadline = world.devices.deadline
        assert deadline is not None
        pauses.append(deadline - world.now)
        world.now = deadline
        world.devices.look_at(world.now)
        world.asker.answer(BUSY, B)
    assert pauses == [0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0]
    world.now = world.devices.deadline or 0.0
    world.devices.look_at(world.now)
    world.asker.answer(A, B)
    assert world.started == [], "the decision is new, and so must the answer be"
    world.asker.answer(A, B)
    assert world.started == [1]


def test_nobody_asks_while_nobody_waits(world: World) -> None:
    waiting = world.submit(0, 2)
    world.asker.answer(BUSY, B)
    deadline = world.devices.deadline
    assert deadline is not None
    world.apply(CancelAsked((job_id(waiting),)))
    world.devices.look_at(deadline)
    assert (world.asker.waiting, world.devices.deadline or 0) == ([], 0)


def test_samples_are_taken_while_a_job_with_gpus_runs(world: World) -> None:
    world.submit(0, 1)
    world.asker.answer(A, B)
    for memory in (3, 9, 5):
        assert world.devices.deadline == world.now + 5.0
        world.now += 5.0
        world.devices.look_at(world.now)
        mine = Process(200, memory * G, root=101)
        world.asker.answer(A._replace(used=memory * G, processes=(mine,)), B)
    so_far = world.devices.use_so_far(job_id(1))
    assert so_far is not None
    assert (so_far.peak_memory, so_far.utilisation, so_far.untouched) == (9 * G, 50.0, ())
    assert world.devices.use_of(job_id(1)) == so_far
    world.apply(Ended(job_id(1), OK))
    world.now += 5.0
    world.devices.look_at(world.now)
    assert (world.asker.waiting, world.devices.deadline or 0) == ([], 0)


def test_a_job_that_waits_for_another_try_is_not_sampled(world: World) -> None:
    world.apply(Submitted((NewJob(job_id(1), Request((0, 1)), retries=1),)))
    world.asker.answer(A, B)
    world.scheduler.handle(StartsStopped(), world.now)
    world.apply(Ended(job_id(1), FAILED))
    assert world.state(1) is State.PENDING
    assert world.devices.deadline == world.now + 5.0
    world.now += 5.0
    world.devices.look_at(world.now)
    assert (world.asker.waiting, world.devices.deadline or 0) == ([], 0)


def test_a_job_that_is_cancelled_meanwhile_ends_and_never_runs(world: World) -> None:
    world.submit(0, 1)
    world.apply(CancelAsked((job_id(1),)))
    assert not world.ended
    world.asker.answer(A, B)
    assert (world.started, world.ended) == ([], {1: OutcomeKind.CANCELLED})


def test_while_nvml_does_not_answer_jobs_wait_and_say_so(world: World) -> None:
    world.submit(0, 1)
    world.submit(0, 0, share=1)
    world.asker.answer(trouble="NVML hangs")
    assert world.started == []
    for number in (1, 2):
        reason = world.scheduler.reason(job_id(number), world.now)
        assert reason.startswith("unavailable: ")
        assert "NVML hangs" in reason
    assert world.devices.trouble == "NVML hangs"
    world.now = world.devices.deadline or 0.0
    world.devices.look_at(world.now)
    world.asker.answer(A, B)
    world.asker.answer(A, B)
    assert sorted(world.started) == [1, 2]


def test_outsiders_can_be_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(monkeypatch, ignore_outsiders=True)
    world.submit(0, 2)
    assert (world.started, world.asker.waiting) == ([1], [])
    assert world.devices.deadline == world.now + 5.0, "samples are taken all the same"


def test_a_core_made_anew_forgets_who_was_held(world: World) -> None:
    world.submit(0, 1)
    world.scheduler = world.new_scheduler()
    world.devices.core_built()
    assert (world.asker.waiting, world.devices.deadline or 0) == ([], 0)


def test_jobs_of_an_earlier_broker_are_sampled(world: World) -> None:
    world.submit(0, 1)
    world.asker.answer(A, B)
    world.devices.core_built()
    assert world.devices.deadline == world.now + 5.0


def test_a_device_that_is_gone_drains_its_slot_and_one_that_is_back_does_not(world: World) -> None:
    world.submit(0, 2)
    world.asker.answer(B)
    assert world.scheduler.drained[1] == (0,)
    assert world.run.options["drained"] == {"gpus": [0]}
    world.now = world.devices.deadline or 0.0
    world.devices.look_at(world.now)
    world.asker.answer(A._replace(cuda="1"), B._replace(cuda="0"))
    assert not any(world.scheduler.drained)
    assert world.placement.cuda == ("1", "0")
    world.asker.answer(A, B)
    assert world.started == [1]
