"""The parts of the benchmarks that calculate and write; nothing is measured here."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from functools import partial
from itertools import count
from pathlib import Path

import pytest

from tests.bench.attic import _attics, attic, put_away
from tests.bench.charts import chart
from tests.bench.figures import Figures, number
from tests.bench.report import Headline, Report, Table, document, markdown
from tests.bench.rounds import in_turn

_SVG = "{http://www.w3.org/2000/svg}"


def test_median_and_worst_of_times_and_of_rates() -> None:
    times = Figures((3.0, 1.0, 2.0))
    assert (times.median, times.worst) == (2.0, 3.0)
    assert Figures((3.0, 1.0, 2.0), more_is_better=True).worst == 1.0


@pytest.mark.parametrize(("percent", "expected"), [(95, 95.0), (50, 50.0), (100, 100.0), (0, 1.0)])
def test_a_percentile_is_the_least_value_that_so_many_do_not_exceed(
    percent: float, expected: float
) -> None:
    assert Figures(tuple(map(float, range(100, 0, -1)))).percentile(percent) == expected


def test_a_ratio_is_of_medians() -> None:
    assert Figures((1.0, 6.0, 900.0)).times(Figures((2.0,))) == 3.0


@pytest.mark.parametrize(
    ("value", "text"),
    [(1234.5, "1,234"), (99.96, "100"), (12.345, "12.3"), (1.5, "1.50"), (0.01234, "0.0123")],
)
def test_a_number_has_three_digits_that_mean_something(value: float, text: str) -> None:
    assert number(value) == text


def test_contenders_are_measured_in_turn() -> None:
    order: list[str] = []
    ticks = count()

    def contender(name: str) -> list[float]:
        order.append(name)
        return [float(next(ticks))]

    found = in_turn({name: partial(contender, name) for name in "AB"}, rounds=2)
    assert order == ["A", "B", "A", "B"]
    assert found["B"].values == (1.0, 3.0)


def test_a_table_is_markdown_with_its_numbers_to_the_right() -> None:
    table = Table("", ("", "ms"), (("hsched", "1.50"), ("another", "12.0")))
    assert markdown(table).splitlines() == [
        "|         |   ms |",
        "| :------ | ---: |",
        "| hsched  | 1.50 |",
        "| another | 12.0 |",
    ]


def test_the_document_has_machine_short_table_and_each_report() -> None:
    table = Table("T", ("", "ms"), (("hsched", "1"),), "How it was measured.")
    report = Report("Dispatch", [table], [Headline("gap", "1", "tsp 2")], {"gap.svg": "<svg/>"})
    text = document([report], "A machine, fsync 1 ms.", "About.")
    parts = ["A machine, fsync 1 ms.", "| gap", "## Dispatch", "How it was measured.", "(gap.svg)"]
    places = [text.index(part) for part in parts]
    assert places == sorted(places)


def test_a_chart_has_a_line_for_each_label_and_a_point_for_each_size() -> None:
    points = [(10, 1.0), (1000, 2.0), (100_000, 1.5)]
    root = ET.fromstring(chart("Cost", {"1 request": points, "<2>": points[:2]}))
    assert len(root.findall(f"{_SVG}polyline")) == 2
    circles = root.findall(f"{_SVG}circle")
    assert len(circles) == 5
    lefts = [float(circle.attrib["cx"]) for circle in circles[:3]]
    assert lefts[1] - lefts[0] == pytest.approx(lefts[2] - lefts[1]), "not in powers of ten"
    tops = [float(circle.attrib["cy"]) for circle in circles[:3]]
    assert tops[1] < tops[2] < tops[0], "a larger cost stands higher"
    assert "<2>" in [text.text for text in root.findall(f"{_SVG}text")]


def test_what_is_put_away_is_kept_until_all_is_measured(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").touch()
    with attic():
        put_away(tmp_path / "one")
        kept = _attics[-1]
        assert [file.name for file in kept.rglob("file")] == ["file"]
        assert not (tmp_path / "one").exists()
    assert not kept.exists()
    put_away(tmp_path / "two")
    assert not (tmp_path / "two").exists(), "without an attic it is removed"
