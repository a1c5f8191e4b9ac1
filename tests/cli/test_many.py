"""--each and --array: what lines and indices mean."""

from __future__ import annotations

from pathlib import Path

import pytest

from hsched.cli import many
from hsched.cli.many import Array
from hsched.errors import WrongUsage
from hsched.wire.submit import JobSpec

COMMON = JobSpec(slots="1", name="n", dependencies=("3",))


def jobs(*lines: str, graph: bool = False, **common: object) -> list[JobSpec]:
    return list(many.jobs(lines, JobSpec(**{**COMMON.as_dict(), **common}), graph))


@pytest.mark.parametrize("line", ["a b", " # no comment", "@a -- b", "--", "{} '"])
def test_a_line_is_a_shell_line_whatever_stands_in_it(line: str) -> None:
    assert jobs(line) == [JobSpec(slots="1", name="n", dependencies=("3",), shell=line)]


def test_a_line_takes_its_place_in_the_words_and_is_not_split() -> None:
    (job,) = jobs('a  b"$x', argv=("cp", "{}", "to/{}.{}", "plain"))
    assert job.argv == ("cp", 'a  b"$x', 'to/a  b"$x.a  b"$x', "plain")
    assert job.shell is None


def test_a_line_with_braces_is_not_filled_in_again() -> None:
    assert jobs("{}{}", argv=("echo", "{}"))[0].argv == ("echo", "{}{}")


def test_labels_and_edges() -> None:
    found = jobs(
        "@prepare -- make data",
        "@train.1 afterok:@prepare,@fetch after:@x 7,afterok:8 -- python -- x",
        "@ @train.1 -- make report",
        "plain @a -- b",
        graph=True,
    )
    assert [(job.label, job.dependencies[1:], job.shell) for job in found] == [
        ("prepare", (), "make data"),
        (
            "train.1",
            ("afterok:@prepare", "afterok:@fetch", "after:@x", "7", "afterok:8"),
            "python -- x",
        ),
        (None, ("@train.1",), "make report"),
        (None, (), "plain @a -- b"),
    ]
    assert all(job.dependencies[0] == "3" for job in found)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("@a", "line 1: `@a` is not of the form @LABEL ... -- LINE"),
        ("@a make", "line 1: `@a make` is not of the form"),
        ("@a --", "is not of the form"),
        ("@a b: -- x", "`b` is no condition"),
        ("@a never:@b -- x", "line 1: `never:@b` is no dependency such as afterok:@LABEL"),
        ("@a @b,7 -- x", "line 1: `7` is no dependency"),
        ("@a @ -- x", "line 1: `@` is no dependency"),
    ],
)
def test_a_head_that_makes_no_sense(line: str, told: str) -> None:
    with pytest.raises(WrongUsage) as error:
        jobs(line, graph=True)
    assert told in str(error.value)


@pytest.mark.parametrize(
    ("nul", "found"), [(False, ["a", " b\udcff\0c"]), (True, ["a\n\n b\udcff", "c"])]
)
def test_lines_are_bytes_and_empty_ones_are_left_out(
    tmp_path: Path, nul: bool, found: list[str]
) -> None:
    (tmp_path / "lines").write_bytes(b"a\n\n b\xff\0c")
    assert many.read_lines(str(tmp_path / "lines"), nul) == found


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("0", Array((0,), None)),
        ("0-3", Array((0, 1, 2, 3), None)),
        ("0-9:3%2", Array((0, 3, 6, 9), 2)),
        ("5,1,9-20:5", Array((1, 5, 9, 14, 19), None)),
        ("2097150", Array((2097150,), None)),
    ],
)
def test_arrays(word: str, meant: Array) -> None:
    assert many.array(word) == meant


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("", "`` is no index"),
        ("1,", "`` is no index"),
        ("a", "`a` is no index"),
        ("-1", "`-1` is no index"),
        ("1:2", "`1:2` is no index"),
        ("3-1", "`3-1` is empty"),
        ("1-3:0", "`1-3:0` is empty"),
        ("1,0-2", "1 stands there twice"),
        ("0-2097151", "2097151 is above 2097150"),
        ("0-1%0", "`%0` must be %1 or more"),
        ("0-1%", "`%` must be %1 or more"),
    ],
)
def test_what_is_no_array(word: str, told: str) -> None:
    with pytest.raises(WrongUsage) as error:
        many.array(word)
    assert told in str(error.value)
