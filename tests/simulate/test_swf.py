"""Standard Workload Format: which field is what, and what is wrong with a file."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from hsched.core.spec import parse_spec
from hsched.errors import MalformedTrace, WrongUsage
from hsched.simulate import TraceJob, Workload, read_swf
from tests.simulate.kit import line

HEADER = "; Version: 2.2\n;  Computer: n\xf8ne\n;\n\n"


def read(folder: Path, text: str, slots: str = "4") -> Workload:
    path = folder / "trace.swf"
    path.write_bytes(text.encode("latin-1"))
    return read_swf(str(path), parse_spec(slots))


def test_fields_are_known_by_their_place(tmp_path: Path) -> None:
    # 1 job, 2 submit, 4 run, 5 processors, 8 processors asked for, 9 time asked for, 11 status
    text = HEADER + "17 100 3 50.5 2 49.9 512 3 60 1024 1 7 8 9 1 2 16 30\n"
    assert read(tmp_path, text).jobs == (TraceJob("17", 0, 50.5, 60, (3,)),)


def test_what_is_unknown_is_taken_from_what_is_known(tmp_path: Path) -> None:
    (found,) = read(tmp_path, line(1, 0, 50, 2)).jobs
    assert found == TraceJob("1", 0, 50, 50, (2,)), "processors allocated, and the run time"


def test_jobs_come_in_order_of_submission_from_0_on(tmp_path: Path) -> None:
    jobs = read(tmp_path, line(1, 130, 1, 1) + line(2, 100, 1, 1) + line(3, 130, 1, 1)).jobs
    assert [(one.label, one.submit_s) for one in jobs] == [("2", 0), ("1", 30), ("3", 30)]


def test_packed_files_are_read(tmp_path: Path) -> None:
    path = tmp_path / "trace.swf.gz"
    path.write_bytes(gzip.compress((HEADER + line(1, 0, 5, 1)).encode("latin-1")))
    assert read_swf(str(path), parse_spec("4")).jobs == (TraceJob("1", 0, 5, 5, (1,)),)


def test_jobs_that_cannot_be_simulated_are_left_out_and_counted(tmp_path: Path) -> None:
    text = (
        line(1, 0, 5, 4)
        + line(2, 0, 5, 5)
        + line(3, 0, 5, 1, requested=9)
        + line(4, 0, -1, 1)
        + line(5, 0, 5, -1)
        + line(6, -1, 5, 1)
        + "".join(line(7, 0, 5, 1, status=part) for part in (2, 3, 4))
        + line(8, 9, 0, 1, status=5)
    )
    found = read(tmp_path, text)
    assert [one.label for one in found.jobs] == ["1", "8"]
    assert found.left_out == {
        "larger than the machine": 2,
        "without a run time": 1,
        "without a size": 1,
        "without a submit time": 1,
        "parts of other jobs": 3,
    }


def test_arrivals_are_drawn_together(tmp_path: Path) -> None:
    found = read(tmp_path, line(1, 100, 5, 1) + line(2, 110, 5, 1) + line(3, 130, 5, 1))
    assert [one.submit_s for one in found.scaled(0.5).jobs] == [0, 5, 15]
    assert [one.run_s for one in found.scaled(0.5).jobs] == [5, 5, 5]
    assert [one.submit_s for one in found.scaled(0).jobs] == [0, 0, 0]


def test_a_machine_with_more_processors_than_slots_can_be_is_an_amount(tmp_path: Path) -> None:
    found = read(tmp_path, line(1, 0, 5, 100_000) + line(2, 0, 5, 200_000), "163840K")
    assert [one.amounts for one in found.jobs] == [(100_000 << 10,)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 2 3\n", "line 1: a job in Standard Workload Format has 18 fields, this has 3"),
        (HEADER + line(1, 0, 5, 1) + "x\n", "line 6: .* has 18 fields, this has 1"),
        (line(1, 0, 5, 1)[:-1] + " 1\n", "line 1: .*, this has 19"),
        (line(1, "noon", 5, 1), "line 1: `noon` is no number"),
        (line(1, 0, "nan", 1), "line 1: `nan` is no number"),
        (line(1, 0, 5, 1.5), "line 1: `1.5` is no number of processors"),
        ("", "there is no job in it"),
        (HEADER, "there is no job in it"),
    ],
)
def test_another_format_is_told_by_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(MalformedTrace, match=message):
        read(tmp_path, text)


_CUT_SHORT = gzip.compress(b"1" * 99, mtime=0)[:-9]


@pytest.mark.parametrize("bytes_", [b"1 2 3", b"\x1f\x8b\x08\0", _CUT_SHORT])
def test_a_packed_file_that_is_none_is_told(tmp_path: Path, bytes_: bytes) -> None:
    path = tmp_path / "trace.swf.gz"
    path.write_bytes(bytes_)
    with pytest.raises(MalformedTrace, match="cannot be unpacked"):
        read_swf(str(path), parse_spec("4"))


def test_a_trace_has_one_resource(tmp_path: Path) -> None:
    with pytest.raises(WrongUsage, match="--slots takes one number"):
        read(tmp_path, line(1, 0, 5, 1), "4,2")
