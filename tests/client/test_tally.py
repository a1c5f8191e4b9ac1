"""How far some jobs are."""

from __future__ import annotations

from hsched.client.tally import Tally
from hsched.wire.subscribe import Change


def test_a_job_is_done_once() -> None:
    tally = Tally(["7", "8", "7"])
    for state in ("pending", "running"):
        tally.take(Change(number=1, id="7", state=state))
    assert (tally.total, tally.counts["running"], tally.counts["pending"]) == (1, 1, 0)
    assert not tally.any_done
    for _ in range(2):  # told again after a restart of the broker
        tally.take(Change(number=2, id="7", state="done", outcome="failed", exit_status=1))
    assert (tally.any_done, tally.all_done, tally.counts["done"]) == (True, False, 1)
    assert [change.id for change in tally.endings()] == ["7"]


def test_an_array_is_done_when_it_says_so() -> None:
    tally = Tally(["7"])
    for index in (0, 1):
        one = f"7.{index}"
        tally.take(Change(number=1, id=one, state="done", outcome="failed", exit_status=index))
        assert not tally.all_done
        assert tally.endings() == []
    tally.take(Change(number=2, id="7", state="done"))
    assert tally.all_done
    assert [change.exit_status for change in tally.endings()] == [0, 1]
    assert tally.total == 2


def test_of_no_jobs_all_and_any_are_done() -> None:
    assert Tally([]).all_done
    assert Tally([]).any_done
