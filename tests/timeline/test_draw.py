"""What is written down: XML that is whole, text that is text, a page that needs no network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from hsched.timeline import draw, lay_out, page
from hsched.timeline.schedule import Schedule, meters_of, stay_of
from hsched.wire.jobs import Held
from hsched.wire.runs import RunResource, RunView
from tests.browser import Browser, browser
from tests.cli.conftest import job
from tests.timeline.kit import NOON, OPTIONS, crowd, schedule, stay

_SVG = "{http://www.w3.org/2000/svg}"
EVIL = "</title><script>document.title='caught'</script>\x01\udc80&\"'"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as found:
        yield found


def evil() -> Schedule:
    return schedule([stay("1", 0, 100, name=EVIL, command=EVIL), stay("2", 0, 50, (1,))], 200)


def test_svg_is_whole_and_what_jobs_are_called_is_text() -> None:
    root = ElementTree.fromstring(draw(lay_out(evil(), OPTIONS)))
    assert not list(root.iter(f"{_SVG}script"))
    tips = [tip.text or "" for tip in root.iter(f"{_SVG}title")]
    assert any("<script>document.title='caught'</script>\ufffd\ufffd&" in tip for tip in tips)


def test_every_job_that_can_be_seen_is_labelled_for_print_without_colour() -> None:
    root = ElementTree.fromstring(draw(lay_out(evil(), OPTIONS)))
    labels = [
        text.text or "" for text in root.iter(f"{_SVG}text") if "label" in text.get("class", "")
    ]
    assert [label.split()[0] for label in labels] == ["1", "2"]


def test_ten_thousand_jobs_make_a_small_file() -> None:
    found = lay_out(crowd(10_000), replace(OPTIONS, last=1e9))
    assert len(page(found)) < 400_000
    ElementTree.fromstring(draw(found))


def test_a_browser_shows_the_page_without_asking_for_anything(
    chromium: Browser, tmp_path: Path
) -> None:
    file = tmp_path / "out.html"
    file.write_text(page(lay_out(evil(), OPTIONS)), encoding="utf-8")
    chromium.open(file.as_uri())
    assert chromium.run("document.title").startswith("scheduler default on box: 2 jobs")
    assert chromium.run("document.querySelectorAll('.timeline .job').length") == 2
    assert chromium.run("document.querySelectorAll('body script').length") == 1
    assert chromium.run("document.querySelector('.timeline').getBoundingClientRect().width") > 300
    assert chromium.requested() == [file.as_uri()]
    assert chromium.faults() == []


def test_a_tip_is_where_the_pointer_is_and_the_job_is_lit_wherever_it_is(
    chromium: Browser, tmp_path: Path
) -> None:
    apart = schedule([stay("7", 0, 100, (0, 5), command="make all"), stay("8", 0, 99, (2,))], 101)
    file = tmp_path / "tips.html"
    file.write_text(page(lay_out(apart, OPTIONS)), encoding="utf-8")
    chromium.open(file.as_uri())
    chromium.move('[data-job="7"] rect')
    tip = chromium.until("!document.getElementById('tip').hidden && tip.textContent")
    assert tip.startswith("job 7\nmake all\ncores 0,5\n")
    assert chromium.run("document.querySelectorAll('.lit').length") == 2
    chromium.move(".title")
    assert chromium.until("document.getElementById('tip').hidden")


def test_the_page_is_dark_where_screens_are_and_white_on_paper(
    chromium: Browser, tmp_path: Path
) -> None:
    file = tmp_path / "dark.html"
    file.write_text(page(lay_out(evil(), OPTIONS)), encoding="utf-8")
    dark = [{"name": "prefers-color-scheme", "value": "dark"}]
    colour = "getComputedStyle(document.querySelector('.paper')).fill"
    chromium.open(file.as_uri())
    chromium.call("Emulation.setEmulatedMedia", media="screen", features=dark)
    assert chromium.run(colour) == "rgb(22, 25, 29)"
    chromium.call("Emulation.setEmulatedMedia", media="print", features=dark)
    assert chromium.run(colour) == "rgb(255, 255, 255)"
    chromium.call("Emulation.setEmulatedMedia", media="", features=[])


def test_a_job_as_the_broker_tells_of_it_becomes_a_stay() -> None:
    shared = job(
        id="3",
        state="done",
        outcome="failed",
        exit_status=2,
        submitted_at="2026-11-21T03:06:01.5+00:00",
        started_at="2026-11-21T03:06:02+00:00",
        ended_at="2026-11-21T03:07:02+00:00",
        allocation={
            "cores": Held(amount=2, slots=(1, 2)),
            "gpus": Held(amount=0, slots=()),
            "mem": Held(amount=8 << 30),
        },
        devices=(1,),
    )
    found = stay_of(shared)
    assert found is not None
    assert found.slots == {"cores": (1, 2), "gpus": (1,)}
    assert found.amounts == {"cores": 2, "gpus": 1, "mem": 8 << 30}
    assert (found.outcome, found.has_failed) == ("failed (2)", True)
    assert found.ended is not None
    assert found.started is not None
    assert (found.started - found.submitted, found.ended - found.started) == (0.5, 60.0)


def test_resources_are_as_large_as_they_were_in_any_of_the_runs() -> None:
    runs = [
        RunView(name="a", started_at=0.0, resources=(RunResource(name="cores", total=8),)),
        RunView(name="b", started_at=9.0, resources=(RunResource(name="cores", total=6),)),
    ]
    stays = [stay("1", NOON, None, slots={"gpus": (3,)})]
    assert [(one.name, one.total) for one in meters_of(runs, stays)] == [("cores", 8), ("gpus", 4)]
