"""Devices: whole, or shared by memory while that lasts; what outsiders use is nobody's."""

from __future__ import annotations

import contextlib
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from hsched.core.devices import corners, with_devices
from hsched.core.effects import Effect, StartJob
from hsched.core.events import (
    CapacitySet,
    DevicesSeen,
    Ended,
    Restored,
    RestoredJob,
    SlotsDrained,
    Started,
    Submitted,
    UpdateAsked,
)
from hsched.core.model import Allocation, NewJob, Request, Sharing, State, job_id
from hsched.core.policy import Policy
from hsched.core.scheduler import Scheduler
from hsched.core.spec import parse_spec
from hsched.errors import NotEnoughSlots, Refused, WrongUsage
from tests.core.kit import OK, Checked, ids, numbered, started
from tests.core.test_starvation import LIFE, Adversary, remembered

G = 1 << 30
A, B, C = ids(1, 2, 3)


def gpus(*memory: int, cores: int = 9, policy: Policy = Policy.BACKFILL, k: int = 10) -> Checked:
    """Return a scheduler with cores, and with GPUs of so many GiB."""
    sharing = Sharing(tuple(one * G for one in memory), 1)
    return Checked(parse_spec(f"{cores},{len(memory)}"), policy, k, sharing)


def share(number: int, memory: int, count: int = 1, cores: int = 0, **fields: Any) -> NewJob:
    """Return a job that asks for so many GiB on each of ``count`` GPUs."""
    return NewJob(job_id(number), Request((cores, 0), count, memory * G), **fields)


def whole(number: int, count: int = 1, cores: int = 0, **fields: Any) -> NewJob:
    """Return a job that asks for whole GPUs."""
    return NewJob(job_id(number), Request((cores, count)), **fields)


def devices_of(sched: Checked, number: int) -> tuple[int, ...]:
    """Return the GPUs that a job holds, whole or shared."""
    held = sched.job(job_id(number)).allocation
    assert held is not None
    return held.devices or held.slots[1]


def test_jobs_share_a_gpu_while_their_claims_fit() -> None:
    sched = gpus(24)
    assert sched.submit(share(1, 10), share(2, 10), share(3, 10)) == [1, 2]
    assert sched.claimed == (20 * G,)
    assert sched.end(1) == [3]


def test_a_claim_goes_where_it_fits_best() -> None:
    sched = gpus(24, 24, 12)
    sched.submit(share(1, 8), share(2, 8), share(3, 16))
    assert [devices_of(sched, n) for n in (1, 2, 3)] == [(2,), (0,), (0,)]
    assert sched.free == (9, 1)


def test_so_many_devices_are_different_ones() -> None:
    sched = gpus(24, 24, 24)
    sched.submit(share(1, 20), share(2, 10, 2), share(3, 4, 3))
    assert [devices_of(sched, n) for n in (1, 2, 3)] == [(0,), (1, 2), (0, 1, 2)]


def test_whole_and_shared_never_mix() -> None:
    sched = gpus(24, 24)
    assert sched.submit(share(1, 1), whole(2), share(3, 24), whole(4)) == [1, 2]
    assert (devices_of(sched, 1), devices_of(sched, 2)) == ((0,), (1,))
    assert sched.end(2) == [3]
    assert sched.end(1) == [4]


def test_a_whole_gpu_waits_for_all_that_share_it() -> None:
    sched = gpus(24)
    sched.submit(share(1, 4), share(2, 4))
    assert sched.submit(whole(3)) == []
    assert sched.end(1) == []
    assert sched.end(2) == [3]


def test_the_machine_is_the_one_device_where_there_is_no_gpu() -> None:
    sched = Checked(parse_spec("4"), sharing=Sharing((32 * G,)))
    job = Request((1,), 1, 20 * G)
    assert sched.submit(NewJob(A, job), NewJob(B, job)) == [1]
    with pytest.raises(Refused, match="needs 20G on 2 devices, there is 1, the machine"):
        sched.submit(NewJob(C, Request((1,), 2, 20 * G)))
    with pytest.raises(Refused, match="needs 33G on 1 device, the machine has 32G"):
        sched.submit(NewJob(C, Request((1,), 1, 33 * G)))


