"""The plan: all that a shim must know to start one job, as bytes.

A plan is a sequence of NUL-terminated fields ``key=value``; ``shim.c`` states
what each key means.  A shim ignores keys that it does not know, so a field may
be added here at any time; the meaning of a present one never changes.

Promise: values arrive in the job as the bytes they are.  What no field can
hold (a NUL byte) is refused and never sent as something else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

#: Version of the contract between broker and shim; the first field of a plan.
PLAN_VERSION = 1

#: RLIM_INFINITY, in a limit's soft or hard value.
NO_LIMIT = -1


@dataclass(slots=True, kw_only=True)
class Plan:
    """One job as its shim sees it.

    A job has either words (:attr:`argv`) or one line for ``/bin/sh``
    (:attr:`shell`); where both are given, the line wins.
    """

    job_id: str
    cwd: bytes
    argv: Sequence[bytes] = ()
    shell: bytes | None = None
    #: The whole environment of the job; nothing is inherited.
    environment: dict[bytes, bytes] = field(default_factory=dict)
    #: More of the environment, made by :func:`encode_environment`: what many jobs share.
    shared_environment: bytes = b""
    umask: int = 0o022
    #: (number of the RLIMIT, soft, hard); ``NO_LIMIT`` for none.
    limits: Sequence[tuple[int, int, int]] = ()
    #: Paths, absolute or relative to ``cwd``; ``None`` is ``/dev/null``.
    stdin: bytes | None = None
    stdout: bytes | None = None
    stderr: bytes | None = None
    #: Add to the output files instead of truncating them.
    append: bool = False
    #: Make the folders that the output files need, as far as they are missing.
    make_folders: bool = False
    #: Milliseconds between TERM and KILL for what the first process leaves.
    grace_ms: int = 5000
    #: Leave what the first process leaves.
    leave_children: bool = False
    oom_score_adj: int | None = None
    #: Indices of cores, as in ``0-3,5``.
    affinity: str | None = None
    #: What it asks for, where it may come after, or before, one that asks for the same.
    holds: str | None = None
    #: Variables that name its slots, for who may come after it too.
    slots: Mapping[bytes, bytes] = field(default_factory=dict)
    #: An existing cgroup v2 folder for this job alone; the shim removes it.
    cgroup: bytes | None = None


class Streams(NamedTuple):
    """Paths, absolute or relative to the working folder; ``None`` is ``/dev/null``."""

    stdin: bytes | None
    stdout: bytes | None
    stderr: bytes | None


class Own(NamedTuple):
    """What a plan has for its job alone, where the rest is that of many (:func:`encode_shared`)."""

    job_id: str
    streams: Streams
    environment: Mapping[bytes, bytes]
    #: The name of its record, in an offer.
    record: str | None = None
    #: In an offer: that it may begin is on disk.
    promised: bool = False


def encode_plan(plan: Plan) -> bytes:
    """Return ``plan`` as a shim reads it from its descriptor 3.

    Raises:
        ValueError: a value holds a NUL byte.
    """
    streams = Streams(plan.stdin, plan.stdout, plan.stderr)
    return encode_own(Own(plan.job_id, streams, plan.environment)) + encode_shared(plan)


def encode_own(own: Own) -> bytes:
    """Return the beginning of a plan; :func:`encode_shared` gives the rest.

    Raises:
        ValueError: a value holds a NUL byte.
    """
    fields = [b"plan=%d" % PLAN_VERSION, b"id=" + own.job_id.encode()]
    named = zip((b"in=", b"out=", b"err="), own.streams, strict=True)
    fields += [key + path for key, path in named if path is not None]
    if own.record is not None:
        fields.append(b"record=" + own.record.encode())
    if own.promised:
        fields.append(b"promised=1")
    return _join(fields) + encode_environment(own.environment)


def encode_shared(plan: Plan) -> bytes:
    """Return all of ``plan`` that is not in :class:`Own`.

    Raises:
        ValueError: a value holds a NUL byte.
    """
    fields = _settings(plan)
    if plan.shell is None:
        fields += [b"arg=" + word for word in plan.argv]
    else:
        fields.append(b"shell=" + plan.shell)
    return _join(fields) + plan.shared_environment


def job_id_of(encoded: bytes) -> str:
    """Return whose plan it is that begins so."""
    return encoded.split(b"\0", 2)[1].removeprefix(b"id=").decode()


def encode_environment(environment: Mapping[bytes, bytes]) -> bytes:
    """Return variables as the fields of a plan.

    Raises:
        ValueError: a value holds a NUL byte.
    """
    return _join([b"env=" + b"=".join(variable) for variable in environment.items()])


def _join(fields: list[bytes]) -> bytes:
    encoded = b"\0".join([*fields, b""])
    if encoded.count(b"\0") != len(fields):
        raise ValueError("a plan cannot hold a NUL byte")
    return encoded


def _settings(plan: Plan) -> list[bytes]:
    fields = [
        b"cwd=" + plan.cwd,
        b"umask=%03o" % plan.umask,
        b"grace=%d" % plan.grace_ms,
    ]
    fields += [b"limit=%d:%d:%d" % limit for limit in plan.limits]
    if plan.leave_children:
        fields.append(b"leave=1")
    if plan.oom_score_adj is not None:
        fields.append(b"oom=%d" % plan.oom_score_adj)
    if plan.affinity is not None:
        fields.append(b"affinity=" + plan.affinity.encode())
    if plan.cgroup is not None:
        fields.append(b"cgroup=" + plan.cgroup)
    if plan.holds is not None:
        fields.append(b"holds=" + plan.holds.encode())
    fields += [b"slot=" + b"=".join(variable) for variable in plan.slots.items()]
    if plan.append:
        fields.append(b"append=1")
    if plan.make_folders:
        fields.append(b"mkdirs=1")
    return fields
