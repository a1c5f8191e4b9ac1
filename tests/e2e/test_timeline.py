"""hsched timeline of a real scheduler: while it runs, after it was stopped, over two runs."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from tests.e2e.shell import Shell


def test_the_picture_shows_live_jobs_done_ones_and_who_waits(sched: Shell) -> None:
    done = sched.submit("--job-name", "quick", "2,1,8", "true")
    sched.wait(done)
    live = sched.submit("6,1,8", "sleep", "1000")
    sched.until(lambda: sched.job(live)["state"] == "running", "it runs")
    waits = sched.submit("1", "true")
    said = sched.ok("hsched", "timeline", "-o", "out.svg")
    assert re.fullmatch(r"out\.svg: scheduler default on \S+: 3 jobs, .+", said)
    text = (sched.folder / "out.svg").read_text()
    ElementTree.fromstring(text)
    assert len(re.findall('class="row"', text)) == 6 + 2 + 1
    assert set(re.findall('data-job="([^"]*)"', text)) >= {live, waits}
    assert "waited" in text
    assert "still runs" in text


def test_history_of_a_stopped_scheduler_and_of_the_run_before(sched: Shell) -> None:
    first = sched.submit("1", "sleep", "0.3")
    sched.wait(first)
    sched.ok("hstop")
    sched.ok("hstart", "2")
    second = sched.submit("2", "sleep", "0.3")
    sched.wait(second)
    sched.ok("hstop")
    said = sched.ok("hsched", "timeline", "--last", "1h", "-o", "out.html")
    assert ": 2 jobs, " in said
    text = (sched.folder / "out.html").read_text()
    assert "the scheduler was stopped" in text
    # The rows of the larger run stand there, though only two slots were left at the end.
    assert len(re.findall('class="row"', text)) == 6 + 2 + 1


def test_what_is_wrong_is_said_in_one_line(shell: Shell) -> None:
    for words, said in (
        (("-o", "out.png"), "the name of the picture ends in .svg or .html"),
        (("-o", "out.svg", "--last", "0"), "there is nothing in no time; give one such as 2h"),
        (("-o", "out.svg", "--last", "soon"), "is no duration"),
        (("-o", "out.svg"), "not running; start it with `hstart`"),
        ((), "Missing option '-o' / '--out'"),
    ):
        done = shell.run("hsched", "timeline", *words)
        assert done.returncode != 0
        assert said in done.stderr
        assert done.stderr.count("\n") == 1
    assert list(shell.folder.iterdir()) == []