@pytest.mark.parametrize(
    ("job", "reason"),
    [
        (share(1, 1, 3), "job 1 needs 1G on each of 3 gpus, there are now 2"),
        (share(1, 25), "job 1 needs 25G on 1 gpus, so many have at the most 24G"),
        (share(1, 13, 2), "job 1 needs 13G on each of 2 gpus, so many have at the most 12G"),
        (
            NewJob(A, Request((0, 1), 1, G)),
            "job 1 asks for whole gpus and for memory on shared ones; leave one of them out",
        ),
    ],
)
def test_what_can_never_be_is_refused_with_both_numbers(job: NewJob, reason: str) -> None:
    with pytest.raises(Refused) as refusal:
        gpus(24, 12).submit(job)
    assert str(refusal.value) == reason


def test_without_known_memory_nothing_can_be_shared() -> None:
    with pytest.raises(Refused, match="nobody knows how much these have"):
        Checked(parse_spec("4,2")).submit(share(1, 1))


def test_what_outsiders_use_is_nobodys() -> None:
    sched = gpus(24, 24)
    sched.handle(DevicesSeen((10 * G, 0), ("pid 7 of ann, 10G", "")))
    assert sched.submit(whole(1, 2), whole(2), share(3, 14), share(4, 1)) == [2, 3]
    assert (devices_of(sched, 2), devices_of(sched, 3)) == ((1,), (0,))
    assert sched.waits_for_outsiders
    assert started(sched.handle(DevicesSeen((0, 0), ("", "")))) == [4]
    assert not sched.waits_for_outsiders


def test_who_waits_for_outsiders_is_unavailable_and_collects_nothing() -> None:
    sched = gpus(24, 24, k=0)
    sched.handle(DevicesSeen((10 * G, 24 * G), ("pid 7 of ann, 10G", "NVML does not answer")))
    sched.submit(whole(1, cores=9), share(2, 20, cores=9), share(3, 4, cores=1))
    assert sched.reason(A, 0.0) == (
        "unavailable: needs 1 gpus, 0 of 2 can be had (gpus:0: pid 7 of ann, 10G, "
        "gpus:1: NVML does not answer)"
    )
    assert sched.reason(B, 0.0) == (
        "unavailable: needs 20G on 1 gpus; gpus:0 has 14G left, others 10G (pid 7 of ann, 10G), "
        "gpus:1 has 0 left, others 24G (NVML does not answer)"
    )
    assert sched.job(C).state is State.STARTING


def test_only_who_could_start_otherwise_waits_for_outsiders() -> None:
    sched = gpus(24)
    sched.submit(share(1, 20), share(2, 10))
    assert not sched.waits_for_outsiders, "it waits for job 1"
    sched.handle(DevicesSeen((24 * G,), ("pid 7",)))
    assert not sched.waits_for_outsiders, "it still does"
    sched.end(1)
    assert sched.waits_for_outsiders


def test_a_reason_has_numbers() -> None:
    sched = gpus(24, 24, cores=2)
    sched.submit(share(1, 20), whole(2), share(3, 10, cores=1), whole(4))
    assert sched.reason(C, 0.0) == (
        "slots: needs 10G on 1 gpus; gpus:0 has 4G left, jobs have 20G, gpus:1 is held as a whole"
    )
    assert sched.reason(job_id(4), 0.0) == (
        "slots: needs 1 gpus, 0 free (job 2 holds 1; job 1 shares gpus:0)"
    )


def test_a_drained_gpu_is_not_shared() -> None:
    sched = gpus(24, 24)
    sched.handle(SlotsDrained(1, (0,)))
    sched.submit(share(1, 20), share(2, 20))
    assert devices_of(sched, 1) == (1,)
    assert sched.reason(B, 0.0).startswith("slots: needs 20G on 1 gpus; gpus:1 has 4G left")
    assert started(sched.handle(SlotsDrained(1, (0,), back=True))) == [2]


def test_fewer_gpus_hold_who_needs_more() -> None:
    sched = gpus(24, 24)
    sched.submit(share(1, 20), share(2, 20, 2))
    sched.handle(CapacitySet((9, 1)))
    assert sched.reason(B, 0.0) == "held: needs 20G on each of 2 gpus, there are now 1"


def test_an_update_may_change_the_shares() -> None:
    sched = gpus(24)
    sched.submit(share(1, 20), share(2, 10, cores=2))
    with pytest.raises(Refused, match="whole gpus and for memory"):
        sched.handle(UpdateAsked((B,), requests={B: Request((3, 1), 1, 10 * G)}))
    with pytest.raises(Refused, match="job 2 needs 30G on 1 gpus"):
        sched.handle(UpdateAsked((B,), requests={B: Request((2, 0), 1, 30 * G)}))
    smaller = Request((3, 0), 1, 4 * G)
    assert started(sched.handle(UpdateAsked((B,), requests={B: smaller}))) == [2]
    assert sched.job(B).request == smaller


