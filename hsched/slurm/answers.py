"""Reading what Slurm's commands print: fixed formats, one line a job."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from hsched.core.model import JobId, job_id

#: squeue -o: array's or job's id, index, state, reason, start, nodes, comment.
QUEUE_FORMAT = "%F|%K|%T|%r|%S|%N|%k"
_QUEUE_FIELDS = QUEUE_FORMAT.count("|")

_TAG = re.compile(r"hsched:([0-9a-f]{16}):(\d+):(\d+)")
_LEFT = re.compile(r"(?:(\d+)-)?(\d+)(?::(\d+))?(?::(\d+))?")

#: These say that the controller cannot be asked now, not that the job is wrong.
_TEMPORARY = re.compile(
    r"unable to contact|connect failure|connection (refused|reset|timed out)|socket timed out"
    r"|zero bytes were transmitted|transport endpoint|temporarily|try again|communication"
    r"|slurmctld.*(down|standby)|protocol authentication error|munge|took longer than"
    r"|job dependency problem|address already in use|host name lookup",
    re.IGNORECASE,
)


class Tag(NamedTuple):
    """Whose job it is: the run, as a digest; the job's number; the attempt it was made for."""

    run: str
    number: int
    attempt: int

    def __str__(self) -> str:
        return f"hsched:{self.run}:{self.number}:{self.attempt}"


class Seen(NamedTuple):
    """One line of squeue: a job of ours as Slurm has it; ``started_at`` in wall time."""

    tag: Tag
    slurm_id: str
    element: int | None
    state: str
    reason: str
    started_at: float | None
    nodes: str

    @property
    def job_id(self) -> JobId:
        """The job's id here."""
        return job_id(self.tag.number, self.element)

    @property
    def address(self) -> str:
        """The id by which Slurm's commands know it."""
        return self.slurm_id if self.element is None else f"{self.slurm_id}_{self.element}"


class Told(NamedTuple):
    """How a job stands that squeue has forgotten, by sacct or scontrol."""

    state: str
    exit_status: int | None
    signal: int | None
    reason: str = ""


def queue(text: str, run: str) -> Iterator[Seen]:
    """Yield the jobs of ``run`` in the output of squeue; lines of others are passed over."""
    for line in text.splitlines():
        fields = line.split("|", _QUEUE_FIELDS)
        tag = _TAG.fullmatch(fields[-1]) if len(fields) > _QUEUE_FIELDS else None
        if tag is None or tag[1] != run:
            continue
        slurm_id, index, state, reason, start, nodes, _ = fields
        yield Seen(
            tag=Tag(run, int(tag[2]), int(tag[3])),
            slurm_id=slurm_id,
            element=int(index) if index.isdigit() else None,
            state=state,
            reason=reason,
            started_at=moment(start),
            nodes=nodes,
        )


def submitted(text: str) -> str | None:
    """Return the id that ``sbatch --parsable`` printed, None where it is none."""
    found = re.fullmatch(r"(\d+)(;\S+)?", text.strip())
    return found[1] if found else None


def accounted(text: str) -> Told | None:
    """Return what ``sacct -n -P -X -o State,ExitCode`` says of one job; None for nothing."""
    for line in text.splitlines():
        state, _, code = line.partition("|")
        if state and ":" in code:
            return Told(state.split()[0], *_exit_code(code))
    return None


def shown(text: str) -> Told | None:
    """Return what ``scontrol show job -o`` says of one job; None where it knows of none."""
    fields = dict(re.findall(r"(\w+)=(\S*)", text))
    if "JobState" not in fields:
        return None
    reason = fields.get("Reason", "")
    return Told(fields["JobState"], *_exit_code(fields.get("ExitCode", "")), reason)


def words(err: str) -> str:
    """Return what a command complained of, as one line in Slurm's own words."""
    lines = [re.sub(r"^\w+: (error|fatal): ", "", line.strip()) for line in err.splitlines()]
    told = dict.fromkeys(line for line in lines if line)
    return "; ".join(told) or "no word why"


def is_temporary(complaint: str) -> bool:
    """Whether asking again later may help."""
    return bool(_TEMPORARY.search(complaint))


def moment(word: str) -> float | None:
    """Return a time of Slurm, local and to the second, as seconds since the epoch."""
    try:
        return datetime.fromisoformat(word).timestamp()
    except ValueError:
        return None


def time_left(text: str) -> float | None:
    """Return the seconds that ``squeue -o %L`` tells; None for no limit, or none known."""
    found = _LEFT.fullmatch(text.strip())
    if found is None:
        return None
    days, *clock = found.groups()
    numbers = [int(part) for part in clock if part is not None]
    # With days the clock begins with hours, without it ends with seconds.
    hours, minutes, seconds = ([*numbers, 0, 0] if days else [0, 0, *numbers][-3:])[:3]
    return float(((int(days or 0) * 24 + hours) * 60 + minutes) * 60 + seconds)


def _exit_code(word: str) -> tuple[int | None, int | None]:
    status, _, signal = word.partition(":")
    if not (status.isdigit() and signal.isdigit()):
        return None, None
    return (None, int(signal)) if int(signal) else (int(status), None)
