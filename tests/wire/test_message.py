"""Messages: what is sent arrives, and what is no message is refused."""

from __future__ import annotations

import json
import typing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hsched.errors import MalformedMessage
from hsched.wire import (
    adopt,
    capacity,
    choice,
    drain,
    hold,
    jobs,
    kill,
    release,
    remove,
    rerun,
    resume,
    runs,
    slots,
    status,
    stop,
    submit,
    subscribe,
    suspend,
    update,
)
from hsched.wire.message import Message, from_json, raw, text, to_json


class Inner(Message):
    """A message within a message."""

    word: str


class Outer(Message):
    """One field of each kind that messages have."""

    number: int
    ratio: float = 0.5
    yes: bool = False
    maybe: str | None = None
    words: tuple[str, ...] = ()
    table: dict[str, int] | None = None
    inner: Inner | None = None
    inners: tuple[Inner, ...] = ()


MODULES = (
    *(adopt, capacity, choice, drain, hold, jobs, kill, release, rerun),
    *(remove, resume, runs, slots, status, stop, submit, subscribe, suspend, update),
)
MESSAGES = [
    one
    for module in MODULES
    for one in vars(module).values()
    if isinstance(one, type) and issubclass(one, Message) and one.__module__ == module.__name__
]

words = st.text(max_size=20)
inners = st.builds(Inner, word=words)
outers = st.builds(
    Outer,
    number=st.integers(),
    ratio=st.floats(allow_nan=False),
    yes=st.booleans(),
    maybe=st.none() | words,
    words=st.lists(words).map(tuple),
    table=st.none() | st.dictionaries(words, st.integers()),
    inner=st.none() | inners,
    inners=st.lists(inners).map(tuple),
)


@given(outers)
def test_what_is_sent_arrives(message: Outer) -> None:
    assert from_json(Outer, to_json(message)) == message


@given(outers)
def test_what_is_left_out_and_what_is_given_as_it_is_by_default_are_the_same(m: Outer) -> None:
    whole, short = Outer(**m.as_dict()), Outer(**m.plain())
    assert whole == short == m
    assert whole.plain() == short.plain()
    assert list(short.as_dict()) == ["number", *(n for n in Outer._defaults if n != "number")]


@given(st.binary())
def test_bytes_travel_as_text_without_loss(anything: bytes) -> None:
    assert raw(json.loads(json.dumps(text(anything)))) == anything


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (b"", "no JSON"),
        (b"\xff\xfe", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"[]", "Outer is no object"),
        (b"{}", r"Outer\.number is missing"),
        (b'{"number":"1"}', r"Outer\.number is no int"),
        (b'{"number":true}', r"Outer\.number is no int"),
        (b'{"number":1,"words":"abc"}', r"Outer\.words is no list"),
        (b'{"number":1,"words":[1]}', r"Outer\.words is no str"),
        (b'{"number":1,"table":[]}', r"Outer\.table is no object"),
        (b'{"number":1,"inner":{}}', r"Inner\.word is missing"),
    ],
)
def test_what_is_no_message_is_refused_by_name(body: bytes, complaint: str) -> None:
    with pytest.raises(MalformedMessage, match=complaint):
        from_json(Outer, body)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | words,
        lambda x: st.lists(x) | st.dictionaries(words, x),
    )
)
def test_no_json_makes_decoding_crash(value: object) -> None:
    body = json.dumps(value).encode()
    for cls in MESSAGES:
        try:
            from_json(cls, body)
        except MalformedMessage:
            continue


def test_text_that_stands_for_no_bytes_is_refused() -> None:
    with pytest.raises(MalformedMessage, match="no bytes"):
        raw("\ud800")


def test_fields_of_a_newer_version_are_skipped() -> None:
    assert from_json(Inner, b'{"word":"a","new":1}') == Inner(word="a")


def test_defaults_do_not_travel() -> None:
    assert to_json(Outer(number=1)) == b'{"number":1}'


def test_a_message_is_frozen() -> None:
    message = Inner(word="a")
    with pytest.raises(AttributeError, match="frozen"):
        message.word = "b"  # type: ignore[misc] # that is the point
    assert message == Inner(word="a")
    assert hash(message) == hash(Inner(word="a"))
    assert repr(Outer(number=3, maybe="x")) == "Outer(number=3, maybe='x')"


def test_a_message_needs_its_fields_and_no_others() -> None:
    kwargs: dict[str, Any] = {"wrod": "a"}
    with pytest.raises(TypeError, match="wrod"):
        Inner(**kwargs)
    with pytest.raises(TypeError, match="word"):
        Inner(**{})


def test_as_dict_has_every_field_in_order() -> None:
    fields = ["number", "ratio", "yes", "maybe", "words", "table", "inner", "inners"]
    assert list(Outer(number=1).as_dict()) == fields


@pytest.mark.parametrize("cls", MESSAGES, ids=lambda cls: cls.__name__)
def test_every_message_can_be_decoded(cls: type[Message]) -> None:
    with pytest.raises(MalformedMessage):
        from_json(cls, b'"no object"')
    hints = typing.get_type_hints(cls)
    assert set(cls._defaults) <= set(hints)


def test_a_whole_number_of_seconds_is_as_good_as_any() -> None:
    # A store gives real numbers back as floats, and knows a row by how its values are written.
    spec = from_json(submit.JobSpec, b'{"slots": "1", "time_limit": 600, "grace": 2}')
    assert (repr(spec.time_limit), repr(spec.grace)) == ("600.0", "2.0")


def test_a_number_beyond_all_floats_is_refused() -> None:
    with pytest.raises(MalformedMessage, match="grace is too large"):
        from_json(submit.JobSpec, b'{"slots": "1", "grace": 1' + b"0" * 400 + b"}")