def test_a_reservation_sees_what_comes_back_of_a_device() -> None:
    sched = gpus(24, cores=4)
    sched.run(share(1, 20, time_limit_s=10.0, grace_s=0.0))
    sched.run(share(2, 4, time_limit_s=30.0, grace_s=0.0))
    sched.submit(whole(3, cores=1), share(4, 18, time_limit_s=5.0, grace_s=0.0))
    assert sched.expected_start(C, 0.0) == 30.0
    assert sched.reason(C, 0.0) == (
        "slots: needs 1 gpus, 0 free (job 1 shares gpus:0, job 2 shares gpus:0)"
    )
    assert sched.end(1, now=1.0) == [4], "it is gone before job 3 can start"


def test_under_a_reservation_nobody_shares_beyond_it() -> None:
    sched = gpus(24, cores=4)
    sched.run(share(1, 20, time_limit_s=10.0, grace_s=0.0))
    sched.submit(share(2, 24), share(3, 1, time_limit_s=60.0), share(4, 1))
    assert sched.submit(share(5, 1, time_limit_s=4.0, grace_s=1.0)) == [5]


def test_shares_are_collected_for_a_head_that_was_overtaken_too_often() -> None:
    sched = gpus(24, k=2)
    sched.submit(share(1, 10), whole(2))
    assert sched.submit(share(3, 1), share(4, 1), share(5, 1)) == [3, 4]
    assert sched.reason(job_id(5), 0.0) == "behind 2 (priority 0)"
    assert [sched.end(n) for n in (1, 3, 4)] == [[], [], [2]]


def test_no_whole_gpu_goes_out_past_a_head_that_can_share_it() -> None:
    sched = gpus(24, 24, k=0)
    sched.submit(share(1, 10), share(2, 20, 2))
    assert sched.submit(whole(3)) == []
    assert sched.reason(C, 0.0) == "behind 2 (priority 0)"
    assert sched.end(1) == [2]


def test_in_strict_order_nobody_passes_a_share_that_does_not_fit() -> None:
    sched = gpus(24, policy=Policy.FIFO)
    sched.submit(share(1, 20), share(2, 20))
    assert sched.submit(share(3, 4)) == []


def test_a_gpu_that_outsiders_occupy_does_not_come_back_for_a_reservation() -> None:
    sched = gpus(24, 24)
    sched.run(whole(1, time_limit_s=10.0, grace_s=0.0), whole(2, time_limit_s=20.0, grace_s=0.0))
    sched.handle(DevicesSeen((G, 0), ("pid 7", "")))
    sched.submit(whole(3))
    assert sched.expected_start(C, 0.0) == 20.0


def holding(job: NewJob, devices: tuple[int, ...]) -> RestoredJob:
    """Return a running job as the store has it."""
    held = Allocation(((), ()), (0, 0), devices, job.request.memory)
    return RestoredJob(job, State.RUNNING, held)


def test_a_sharer_gets_its_devices_again() -> None:
    sched = gpus(24, 24)
    sched.handle(Restored((holding(share(1, 20), (1,)), RestoredJob(whole(2)))))
    assert (devices_of(sched, 1), devices_of(sched, 2)) == ((1,), (0,))
    assert sched.claimed == (0, 20 * G)


@pytest.mark.parametrize("devices", [(0,), (2,), (1, 1)])
def test_shares_that_cannot_be_are_a_bug(devices: tuple[int, ...]) -> None:
    on_whole = RestoredJob(whole(1), State.RUNNING, Allocation(((), (0,)), (0, 1)))
    with pytest.raises(NotEnoughSlots):
        gpus(24, 24).handle(Restored((on_whole, holding(share(2, 1), devices))))


def test_claims_of_before_may_be_more_than_there_is_now() -> None:
    sched = gpus(24)
    sched.handle(Restored((holding(share(1, 20), (0,)), holding(share(2, 20), (0,)))))
    sched.submit(share(3, 4))
    assert [sched.end(1), sched.end(2)] == [[3], []]


ASKED = Request((1, 0))


@pytest.mark.parametrize(
    ("wish", "meant"),
    [
        ((0, 0, 0.0), ASKED),
        ((0, 5, 0.0), Request((1, 0), 1, 5)),
        ((2, 5, 0.0), Request((1, 0), 2, 5)),
        ((2, 0, 0.5), Request((1, 0), 2, 12 * G)),
        ((2, 0, 0.0), Request((1, 2))),
    ],
)
def test_what_is_asked_of_devices(wish: tuple[int, int, float], meant: Request) -> None:
    sched = gpus(24, 12)
    assert with_devices(ASKED, wish, sched.resources, sched.sharing) == meant


