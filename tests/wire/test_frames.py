"""The envelope: what is a header and what is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hsched import errors
from hsched.wire.frames import ErrorReply, Header, parse_header

KEY = "0123456789abcdef" * 2


def test_a_header_comes_back_as_it_was_sent() -> None:
    header = Header(1, "submit", KEY)
    assert header.encode() == f"hsched/1 submit {KEY}".encode()
    assert parse_header(header.encode()) == header


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"hsched/1",
        b"hsched/1 submit",
        b"other/1 submit " + KEY.encode(),
        b"hsched submit " + KEY.encode(),
        b"hsched/x submit " + KEY.encode(),
        b"hsched/1234567 submit " + KEY.encode(),
        b"hsched/1 submit short",
        b"hsched/1 submit " + b"/" * 32,
        b"hsched/1 submit " + KEY.encode() + b" more",
        b"\xff\xff \xff \xff",
    ],
)
def test_what_is_no_header_is_refused(frame: bytes) -> None:
    with pytest.raises(errors.MalformedMessage):
        parse_header(frame)


@given(st.binary(max_size=300))
def test_no_bytes_make_parsing_crash(frame: bytes) -> None:
    try:
        parse_header(frame)
    except errors.MalformedMessage:
        return


@pytest.mark.parametrize("kind", ["Refused", "NoSuchJob", "WrongUsage", "NotPermitted"])
def test_an_error_arrives_as_its_class(kind: str) -> None:
    error = ErrorReply(kind=kind, text="why").exception()
    assert type(error) is errors.by_name(kind)
    assert type(error).__name__ == kind
    assert str(error) == "why"


@pytest.mark.parametrize("kind", ["", "ClassVar", "annotations", "SystemExit", "NotThereYet"])
def test_an_unknown_kind_of_error_is_still_an_error_of_ours(kind: str) -> None:
    assert errors.by_name(kind) is errors.HschedError
