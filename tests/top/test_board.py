"""What is known of the queue, from what was asked and what was told."""

from __future__ import annotations

from hsched.cli.top.board import Board
from tests.top.kit import board, change, runner, view


def ids(known: Board) -> list[str]:
    return [row.id for row in known.rows]


def test_what_runs_comes_first_then_what_has_ended_then_what_waits_in_order() -> None:
    known = board(
        view("10", priority=1), view("9"), view("7.2"), view("7.10"), view("7.1"), runner("8", 0)
    )
    known.take([change("11", "pending"), change("4", "done", outcome="failed", exit_status=3)])
    assert ids(known) == ["8", "4", "10", "7.1", "7.2", "7.10", "9", "11"]
    assert known.rows[1].word == "failed(3)"


def test_a_change_is_shown_at_once_and_the_job_is_asked_for() -> None:
    known = board(view("1", reason="slots: needs 1"), view("2"))
    known.take([change("1", "starting"), change("3", "pending")])
    assert [(row.id, row.state, row.command) for row in known.rows] == [
        ("1", "starting", "sleep 1"),
        ("2", "pending", "sleep 2"),
        ("3", "pending", ""),
    ]
    assert known.take_stale(10) == ["1", "3"]
    known.learn(runner("1", 0))
    known.learn(view("3"))
    assert not known.has_stale
    assert [row.command for row in known.rows] == ["sleep 1", "sleep 2", "sleep 3"]


def test_an_answer_that_is_late_brings_no_ended_job_back() -> None:
    known = board(view("1"))
    known.take([change("1", "done", outcome="succeeded")])
    known.learn(runner("1", 0))
    assert [row.word for row in known.rows] == ["succeeded"]
    assert not known.has_running


def test_an_answer_that_is_older_than_a_change_is_asked_for_again() -> None:
    known = board(view("1"))
    known.take([change("1", "starting")])
    asked = known.take_stale(10)
    known.take([change("1", "running")])
    known.learn(view("1", state="starting"))
    known.asked(asked)
    assert known.take_stale(10) == ["1"]
    known.learn(runner("1", 0))
    assert not known.has_stale


def test_what_got_no_answer_is_asked_for_again() -> None:
    known = board(view("1"), view("2"))
    known.take([change("1", "starting"), change("2", "starting")])
    asked = known.take_stale(10)
    known.take([change("2", "done", outcome="succeeded")])
    known.not_asked(asked)
    assert known.take_stale(10) == ["1"]


def test_an_array_as_a_whole_is_no_row() -> None:
    known = board(view("1.0"))
    known.take([change("1.0", "done", outcome="succeeded"), change("1", "done")])
    assert ids(known) == ["1.0"]


def test_only_the_last_that_have_ended_are_kept() -> None:
    known = board()
    known.take([change(str(n), "done", outcome="succeeded") for n in range(1, 1000)])
    assert ids(known) == ["999", "998", "997", "996", "995"]


def test_what_runs_and_what_is_seen_is_asked_for_first() -> None:
    known = board(*[view(str(n)) for n in range(1, 100)])
    known.take([change(str(n), "pending") for n in range(1, 100)])
    known.take([change("90", "starting")])
    known.move(60)
    known.settle(3)
    first = known.take_stale(4)
    assert (first[0], set(first)) == ("90", {"90", *known.visible})
    assert not set(known.take_stale(5)) & set(first)


def test_reasons_of_what_is_seen_are_asked_for_again() -> None:
    known = board(runner("1", 0), *[view(str(n)) for n in range(2, 100)])
    known.settle(3)
    known.look_again()
    assert known.take_stale(10) == ["2", "3"]
    known.asked(["2", "3"])
    assert not known.has_stale, "those that did not come are no more"


def test_a_job_that_came_to_nothing_is_gone() -> None:
    known = board(view("1"))
    known.take([change("1", "pending"), change("2", "pending")])
    known.asked(known.take_stale(10))
    assert ids(known) == ["1"]


def test_the_selection_stays_with_its_job_and_then_with_its_place() -> None:
    known = board(*[view(str(n)) for n in range(1, 6)])
    known.move(2)
    known.settle(10)
    assert known.selected == "3"
    known.learn(runner("5", 0))
    known.settle(10)
    assert (known.selected, known.place) == ("3", 3)
    known.clear()
    for n in (1, 2):
        known.learn(view(str(n)))
    known.settle(10)
    assert known.selected == "2"


def test_moving_goes_no_further_than_the_ends() -> None:
    known = board(*[view(str(n)) for n in range(1, 100)])
    known.move(1000)
    assert [row.id for row in known.settle(3)] == ["97", "98", "99"]
    known.move(-1)
    assert [row.id for row in known.settle(3)] == ["97", "98", "99"]
    known.move(-1000)
    assert [row.id for row in known.settle(3)] == ["1", "2", "3"]
    known.clear()
    known.move(1)
    assert known.settle(3) == []
    assert known.current() is None


def test_a_line_for_the_shell_is_shown_as_it_was_typed() -> None:
    (row,) = board(view("1", command=("/bin/sh", "-c", "a | b\n\x1b[31m"), name="x")).rows
    assert row.command == r"a | b\n\x1b[31m"
    assert row.title == "job 1 (x)"
    (row,) = board(view("1", command=("echo", "a b"))).rows
    assert row.command == "echo 'a b'"
