"""Where everything of a timeline stands: pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta, timezone
from itertools import pairwise
from typing import Any

import pytest

from hsched.timeline import Meter, Period, Schedule, lay_out
from hsched.timeline.axis import Scale, ticks, window
from hsched.timeline.layout import MOST_PIECES, Timeline
from hsched.timeline.words import length, ranges
from tests.timeline.kit import CORES, GPUS, MEM, NOON, OPTIONS, crowd, schedule, stay


def picture(*stays: object, now: float = 200.0, **more: object) -> Timeline:
    return lay_out(schedule(stays, now, **more), OPTIONS)  # type: ignore[arg-type]


def test_each_slot_has_a_row_and_a_job_covers_its_slots() -> None:
    found = picture(stay("1", 0, 100, (1, 2)), stay("2", 100, 150, (2,)))
    rows = found.groups[0].rows
    assert [row.label for row in rows] == ["0", "1", "2", "3", "4", "5"]
    wide, narrow = found.pieces
    assert (wide.y, wide.height) == (rows[1].top, rows[1].height + rows[2].height)
    assert (narrow.y, narrow.height) == (rows[2].top, rows[2].height)
    assert narrow.x == pytest.approx(wide.x + wide.width)


def test_slots_apart_from_each_other_are_two_pieces_of_one_job() -> None:
    first, second = picture(stay("1", 0, 100, (0, 4))).pieces
    assert (first.job, second.job) == ("1", "1")
    assert first.colour == second.colour
    assert second.y - first.y == 4 * first.height


def test_jobs_that_share_a_gpu_stand_in_lanes_of_its_row() -> None:
    shared: dict[str, Any] = {"slots": {"gpus": (1,)}, "amounts": {"gpus": 1}}
    found = picture(stay("1", 0, 100, **shared), stay("2", 50, 150, **shared), meters=(CORES, GPUS))
    row = found.groups[1].rows[1]
    upper, lower = found.pieces
    assert upper.y == row.top
    assert lower.y == upper.y + upper.height
    assert lower.y + lower.height == row.top + row.height


@pytest.mark.parametrize(
    "meter", [MEM, Meter("mem", 32 << 30, False, 1 << 30), Meter("licences", 5000)]
)
def test_memory_and_what_has_thousands_of_units_is_one_area(meter: Meter) -> None:
    half = meter.total // 2
    found = picture(stay("1", 0, 100, amounts={meter.name: half}), meters=(meter,))
    assert found.groups == []
    (level,) = found.levels
    assert max(level.heights) == pytest.approx(0.5)
    assert min(level.heights) == 0.0
    assert "50% at most" in level.tip


def test_jobs_that_ran_elsewhere_are_an_area_of_cores() -> None:
    found = picture(stay("1", 0, 100, slots={}, amounts={"cores": 3}))
    assert [level.label for level in found.levels] == ["cores: how much of 6 was held"]


def test_what_is_too_short_to_be_seen_is_merged_and_this_is_said() -> None:
    short = [stay(str(n), n, n + 0.5, (0,), outcome="failed (1)") for n in range(10, 20)]
    found = picture(stay("1", 0, 10), *short, stay("2", 1000, 9000, (1,)), now=10000)
    assert [piece.job for piece in found.pieces] == ["2"]
    (merged,) = found.merged
    assert merged.tip.startswith("11 short jobs, of which 10 did not succeed\n")
    assert 0 < max(merged.heights) < 1
    assert any("are merged" in note for note in found.notes)


def test_ten_thousand_jobs_stay_readable() -> None:
    found = lay_out(crowd(10_000), replace(OPTIONS, last=1e9))
    assert 0 < len(found.pieces) <= MOST_PIECES
    assert len(found.merged) < 400
    assert found.height < 800
    assert "10,000 jobs" in found.title


def test_no_more_pieces_are_drawn_than_anybody_can_read() -> None:
    stays = [stay(f"{c}.{n}", n * 10, n * 10 + 9, (c,)) for c in range(40) for n in range(200)]
    found = picture(*stays, now=2000, meters=(Meter("cores", 40),))
    assert len(found.pieces) <= MOST_PIECES
    assert found.merged


def test_waits_are_bars_from_submission_to_start() -> None:
    found = picture(stay("1", 0, 100), stay("2", 100, 150, submitted=NOON + 50, attempt=2))
    (wait,) = found.waits
    assert wait.job == "2"
    assert wait.tried
    started = next(piece for piece in found.pieces if piece.job == "2")
    assert wait.x + wait.width == pytest.approx(started.x)
    assert any("tried again" in note for note in found.notes)


def test_a_job_that_waits_still_waits_until_now() -> None:
    found = picture(stay("1", 0, None, started=None), now=200)
    (wait,) = found.waits
    assert wait.goes_on
    assert found.pieces == []
    assert "waited 3 min 20 s so far" in wait.tip


def test_of_many_waits_their_number_is_drawn() -> None:
    stays = [stay(str(n), 100, 150, submitted=NOON + n % 10) for n in range(100)]
    found = picture(*stays)
    assert found.waits == []
    assert [level.most for level in found.levels] == ["100"]


def test_live_failed_and_suspended_jobs_are_told_apart() -> None:
    found = picture(
        stay("1", 0, None, suspended=True),
        stay("2", 0, 100, (1,), outcome="failed (3)"),
        stay("3", 0, 100, (2,)),
    )
    marks = [(piece.live, piece.failed, piece.suspended) for piece in found.pieces]
    assert marks == [(True, False, True), (False, True, False), (False, False, False)]
    assert [piece.label[0] for piece in found.pieces] == ["1", "\u2717", "3"]
    assert found.pieces[1].tip.endswith("failed (3)")


def test_jobs_of_one_name_have_one_colour_and_others_the_next() -> None:
    names = ("train", "evaluate", "train", "", "")
    found = picture(*(stay(str(n), 0, 99, (n,), name=name) for n, name in enumerate(names)))
    assert [piece.colour for piece in found.pieces] == [0, 1, 0, 2, 3]


def test_a_name_that_does_not_fit_is_shortened_and_then_left_out() -> None:
    name = "a-name-of-forty-characters-" + "x" * 13
    labels = [
        picture(stay("1", 0, end, name=name), stay("2", 0, 1000, (1,)), now=1000).pieces[0].label
        for end in (500, 100, 5)
    ]
    assert labels[0] == f"1 {name}"
    assert labels[1].startswith("1 a-name")
    assert labels[1].endswith("\u2026")
    assert labels[2] == ""


def test_between_two_runs_the_scheduler_was_off() -> None:
    periods = (Period("q", NOON - 100, NOON - 50), Period("r", NOON))
    found = picture(stay("9", -90, -60, run="q"), stay("1", 0, 100), periods=periods)
    ((left, right),) = found.off
    first, second = found.pieces
    assert first.x + first.width < left < right < second.x + 0.01


def test_drained_slots_are_marked_and_what_is_not_known_is_said() -> None:
    found = picture(stay("1", 0, 100), meters=(Meter("cores", 3, drained=(2,)),))
    assert [row.drained for row in found.groups[0].rows] == [False, False, True]
    assert any("drained now" in note for note in found.notes)


def test_without_jobs_there_are_rows_and_a_note() -> None:
    found = picture(now=0.0)
    assert len(found.groups[0].rows) == 6
    assert found.notes == ["No job waited or ran in this time."]


def test_no_more_time_is_shown_than_was_asked_for_nor_than_there_is_to_see() -> None:
    long_ago = schedule([stay("1", -5000, -4000), stay("2", 0, 100)], 200)
    assert window(long_ago, 300.0)[0] == NOON - 100
    begin, end = window(long_ago, 86400.0)
    assert NOON - 5060 < begin < NOON - 5000
    assert NOON + 200 < end < NOON + 260


def test_a_stopped_scheduler_is_shown_up_to_its_last_job() -> None:
    stopped = schedule([stay("1", 0, 100)], 50_000, periods=(Period("r", NOON, NOON + 101),))
    assert window(stopped, 86400.0)[1] == pytest.approx(NOON + 100, abs=5)


@pytest.mark.parametrize("span", [1, 60, 3600, 86400, 10 * 86400, 400 * 86400])
def test_ticks_stand_at_round_local_times(span: float) -> None:
    zone = timezone(timedelta(hours=5, minutes=30))
    found = ticks(Scale(NOON, NOON + span, 0, 1000), zone)
    assert 1 <= len(found) <= 12
    assert all(b.x - a.x >= 84 for a, b in pairwise(found))
    if span == 86400:
        assert [tick.label for tick in found if tick.is_day] == ["2027-01-16"]


def test_a_second_run_may_use_the_same_ids() -> None:
    found = picture(stay("1", 0, 50, (0,), run="q"), stay("1", 60, 99, (1,), run="r"))
    assert len({(piece.colour, piece.y) for piece in found.pieces}) == 2


@pytest.mark.parametrize(
    ("time_s", "told"), [(0.05, "0.05 s"), (60, "1 min"), (3700, "1 h 1 min"), (90000, "1 d 1 h")]
)
def test_lengths_of_time(time_s: float, told: str) -> None:
    assert length(time_s) == told


def test_ranges_of_slots() -> None:
    assert ranges((0, 1, 2, 5, 7, 8)) == "0-2,5,7-8"


def test_an_empty_machine_can_be_drawn() -> None:
    assert lay_out(Schedule("default", "box", (), (), (), NOON), OPTIONS).pieces == []
