"""What is known of a scheduler, and where the person stands in it.  Pure.

Jobs come as views, when they were asked for, and as changes, when they happen.  A job of
which only a change is known is a row without a command until its view has come.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from hsched.cli.render import printable, quote, slots_word, state_word
from hsched.cli.top.text import shortened

if TYPE_CHECKING:
    from hsched.wire.jobs import Held, JobView
    from hsched.wire.status import StatusReply
    from hsched.wire.subscribe import Change

RUNNING = ("starting", "running", "stopping")

#: So many jobs that have ended are shown, and so many are remembered as ended.
_SHOWN_ENDED = 5
_REMEMBERED = 20_000

#: How much of a command is kept, in characters, and how much of it tells jobs apart.
_COMMAND, _TITLE = 500, 30


class Row(NamedTuple):
    """A job as the screen needs it; ``state`` is the wire's, ``word`` what is shown.

    ``numbers`` are those of its id, by which it is sorted.
    ``held`` are the amounts of a running job by resource, ``devices`` the GPUs it shares.
    """

    id: str
    numbers: tuple[int, int]
    state: str
    word: str = ""
    name: str = ""
    command: str = ""
    slots: str = ""
    priority: int = 0
    started: float | None = None
    reason: str = ""
    expected: str | None = None
    held: Mapping[str, Held] = {}  # never written to
    devices: tuple[int, ...] = ()
    pid: int | None = None

    @property
    def runs(self) -> bool:
        """Whether it holds slots."""
        return self.state in RUNNING

    @property
    def title(self) -> str:
        """What a person calls it: the id, and the name or command."""
        called = shortened(self.name or self.command, _TITLE)
        return f"job {self.id} ({called})" if called else f"job {self.id}"


def row_of(view: JobView) -> Row:
    """Return what the screen needs of a job."""
    word, reason = state_word(view), view.reason or ""
    if view.state == "pending" and reason.partition(":")[0] == "held":
        word = "held"
    shared = view.devices if view.min_devices else ()
    return Row(
        id=view.id,
        numbers=_numbers(view.id),
        state=view.state,
        word=word,
        name=printable(view.name or ""),
        command=_typed(view.command)[:_COMMAND],
        slots=slots_word(view),
        priority=view.priority,
        started=_moment(view.started_at),
        reason=printable(reason),
        expected=view.expected_start_at,
        held=(view.allocation or {}) if view.state in RUNNING else {},
        devices=shared or (),
        pid=view.pid,
    )


class Board:
    """Everything that is shown, apart from what processes use."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.status: StatusReply | None = None
        #: Why nothing is known; empty while the scheduler runs.
        self.trouble = ""
        self.message = ""
        #: Whether the queue is being read, so that jobs are missing.
        self.reading = False
        self.selected: str | None = None
        #: The first row on the screen, and the ids of those that are on it.
        self.offset = 0
        self.visible: tuple[str, ...] = ()
        self.clear()

    def clear(self) -> None:
        """Forget all jobs: another run, or another broker."""
        self._live: dict[str, Row] = {}
        self._ended: deque[Row] = deque(maxlen=_SHOWN_ENDED)
        self._stale: dict[str, None] = {}
        self._gone: dict[str, None] = {}
        self._order: list[Row] | None = None

    # What comes in

    def take(self, changes: Iterable[Change]) -> None:
        """Take in what has happened."""
        for change in changes:
            if change.state != "done":
                self._moved(change)
            elif change.outcome is not None:  # else it is an array, whose elements have told
                self._ended_now(change)
        self._order = None

    def learn(self, view: JobView) -> None:
        """Take in a job as it was when it was asked for, unless it has ended since.

        Where it changed after that it stays stale: the answer may be older than the change.
        """
        if view.state != "done" and view.id not in self._gone:
            self._live[view.id] = row_of(view)
            self._order = None

    def asked(self, ids: Iterable[str]) -> None:
        """Take in that these were asked for; those that nothing is known of by now are no more."""
        for one in ids:
            if one in self._live and one not in self._stale and not self._live[one].slots:
                del self._live[one]
                self._order = None

    # What is to be asked for

    def look_again(self) -> None:
        """Have the pending jobs on the screen asked for again: their reasons may be others."""
        seen = (self._live.get(one) for one in self.visible)
        self._stale.update((row.id, None) for row in seen if row and row.state == "pending")

    def not_asked(self, ids: Iterable[str]) -> None:
        """Take in that there was no answer about these."""
        self._stale.update((one, None) for one in ids if one in self._live)

    def take_stale(self, limit: int) -> list[str]:
        """Return the jobs to ask for now, what runs and what is on the screen first.

        They are not stale any more, until a change tells of them again.
        """
        first = [one for one in self._stale if one in self._live and self._live[one].runs]
        seen = [one for one in self.visible if one in self._stale]
        chosen = dict.fromkeys([*first, *seen])
        for one in self._stale:
            if len(chosen) >= limit:
                break
            chosen[one] = None
        taken = list(chosen)[:limit]
        for one in taken:
            del self._stale[one]
        return taken

    @property
    def has_stale(self) -> bool:
        """Whether there are jobs to ask for."""
        return bool(self._stale)

    # What is shown

    @property
    def rows(self) -> list[Row]:
        """All jobs: those that run, those that have just ended, those that wait, in order."""
        if self._order is None:
            live = sorted(self._live.values(), key=_place)
            running = sum(1 for row in live if row.runs)
            self._order = [*live[:running], *reversed(self._ended), *live[running:]]
        return self._order

    def running(self) -> Iterator[Row]:
        """Yield the jobs that hold slots."""
        return (row for row in self._live.values() if row.runs)

    @property
    def ended(self) -> tuple[Row, ...]:
        """The jobs that have just ended, the oldest first."""
        return tuple(self._ended)

    @property
    def has_running(self) -> bool:
        """Whether any job runs."""
        return any(True for _ in self.running())

    # Where the person stands

    @property
    def place(self) -> int:
        """The place of the selected job among :attr:`rows`; where it is gone, the nearest."""
        rows = self.rows
        for number, row in enumerate(rows):
            if row.id == self.selected:
                self._last_place = number
                return number
        return max(0, min(self._last_place, len(rows) - 1))

    _last_place = 0

    def current(self) -> Row | None:
        """Return the selected job, None where there is none at all."""
        rows = self.rows
        return rows[self.place] if rows else None

    def move(self, by: int) -> None:
        """Select the job ``by`` rows further down, or the last one there is."""
        rows = self.rows
        if rows:
            self._last_place = max(0, min(self.place + by, len(rows) - 1))
            self.selected = rows[self._last_place].id

    def settle(self, height: int) -> list[Row]:
        """Return the rows for a table of ``height`` lines, and remember which they are."""
        rows, place = self.rows, self.place
        if rows:
            self.selected = rows[place].id
            self._last_place = place
        low = max(0, place - height + 1)
        self.offset = max(0, min(max(low, self.offset), place, max(0, len(rows) - height)))
        shown = rows[self.offset : self.offset + max(0, height)]
        self.visible = tuple(row.id for row in shown)
        return shown

    def _moved(self, change: Change) -> None:
        before = self._live.get(change.id) or Row(change.id, _numbers(change.id), change.state)
        started = before.started if change.state in RUNNING else None
        held = before.held if change.state in RUNNING else {}
        self._live[change.id] = before._replace(
            state=change.state, word=change.state, started=started, held=held, reason=""
        )
        self._stale[change.id] = None

    def _ended_now(self, change: Change) -> None:
        before = self._live.pop(change.id, None) or Row(change.id, _numbers(change.id), "done")
        self._stale.pop(change.id, None)
        self._gone[change.id] = None
        if len(self._gone) > _REMEMBERED:
            del self._gone[next(iter(self._gone))]
        ended = before._replace(state="done", word=_how(change), held={}, devices=())
        self._ended.append(ended._replace(reason=printable(change.reason or "")))


def _how(change: Change) -> str:
    """Return how a job ended, as it stands in lists of jobs."""
    status = {"failed": change.exit_status, "signalled": change.signal}.get(change.outcome or "")
    word = (change.outcome or "done").replace(" ", "-")
    return word if status is None else f"{word}({status})"


def _place(row: Row) -> tuple[int, int, int, int]:
    """Return where a job stands: running ones by id, then the others as they are to start."""
    if row.runs:
        return (0, 0, *row.numbers)
    return (1, -row.priority, *row.numbers)


def _typed(command: Sequence[str]) -> str:
    """Return a command as it was typed: a line for the shell without the shell."""
    if len(command) == 3 and tuple(command[:2]) == ("/bin/sh", "-c"):
        return printable(command[2])
    return " ".join(map(quote, command))


def _numbers(identity: str) -> tuple[int, int]:
    number, _, index = identity.partition(".")
    return int(number), int(index or 0)


def _moment(stamp: str | None) -> float | None:
    if stamp is None:
        return None
    return datetime.fromisoformat(stamp.replace("Z", "+00:00")).timestamp()
