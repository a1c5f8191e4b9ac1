"""Reading a record: what is there, and nothing that is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hsched.native.record import (
    RECORD_SIZE,
    Command,
    Exited,
    Left,
    Record,
    Signalled,
    SpawnFailed,
    Started,
    Usage,
    read_record,
)

BOOT_ID = "2f1f8a9d-1b2c-4d5e-8f90-123456789abc"
NOTHING = Record(None, None, None, None)


def record(started: str = "", command: str = "", ending: str = "", memory: str = "") -> bytes:
    slots = ((started, 128), (command, 64), (ending, 256), (memory, 64))
    return b"".join(line.encode().ljust(size, b"\0") for line, size in slots)


WHOLE = record(
    f"started v1 41 5000 {BOOT_ID}\n",
    "command 42 5001\n",
    "exited 3 1500 2048 1700000000000000 1\n",
    "memory 4096\n",
)


def test_a_whole_record() -> None:
    assert len(WHOLE) == RECORD_SIZE
    assert read_record(WHOLE) == Record(
        Started(41, 5000, BOOT_ID),
        Command(42, 5001),
        Exited(3, Usage(1500, 2048, 1_700_000_000_000_000, Left.ENDED)),
        4096,
    )


def test_an_empty_record() -> None:
    assert read_record(bytes(RECORD_SIZE)) == NOTHING
    assert read_record(b"") == NOTHING


@pytest.mark.parametrize(
    ("word", "left"),
    [("-", None), ("0", Left.NOTHING), ("1", Left.ENDED), ("2", Left.RUNNING)],
)
def test_what_was_left(word: str, left: Left | None) -> None:
    ending = read_record(record(ending=f"signalled 9 0 0 1 {word}\n")).ending
    assert ending == Signalled(9, Usage(0, 0, 1, left))


def test_a_spawn_that_failed() -> None:
    ending = read_record(record(ending="spawnfailed 2 exec\n")).ending
    assert ending == SpawnFailed(2, "exec")


@pytest.mark.parametrize(
    "line",
    [
        "exited 0 1 1 1 0",
        "exited 0 1 1 1 0\nx",
        "exited 0 1 1 1 3\n",
        "exited 0 1 1 1\n",
        "exited -1 1 1 1 0\n",
        "exited 1_0 1 1 1 0\n",
        "exited \u0663 1 1 1 0\n",
        "exited  0 1 1 1 0\n",
        "exited 0 99999999999999999999 1 1 0\n",
        "ended 0 1 1 1 0\n",
        "spawnfailed 2\n",
        "spawnfailed x exec\n",
    ],
)
def test_a_garbled_ending_is_none(line: str) -> None:
    assert read_record(record(ending=line)) == NOTHING


def test_slots_do_not_depend_on_each_other() -> None:
    torn = WHOLE[:10] + b"\xff" + WHOLE[11:]
    assert read_record(torn) == read_record(WHOLE)._replace(started=None)


@given(st.integers(0, RECORD_SIZE))
def test_a_record_cut_short_says_less_and_nothing_else(size: int) -> None:
    whole, short = read_record(WHOLE), read_record(WHOLE[:size])
    for said, all_said in zip(short, whole, strict=True):
        assert said in (None, all_said)


@given(st.binary(max_size=600))
def test_any_bytes_can_be_read(data: bytes) -> None:
    read_record(data)