def test_whole_devices_are_at_least_so_many() -> None:
    sched = gpus(24, 24, 24)
    asked = [Request((0, n)) for n in (1, 3)]
    made = [with_devices(one, (2, 0, 0.0), sched.resources, sched.sharing) for one in asked]
    assert made == [Request((0, 2)), Request((0, 3))]


def test_without_gpus_the_machine_is_there_for_whom_it_is_enough() -> None:
    sched = Checked(parse_spec("4"), sharing=Sharing((32 * G,)))
    one = with_devices(Request((1,)), (1, 0, 0.0), sched.resources, sched.sharing)
    assert sched.submit(NewJob(A, one), NewJob(B, one)) == [1, 2]
    two = with_devices(Request((1,)), (2, 0, 0.0), sched.resources, sched.sharing)
    with pytest.raises(Refused, match="job 3 needs 2 devices, there is 1, the machine"):
        sched.submit(NewJob(C, two))


@pytest.mark.parametrize("wish", [(-1, 0, 0.0), (1, -1, 0.0), (1, 0, 1.5), (1, 1, 0.5)])
def test_a_wish_that_makes_no_sense(wish: tuple[int, int, float]) -> None:
    with pytest.raises(WrongUsage):
        with_devices(ASKED, wish, parse_spec("4"), None)


@given(st.lists(st.integers(0, 9), max_size=6), st.integers(1, 7), st.integers(0, 10))
def test_a_request_fits_a_corner_if_so_many_have_so_much(
    left: list[int], count: int, memory: int
) -> None:
    fits = any(count <= most and memory <= much for most, much in corners(left))
    assert fits == (sum(one >= memory for one in left) >= count)


JOBS = st.one_of(
    st.builds(lambda m, n: Request((1, 0), n, m * G), st.integers(1, 24), st.integers(1, 3)),
    st.builds(lambda n, c: Request((c, n)), st.integers(0, 3), st.integers(0, 2)),
)


