"""What a job looks like in a pipe: pure functions from views to lines.

Plain lines are never cut.  Every column but the last is one word, so that `awk`
and `read` can part them; the last is COMMAND, quoted so that a shell reads it back.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from hsched.wire.message import Message

if TYPE_CHECKING:
    from hsched.wire.jobs import JobView
    from hsched.wire.slots import ResourceView

JOB_HEADER = ("ID", "STATE", "SLOTS", "SUBMITTED", "STARTED", "NAME", "COMMAND")
#: Least widths, so that lines can go out before the last job is known.
_JOB_WIDTHS = (6, 12, 9, 25, 25, 10)

REASON_HEADER = ("ID", "STATE", "EXPECTED", "REASON")
_REASON_WIDTHS = (6, 12, 25)

_PLAIN_WORD = re.compile(r"[\w@%+=:,./-]+")
#: No numbered resource has more slots than this, so what is more is a number of bytes.
_MAX_SLOTS = 16_384


def columns(rows: Iterable[Sequence[str]], widths: Sequence[int]) -> Iterator[str]:
    """Yield each row as one line, blank-padded; the last cell is not."""
    for row in rows:
        padded = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        yield " ".join([*padded, *row[len(widths) :]]).rstrip()


def job_lines(jobs: Iterable[JobView]) -> Iterator[str]:
    """Yield the header and one line for each job; nothing where there is none."""
    for number, job in enumerate(jobs):
        if number == 0:
            yield from columns([JOB_HEADER], _JOB_WIDTHS)
        yield from columns([job_cells(job)], _JOB_WIDTHS)


def job_cells(job: JobView) -> tuple[str, ...]:
    """Return a job's cells, in the order of the header."""
    return (
        job.id,
        state_word(job),
        slots_word(job),
        local_time(job.submitted_at),
        local_time(job.started_at),
        word(job.name or "-"),
        " ".join(quote(argument) for argument in job.command),
    )


def reason_lines(jobs: Iterable[JobView]) -> Iterator[str]:
    """Yield a header and, for each job, why it waits and when it is expected to start."""
    for number, job in enumerate(jobs):
        if number == 0:
            yield from columns([REASON_HEADER], _REASON_WIDTHS)
        expected, reason = local_time(job.expected_start_at), printable(job.reason or "-")
        yield from columns([(job.id, state_word(job), expected, reason)], _REASON_WIDTHS)


def state_word(job: JobView) -> str:
    """Return the state of a live job, and how a done one ended: ``failed(2)``.

    A running job that is stopped for a while is ``suspended``.
    """
    if job.state == "running" and job.suspended:
        return "suspended"
    if job.state != "done" or job.outcome is None:
        return job.state
    outcome = job.outcome.replace(" ", "-")
    if outcome == "failed" and job.exit_status is not None:
        return f"failed({job.exit_status})"
    if outcome == "signalled" and job.signal is not None:
        return f"signalled({job.signal})"
    return outcome


def slots_word(job: JobView) -> str:
    """Return what a job asks for, in the order of the resources: ``2,1,8G``.

    Shares of GPUs come last: ``2,0,8G+1x20G``.
    """
    slots = ",".join(amount(held.amount) for held in job.request.values()) or "-"
    share = f"+{job.min_devices}x{amount(job.device_memory_bytes)}" if job.min_devices else ""
    return slots + share


def amount(number: int) -> str:
    """Return slots as they are, and bytes in the largest unit that leaves no rest."""
    if number <= _MAX_SLOTS:
        return str(number)
    for power, unit in ((40, "T"), (30, "G"), (20, "M"), (10, "K")):
        if number % (1 << power) == 0:
            return f"{number >> power}{unit}"
    return str(number)


def amounts(resources: Iterable[ResourceView], which: str = "total") -> str:
    """Return ``total``, ``used`` or ``free`` of all resources: ``6,2,32``."""
    return ",".join(amount(getattr(resource, which)) for resource in resources)


def local_time(stamp: str | None) -> str:
    """Return a moment in local time, ISO 8601 with offset; ``-`` for none."""
    if stamp is None:
        return "-"
    moment = datetime.fromisoformat(stamp.replace("Z", "+00:00"))
    return moment.astimezone().isoformat(timespec="seconds")


def word(value: str) -> str:
    """Return ``value`` without a blank or control character, for a column of one word."""
    if value.isprintable() and " " not in value:
        return value
    return "".join(r"\x20" if c == " " else _escaped(c) for c in value)


def quote(argument: str) -> str:
    """Return an argument as a shell reads it back; control and stray bytes as ``$'...'``."""
    if _PLAIN_WORD.fullmatch(argument):
        return argument
    if argument.isprintable():
        return "'" + argument.replace("'", "'\"'\"'") + "'"
    inside = argument.replace("\\", "\\\\").replace("'", "\\'")
    return "$'" + printable(inside) + "'"


def printable(value: str) -> str:
    """Return ``value`` with every control character and stray byte escaped."""
    return value if value.isprintable() else "".join(_escaped(c) for c in value)


def _escaped(character: str) -> str:
    code = ord(character)
    if character.isprintable():
        return character
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is no UTF-8, as surrogateescape keeps it
        return f"\\x{code - 0xDC00:02x}"
    simple = {"\n": r"\n", "\t": r"\t", "\r": r"\r"}
    if code < 256:
        return simple.get(character, "".join(f"\\x{byte:02x}" for byte in character.encode()))
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def json_lines(messages: Iterable[Message]) -> Iterator[str]:
    """Yield a JSON list, one object a line, with all keys in their order."""
    before = "["
    for message in messages:
        yield before + to_json(message)
        before = ","
    yield "]" if before == "," else "[]"


def to_json(message: Message) -> str:
    """Return a message as JSON with all its fields, null where unknown."""
    return json.dumps(message.as_dict(), default=Message.as_dict)
