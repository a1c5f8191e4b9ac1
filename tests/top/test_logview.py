"""The log of a job on the screen."""

from __future__ import annotations

from hsched.cli.top.logview import LINES, LogView
from hsched.cli.top.text import plain


def body(log: LogView, height: int = 4) -> list[str]:
    return [plain(line) for line in log.lines(60, height)[1:]]


def head(log: LogView) -> str:
    return plain(log.lines(60, 4)[0]).rstrip()


def test_it_stays_at_the_end_unless_one_has_gone_up() -> None:
    log = LogView("1", "job 1", False)
    assert head(log) == "job 1: standard output; nothing yet"
    log.take(b"a\nb\nc\nd")
    assert body(log) == ["b", "c", "d"]
    log.move(-1)
    log.take(b"e\nf\n")
    assert body(log) == ["a", "b", "c"]
    assert head(log) == "job 1: standard output, 2 lines below"
    log.move(1000)
    assert body(log) == ["c", "de", "f"]
    log.move(-1000)
    assert body(log) == ["a", "b", "c"]


def test_what_moves_the_cursor_or_is_no_text_is_taken_out() -> None:
    log = LogView("1", "job 1", True)
    log.take(b"\x1b[31mred\x1b[0m \x1b]0;title\x07x\n 1%\r 99%\r100%\r\n\xff\ttab \xe2\x82")
    log.take(b"\xac\n")
    log.note = "the job has ended"
    assert body(log) == ["red x", "100%", r"\xff    tab €"]
    assert head(log) == "job 1: standard error; the job has ended"


def test_a_long_log_is_not_kept_as_a_whole() -> None:
    log = LogView("1", "job 1", False)
    log.take(b"".join(b"%d\n" % n for n in range(3 * LINES)))
    log.move(-10 * LINES)
    assert body(log)[0] == str(2 * LINES)