class Anything(RuleBasedStateMachine):
    """Jobs of both kinds, and outsiders, come and go; a second count is kept of who holds what."""

    MEMORY = (24 * G, 24 * G, 12 * G)

    def __init__(self) -> None:
        super().__init__()
        self.sched = gpus(24, 24, 12, cores=4)
        self.number, self.now = 0, 0.0
        self.outside: tuple[int, ...] = (0, 0, 0)

    @initialize(policy=st.sampled_from(Policy), overtake=st.integers(0, 2))
    def begin(self, policy: Policy, overtake: int) -> None:
        """Start with an empty scheduler."""
        self.sched = gpus(24, 24, 12, cores=4, policy=policy, k=overtake)

    def believe(self, effects: list[Effect]) -> None:
        """Check that what starts takes nothing of outsiders."""
        for effect in effects:
            if isinstance(effect, StartJob):
                held = effect.allocation
                for device in held.devices:
                    left = self.MEMORY[device] - self.sched.claimed[device]
                    assert left >= self.outside[device], "an outsider's memory was claimed"
                assert not any(self.outside[device] for device in held.slots[1])

    @rule(request=JOBS, limit=st.sampled_from([None, 2.0, 5.0]), priority=st.integers(0, 1))
    def submit(self, request: Request, limit: float | None, priority: int) -> None:
        """Let a job come."""
        self.number += 1
        fields: dict[str, Any] = {"time_limit_s": limit, "priority": priority, "grace_s": 0.0}
        job = NewJob(job_id(self.number), request, **fields)
        with contextlib.suppress(Refused):
            self.believe(self.sched.handle(Submitted((job,)), self.now))

    @rule(which=st.integers(0, 9), seconds=st.sampled_from([0.0, 1.0, 4.0]))
    def end(self, which: int, seconds: float) -> None:
        """Let a job end."""
        self.now += seconds
        holders = list(self.sched.holders())
        if holders:
            job = holders[which % len(holders)]
            if job.state is State.STARTING:
                self.believe(self.sched.handle(Started(job.id), self.now))
            self.believe(self.sched.handle(Ended(job.id, OK), self.now))

    @rule(outside=st.tuples(*[st.sampled_from([0, 0, 5, 24])] * 3))
    def see(self, outside: tuple[int, ...]) -> None:
        """Let outsiders use memory."""
        self.outside = tuple(one * G for one in outside)
        occupants = tuple("somebody" if one else "" for one in outside)
        self.believe(self.sched.handle(DevicesSeen(self.outside, occupants), self.now))

    @rule(device=st.integers(0, 2), back=st.booleans())
    def drain(self, device: int, back: bool) -> None:
        """Take a device out of use, or put it back."""
        self.believe(self.sched.handle(SlotsDrained(1, (device,), back), self.now))

    @rule()
    def restart(self) -> None:
        """Let the broker die and come back; the outsiders are still there."""
        jobs = tuple(remembered(job, self.now) for job in self.sched.live())
        drained = self.sched.drained[1]
        before = {job.id: job.allocation for job in self.sched.holders()}
        self.sched = gpus(24, 24, 12, cores=4, policy=self.sched.policy, k=self.sched.overtake)
        self.sched.handle(SlotsDrained(1, drained), self.now)
        occupants = tuple("somebody" if one else "" for one in self.outside)
        self.sched.handle(DevicesSeen(self.outside, occupants), self.now)
        self.believe(self.sched.handle(Restored(jobs), self.now))
        for identity, held in before.items():
            assert self.sched.job(identity).allocation == held

    @invariant()
    def no_device_is_over_claimed_or_both(self) -> None:
        """Claims fit, on different devices, and none of those is held as a whole."""
        claimed, held = [0] * 3, set[int]()
        for job in self.sched.holders():
            assert job.allocation is not None
            assert len(set(job.allocation.devices)) == job.request.devices, "not different"
            for device in job.allocation.devices:
                claimed[device] += job.request.memory
            assert not held & set(job.allocation.slots[1]), "a whole device twice"
            held |= set(job.allocation.slots[1])
        assert not held & {d for d, claim in enumerate(claimed) if claim}, "whole and shared"
        assert tuple(claimed) == self.sched.claimed
        assert all(claim <= memory for claim, memory in zip(claimed, self.MEMORY, strict=True))

    @invariant()
    def every_pending_job_has_a_reason(self) -> None:
        """And whoever is asked for an expected start does not fail."""
        for job in self.sched.live():
            assert bool(self.sched.reason(job.id, self.now)) == (job.state is State.PENDING)
            self.sched.expected_start(job.id, self.now)

    def teardown(self) -> None:
        """Let all outsiders go: then every job starts."""
        self.see((0, 0, 0))
        self.believe(self.sched.handle(SlotsDrained(1, (0, 1, 2), back=True), self.now))
        while self.sched.running_count:
            self.end(0, 1.0)
        assert not self.sched.live_count, "a job never started"


TestAnything = pytest.mark.slow(Anything.TestCase)
TestAnything.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


class Sharers(Adversary):
    """An adversary whose jobs ask for GPUs, whole or shared, in place of numbered slots."""

    SHARING = Sharing((4, 4), 0)

    def __init__(self, random: Random, overtake: int) -> None:
        super().__init__(random, (2,), overtake)
        self.sched = Scheduler(numbered(2), Policy.BACKFILL, overtake, self.SHARING)

    def request(self, amounts: tuple[int, ...]) -> Request:
        count = amounts[0]
        if count and self.random.random() < 0.7:
            return Request((0,), count, self.random.randint(1, 4))
        return Request(amounts)

    def restart(self) -> None:
        jobs = tuple(remembered(job, self.now) for job in self.sched.live())
        self.sched = Scheduler(numbered(2), Policy.BACKFILL, self.overtake, self.SHARING)
        self.handle(Restored(jobs))


@pytest.mark.slow
@settings(max_examples=80, deadline=None)
@given(
    st.randoms(use_true_random=False),
    st.integers(0, 3),
    st.sampled_from([Request((2,)), Request((1,)), Request((0,), 2, 4), Request((0,), 1, 4)]),
)
def test_no_stream_of_shares_starves_a_job(random: Random, overtake: int, asked: Request) -> None:
    world = Sharers(random, overtake)
    for _ in range(random.randint(1, 6)):
        world.submit((random.randint(0, 2),), random.randint(1, 2))
    ahead = world.number
    hated = world.submit((2,), 1, asked)
    restart_at = random.randint(1, 30)
    patience = (ahead + 2) * (LIFE + 2) * (overtake + 3)
    turn = 0
    while hated not in world.starts:
        turn += 1
        assert turn <= patience, "it starves"
        world.turn()
        if turn == restart_at:
            world.restart()
        if hated not in world.starts:
            assert world.sched.job(hated).passed <= overtake
    world.sched.check()
