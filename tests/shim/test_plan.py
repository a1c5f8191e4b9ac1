"""Writing a plan."""

from __future__ import annotations

import dataclasses

import pytest

from hsched.native.plan import NO_LIMIT, Plan, encode_plan

PLAN = Plan(job_id="7", cwd=b"/home", argv=(b"prog", b""))


def fields(plan: Plan) -> list[bytes]:
    encoded = encode_plan(plan)
    assert encoded.endswith(b"\0")
    return encoded[:-1].split(b"\0")


def test_the_version_comes_first() -> None:
    assert fields(PLAN) == [
        *(b"plan=1", b"id=7", b"cwd=/home", b"umask=022", b"grace=5000", b"arg=prog", b"arg="),
    ]


def test_every_field_has_its_key() -> None:
    plan = Plan(
        job_id="7",
        cwd=b"/",
        shell=b"a | b",
        environment={b"A": b"1=2", b"B": b""},
        umask=0o077,
        limits=[(7, 1024, NO_LIMIT)],
        stdin=b"i",
        stdout=b"o",
        stderr=b"e",
        append=True,
        make_folders=True,
        grace_ms=10,
        leave_children=True,
        oom_score_adj=500,
        affinity="0-3,5",
        cgroup=b"/sys/fs/cgroup/x",
    )
    assert set(fields(plan)) == {
        *(b"plan=1", b"id=7", b"cwd=/", b"shell=a | b", b"env=A=1=2", b"env=B=", b"umask=077"),
        *(b"limit=7:1024:-1", b"in=i", b"out=o", b"err=e", b"append=1", b"grace=10", b"leave=1"),
        *(b"oom=500", b"mkdirs=1", b"affinity=0-3,5", b"cgroup=/sys/fs/cgroup/x"),
    }


@pytest.mark.parametrize(
    "settings",
    [
        {"argv": (b"a\0shell=rm",)},
        {"environment": {b"A": b"\0"}},
        {"environment": {b"\0": b"A"}},
        {"cwd": b"/\0"},
        {"shell": b"\0"},
        {"job_id": "\0"},
    ],
)
def test_a_nul_byte_is_refused(settings: dict[str, object]) -> None:
    plan = dataclasses.replace(PLAN, **settings)  # type: ignore[arg-type]  # one field of many
    with pytest.raises(ValueError, match="NUL byte"):
        encode_plan(plan)
