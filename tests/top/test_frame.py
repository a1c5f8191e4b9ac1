"""The screen, from what is known: pure, at any size."""

from __future__ import annotations

import time

from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from hsched.cli.top.frame import frame
from hsched.cli.top.logview import LogView
from hsched.cli.top.slotmap import Glyphs, slot_lines
from hsched.cli.top.table import Usage
from hsched.cli.top.text import plain, shortened, size, span_of_time
from tests.top.kit import GIB, board, numbered, resources, runner, scene, shown, view

WORDS = st.text(max_size=40)


def test_a_screen_of_80_by_24() -> None:
    known = board(
        runner("7", 0, 1, gpus=(1,), name="train", pid=5),
        runner("8", 2),
        view("9", reason="slots: needs 4 cores, 1 free", command=("make", "x" * 100)),
        jobs={"running": 2, "pending": 1},
    )
    known.move(2)
    usage = {"7": Usage(153.2, 3 * GIB, 10 * GIB, 87)}
    assert shown(scene(known, usage=usage), 80, 16) == [
        "hsched default: 2 running, 1 pending, CPU 50% of 4, memory 3.0G of 8.0G",
        "cores  7 7 8 ·",
        "gpus   · 7",
        "mem    █████░░░░░░░░░░░░░░░ 2.0G of 8.0G",
        "",
        "    ID  STATE      SLOTS     TIME   CPU%    MEM  GPU      NAME   COMMAND",
        "     7  running    1,0       2:00    153   3.0G  87% 10G  train  sleep 7",
        "     8  running    1,0       2:00                                sleep 8",
        "▶    9  pending    1,0                                           make xx…xxxxxxx",
        "",
        "",
        "",
        "",
        "",
        "job 9 (make xxxxxxxxxx…xxxxxxxxxxxxxx): slots: needs 4 cores, 1 free",
        " ↑↓  move   h  hold   r  release   k  kill   l  log   ?  help   q  quit",
    ]


def test_a_wide_screen_tells_why() -> None:
    known = board(view("9", reason="held", expected_start_at="2027-01-15T07:58:00+00:00"))
    lines = shown(scene(known), 200, 60)
    assert any("WHY" in line for line in lines)
    assert any("held; expected to start 01-15" in line for line in lines)
    assert "held" in next(line for line in lines if "sleep 9" in line)


def test_a_narrow_screen_keeps_id_and_command() -> None:
    known = board(runner("7", 0, name="train", pid=5))
    table = [line for line in shown(scene(known), 26, 24) if "7  " in line and "sleep" in line]
    assert table, shown(scene(known), 26, 24)


def test_what_is_asked_and_what_was_said_stand_above_the_keys() -> None:
    known = board(view("1", reason="held"))
    known.message = "job 1 is held"
    assert shown(scene(known))[-2] == "job 1 is held"
    assert shown(scene(known, confirm="Kill it?"))[-2] == "Kill it?"
    known.message = ""
    assert shown(scene(known))[-2] == "job 1 (sleep 1): held"


def test_a_scheduler_that_is_gone_or_idle_says_so() -> None:
    known = board()
    assert "no jobs; submit one with `hsubmit`" in "\n".join(shown(scene(known)))
    known.trouble, known.status = "it has stopped", None
    assert shown(scene(known))[0] == "hsched default: it has stopped"


def test_help_fits_80_by_24() -> None:
    lines = shown(scene(board(), help=True))
    assert any("kill, end a job" in line for line in lines)
    assert any("x drained" in line for line in lines)


@settings(max_examples=150, deadline=None)
@given(
    st.integers(1, 230),
    st.integers(1, 70),
    st.lists(st.tuples(WORDS, WORDS, st.booleans()), max_size=30),
    st.sampled_from(["", "log", "help", "confirm"]),
)
def test_no_size_and_no_text_breaks_the_screen(
    width: int, height: int, jobs: list[tuple[str, str, bool]], what: str
) -> None:
    known = board(
        *[
            runner(str(n), n, name=name, command=(command,))
            if runs
            else view(str(n), name=name, command=(command,), reason=command)
            for n, (name, command, runs) in enumerate(jobs, 1)
        ]
    )
    known.move(len(jobs) // 2)
    log = LogView("1", "job 1", False)
    for _, command, _ in jobs:
        log.take(command.encode("utf-8", "replace") + b"\n")
    now = scene(known, help=what == "help", confirm=what and "Kill?", log=None)
    lines = frame(now._replace(log=log) if what == "log" else now, width, height)
    assert len(lines) == height
    for line in lines:
        assert cell_len(plain(line)) <= width
        assert plain(line).isprintable()


def test_the_cost_of_a_screen_does_not_grow_with_what_is_not_on_it() -> None:
    def lowest(count: int) -> float:
        known = board(*[view(str(n)) for n in range(1, count + 1)])
        frame(scene(known), 80, 24)
        times = []
        for _ in range(5):
            begun = time.process_time()
            frame(scene(known), 80, 24)
            times.append(time.process_time() - begun)
        return min(times)

    assert lowest(20_000) < 20 * lowest(200) + 0.01


def slots(count: int, running: list[tuple[str, tuple[int, ...]]], width: int, height: int) -> str:
    rows = board(*[runner(one, *held) for one, held in running]).rows
    cores = numbered("cores", count, drained=(count - 1,))
    lines = slot_lines([cores], rows, None, (width, height), Glyphs())
    return "\n".join(plain(line) for line in lines)


def test_slots_that_do_not_fit_one_by_one_are_told_as_spans() -> None:
    assert slots(4, [("1", (0, 2))], 80, 1) == "cores  1 · 1 x"
    assert slots(8, [("1", (0, 2))], 17, 2) == "cores  1 · 1 · ·\n       · · x"
    wide = [("12", tuple(range(100))), ("7", (200,))]
    assert slots(256, wide, 60, 1) == "cores  0-99:12 100-199:· 200:7 201-254:· 255:x"
    assert slots(256, wide, 30, 1) == "cores  0-99:12 100-199:· …"
    assert slots(256, wide, 30, 2) == "cores  0-99:12 100-199:· 200:7\n       201-254:· 255:x"


def test_gpus_that_are_shared_show_all_who_share() -> None:
    known = board(
        runner("1", 0, min_devices=1, devices=(1,)), runner("2", 1, min_devices=1, devices=(1,))
    )
    lines = slot_lines(resources(), known.running(), "2", (80, 5), Glyphs(unicode=False))
    assert plain(lines[1]).rstrip() == "gpus   .   1+2"
    assert any("reverse" in style for text, style in lines[1] if "2" in text)
    assert plain(lines[2]) == "mem    #####--------------- 2.0G of 8.0G"


def test_words_for_sizes_and_times() -> None:
    assert [size(n) for n in (None, 0, 512, 1023, 10 << 10, 1023 << 20, 3 << 30, 5 << 50)] == [
        *("-", "0", "0.5K", "1.0K", "10K", "1.0G", "3.0G", "5.0P")
    ]
    assert [span_of_time(n) for n in (-1, 7, 3723, 273_900)] == [
        "0:00",
        "0:07",
        "1:02:03",
        "3d 04:05",
    ]
    assert shortened("abcdefghij", 5) == "ab…ij"
    assert shortened("日本語日本語", 7) == "日 …語"
