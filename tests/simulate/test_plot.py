"""The picture: an SVG document whose bars and areas stand where the jobs ran."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

from hypothesis import given
from hypothesis import strategies as st

from hsched.core.spec import parse_spec
from hsched.simulate import draw
from hsched.simulate.plot import MOST_BARS, averages
from tests.simulate.kit import job, place

SVG = "{http://www.w3.org/2000/svg}"


def drawn(placements: int, spec: str = "4", run_s: float = 10) -> ElementTree.Element:
    jobs = [
        job(i, run_s, *(min(1, r.capacity) for r in parse_spec(spec))) for i in range(placements)
    ]
    return ElementTree.fromstring(draw(place(jobs, spec), parse_spec(spec), "a < b & c"))


def of_class(picture: ElementTree.Element, kind: str) -> list[ElementTree.Element]:
    return [one for one in picture.iter() if one.get("class") == kind]


def test_few_jobs_are_bars_on_their_slots() -> None:
    # Two slots; A on both of them 0-10, B on one 10-20: half as high, right of A, below.
    jobs = [job(0, 10, 2), job(0, 10, 1)]
    picture = ElementTree.fromstring(draw(place(jobs, "2"), parse_spec("2"), ""))
    wide, narrow = (
        {key: float(bar.get(key, "")) for key in ("x", "y", "width", "height")}
        for bar in of_class(picture, "bar")
    )
    assert wide["width"] == narrow["width"] == narrow["x"] - wide["x"]
    assert wide["height"] == 2 * narrow["height"]
    assert narrow["y"] == wide["y"] + narrow["height"], "slot 0 is at the bottom"


def test_a_job_on_slots_apart_has_several_bars() -> None:
    jobs = [job(0, 9, 1), job(0, 20, 1), job(0, 9, 1), job(10, 5, 2)]
    picture = ElementTree.fromstring(draw(place(jobs, "3"), parse_spec("3"), ""))
    assert len(of_class(picture, "bar")) == 5, "the last one holds the slots 0 and 2"


def test_many_jobs_are_one_area_and_a_small_file() -> None:
    picture = drawn(MOST_BARS + 1)
    assert of_class(picture, "held")
    assert not of_class(picture, "bar")
    assert len(ElementTree.tostring(picture)) < 50_000


def test_an_amount_is_an_area_and_each_resource_a_panel() -> None:
    picture = drawn(3, "cores=4,mem=32G,gpus=0")
    assert (len(of_class(picture, "bar")), len(of_class(picture, "held"))) == (3, 1)
    assert len(of_class(picture, "frame")) == 3, "cores, mem, and the jobs that wait"


def test_what_people_wrote_is_escaped() -> None:
    assert drawn(1).findtext(f"{SVG}text") == "a < b & c"


def test_any_length_of_time_has_an_axis() -> None:
    for run_s in (0, 0.2, 1, 59, 3600, 86_400 * 3, 86_400 * 365 * 100):
        texts = of_class(drawn(1, run_s=run_s), "mid")
        assert 1 <= len(texts) <= 13, f"{run_s} s"


def test_averages_are_over_columns() -> None:
    # Level 2 in 0-1, level 3 in 1-3, then nothing; in columns of two seconds.
    changes = [(0, 2.0), (1, 1.0), (3, -3.0)]
    assert list(averages(changes, [0, 2, 4])) == [2.5, 1.5]


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 9), st.integers(1, 5))))
def test_averages_keep_the_area(held: list[tuple[int, int, int]]) -> None:
    changes = [
        change
        for start, run, amount in held
        for change in ((start, float(amount)), (start + run, -float(amount)))
    ]
    area = sum(3 * level for level in averages(changes, range(0, 31, 3)))
    assert abs(area - sum(run * amount for _, run, amount in held)) < 1e-9
