"""Pools and the inventory: what a reader must be able to rely on, one test a promise."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hsched.core.inventory import Inventory
from hsched.core.model import Allocation, Request, Resource
from hsched.core.slots import MAX_SLOTS, MeasuredPool, NumberedPool
from hsched.errors import NotEnoughSlots, SlotNotHeld

CORES, MEM = Resource("cores", 4), Resource("mem", 8, numbered=False)


def test_lowest_indices_go_out_first() -> None:
    pool = NumberedPool(4)
    assert pool.acquire(2) == (0, 1)
    assert pool.acquire(1) == (2,)
    pool.release(pool.holding((0,), 1))
    assert pool.acquire(2) == (0, 3)


@given(st.sets(st.integers(0, MAX_SLOTS - 1), max_size=60), st.data())
def test_many_slots_are_the_same_as_each_by_itself(held: set[int], data: st.DataObject) -> None:
    pool = NumberedPool(MAX_SLOTS)
    pool.retake(pool.holding(tuple(held), len(held)))
    amount = data.draw(st.integers(0, 100))
    free = [slot for slot in range(MAX_SLOTS) if slot not in held]
    assert pool.acquire(amount) == tuple(free[:amount])
    pool.check()


def test_all_slots_can_go_out_at_once() -> None:
    pool = NumberedPool(MAX_SLOTS)
    assert pool.acquire(MAX_SLOTS) == tuple(range(MAX_SLOTS))
    pool.release(pool.holding(tuple(range(MAX_SLOTS)), MAX_SLOTS))
    assert pool.free == MAX_SLOTS


def test_scattered_slots_come_back_where_they_were() -> None:
    pool = NumberedPool(40)
    odd = tuple(range(1, 40, 2))
    pool.retake(pool.holding(odd, len(odd)))
    assert pool.free == 20
    pool.release(pool.holding(odd, len(odd)))
    assert pool.acquire(3) == (0, 1, 2)


@pytest.mark.parametrize("slots", [(0, 0), (-1, 0), (0, MAX_SLOTS), (0,), (0, 1, 2)])
def test_what_is_no_set_of_slots_is_no_holding(slots: tuple[int, ...]) -> None:
    assert NumberedPool(4).holding(slots, 2) == -1


def test_shrinking_never_takes_a_slot_from_its_holder() -> None:
    pool = NumberedPool(3)
    held = pool.acquire(3)
    pool.resize(1)
    assert (pool.free, pool.held, pool.retiring) == (0, 3, 2)
    assert pool.returned(held, 3) == 1
    pool.check()
    pool.release(pool.holding(held, 3))
    assert (pool.free, pool.held, pool.retiring) == (1, 0, 0), "slots 1 and 2 are gone"


def test_a_retiring_slot_is_a_slot_again_when_the_capacity_comes_back() -> None:
    pool = NumberedPool(2)
    pool.acquire(2)
    pool.resize(0)
    pool.resize(2)
    assert (pool.free, pool.retiring) == (0, 0)


def test_a_drained_slot_does_not_go_out_until_it_is_put_back() -> None:
    pool = NumberedPool(3)
    pool.drain((0,), back=False)
    assert (pool.free, pool.usable, pool.drained) == (2, 2, (0,))
    assert pool.acquire(1) == (1,)
    pool.drain((0,), back=True)
    assert pool.acquire(2) == (0, 2)


def test_the_holder_of_a_drained_slot_keeps_it_and_then_it_stays_out() -> None:
    pool = NumberedPool(2)
    held = pool.acquire(1)
    pool.drain(held, back=False)
    assert (pool.free, pool.held, pool.returned(held, 1)) == (1, 1, 0)
    pool.check()
    pool.release(pool.holding(held, 1))
    assert (pool.free, pool.held) == (1, 0)
    pool.check()


def test_a_measured_pool_counts_and_has_no_slots() -> None:
    pool = MeasuredPool(8)
    assert pool.acquire(5) == ()
    assert (pool.free, pool.held, pool.usable, pool.drained) == (3, 5, 8, ())
    assert pool.holding((1,), 1) == pool.holding((), -1) == -1
    pool.release(pool.holding((), 5))
    assert pool.free == 8


def test_a_measured_pool_can_be_overdrawn_by_a_lowered_capacity() -> None:
    pool = MeasuredPool(8)
    pool.acquire(5)
    pool.resize(2)
    assert (pool.free, pool.headroom, pool.retiring) == (0, -3, 3)
    pool.check()


def test_a_vector_is_acquired_whole() -> None:
    inventory = Inventory((CORES, MEM))
    held = inventory.acquire((2, 5))
    assert held == Allocation(((0, 1), ()), (2, 5))
    assert inventory.free == (2, 3)
    inventory.release(held)
    assert inventory.free == inventory.usable == inventory.headroom == (4, 8)


@pytest.mark.parametrize("amounts", [(5, 0), (0, 9), (4, 9), (-1, 0)])
def test_a_vector_that_does_not_fit_changes_nothing(amounts: tuple[int, int]) -> None:
    inventory = Inventory((CORES, MEM))
    with pytest.raises(NotEnoughSlots, match="asked for"):
        inventory.acquire(amounts)
    assert inventory.free == (4, 8)


@pytest.mark.parametrize(
    "stray",
    [
        Allocation(((3,), ()), (1, 0)),
        Allocation(((), ()), (0, 1)),
        Allocation(((0,), ()), (2, 0)),
        Allocation(((0,),), (1,)),
    ],
)
def test_giving_back_what_nobody_holds_is_a_bug(stray: Allocation) -> None:
    inventory = Inventory((CORES, MEM))
    inventory.acquire((1, 0))
    with pytest.raises(SlotNotHeld):
        inventory.release(stray)
    assert inventory.free == (3, 8)


def test_retaking_is_all_or_nothing() -> None:
    inventory = Inventory((CORES, MEM))
    mine, yours = Allocation(((1,), ()), (1, 7)), Allocation(((1, 2), ()), (2, 7))
    with pytest.raises(NotEnoughSlots, match="overlaps"):
        inventory.retake([mine, yours])
    assert inventory.free == (4, 8)
    inventory.retake([mine, Allocation(((3, 900), ()), (2, 7))])
    assert (inventory.free, inventory.headroom) == ((2, 0), (2, -6)), "memory is overdrawn"
    inventory.check()


def test_a_shortage_names_resource_request_and_total() -> None:
    inventory = Inventory((CORES, Resource("mem", 8 << 30, numbered=False, unit=1 << 30)))
    assert inventory.shortage(Request((4, 8 << 30))) == ""
    assert inventory.shortage(Request((5, 0))) == "needs 5 cores, there are now 4"
    assert inventory.shortage(Request((0, 9 << 30))) == "needs 9G mem, there are now 8G"


@given(st.lists(st.tuples(st.sampled_from("arsdb"), st.integers(0, 6)), max_size=60))
def test_every_slot_is_accounted_for_whatever_happens(steps: list[tuple[str, int]]) -> None:
    pool, held = NumberedPool(4), []
    for kind, number in steps:
        if kind == "a" and number <= pool.free:
            held.append(pool.acquire(number))
        elif kind == "r" and held:
            slots = held.pop(number % len(held))
            expected = pool.free + pool.returned(slots, len(slots))
            pool.release(pool.holding(slots, len(slots)))
            assert pool.free == expected
        elif kind == "s":
            pool.resize(number)
        else:
            pool.drain((number,), back=kind == "b")
        pool.check()
        assert pool.held == sum(map(len, held))
