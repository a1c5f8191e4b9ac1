"""``hsched run``: the scheduler in the foreground, with its log and what becomes of tasks."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import IO, TYPE_CHECKING, TypeVar

import click

from hsched import paths
from hsched.cli.common import Command, put
from hsched.cli.render import amounts, printable
from hsched.cli.tasks.common import called, flush, is_running, place_of, scheduler_option, start
from hsched.cli.tasks.watch import told
from hsched.client import Client
from hsched.errors import AlreadyRunning, HschedError, NotRunning

if TYPE_CHECKING:
    from hsched.wire.subscribe import Change

R = TypeVar("R")

#: How much of what a failed task wrote to standard error is shown, in lines.
_TAIL = 20

#: These end the scheduler, as Ctrl-C in the terminal does.
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@click.command("hsched run", cls=Command, examples=("hsched run", "hsched run --scheduler lab"))
@scheduler_option
def command(scheduler: str | None) -> None:
    """Start a scheduler and stay in the foreground until it ends.

    What it logs is printed, how tasks start and end, and the last lines that a failed one
    wrote to standard error. Ctrl-C ends all tasks and the scheduler, as `hsched exit` does.
    """
    place = place_of(scheduler)
    if is_running(place):
        address = paths.read_address(place)
        pid = address.pid if address else 0
        raise AlreadyRunning(
            f"scheduler {place.name} is already running with PID {pid}; `hsched exit` ends it"
        )
    log_begins = _size(place.log)
    begun = datetime.now().astimezone().isoformat(timespec="milliseconds")
    start(place)
    with Client(place.name) as client:
        put([f"started {place.name} scheduler with nslots = {amounts(client.slots())}"])
        with open(place.log, encoding="utf-8", errors="replace") as log, _Interrupts() as stop:
            log.seek(log_begins)
            _follow(client, log, stop, begun)


class _Interrupts:
    """Turns the signals that end us into a descriptor that becomes readable."""

    def __init__(self) -> None:
        self.descriptor, self._theirs = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self.came = False

    def __enter__(self) -> _Interrupts:
        self._before = {number: signal.signal(number, self._note) for number in _ENDING}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        os.close(self.descriptor)
        os.close(self._theirs)

    def _note(self, *_: object) -> None:
        self.came = True
        os.write(self._theirs, b"!")


def _ended_since(client: Client, begun: str) -> Iterator[Change]:
    """Yield the ends of jobs from the moment ``begun`` on, as a subscription would tell them."""
    from hsched.client.subscription import change_of

    for job in client.jobs(scope="done"):
        if (job.ended_at or "") >= begun:
            yield change_of(job)


def _follow(client: Client, log: IO[str], stop: _Interrupts, begun: str) -> None:
    """Show what happens until the scheduler has ended, and has happened since ``begun``."""
    seen: dict[str, str] = {}
    with client.subscribe() as changes:
        changes.begin()
        # Who was faster than that is on the list.
        for change in _ended_since(client, begun):
            seen[change.id] = change.state
            _show(client, change)
        while True:
            _show_log(log)
            if stop.came:
                put(["ending all tasks and the scheduler"])
                with contextlib.suppress(NotRunning):
                    client.stop(force=True)
                break
            try:
                page = changes.page(stop.descriptor)
            except NotRunning:
                break
            for change in page or ():
                if seen.get(change.id) != change.state:
                    seen[change.id] = change.state
                    _show(client, change)
    _show_log(log)
    put([f"{client.name} scheduler has ended"])


def _show(client: Client, change: Change) -> None:
    """Print a change of a job, and of one that failed what it complained of last."""
    if change.state not in ("running", "done") or (change.state == "done" and not change.outcome):
        return
    name = _guarded(lambda: called(next(client.jobs(change.id, scope="all"))), f"job {change.id}")
    put([f"{printable(name)}: {told(change)}"])
    if change.state == "done" and change.outcome not in ("succeeded", "cancelled"):
        tail = _guarded(lambda: b"".join(client.log(change.id, err=True, last=_TAIL)), b"")
        lines = tail.decode("utf-8", "replace").splitlines()
        put(f"{printable(name)} | {printable(line)}" for line in lines)


def _guarded(look: Callable[[], R], otherwise: R) -> R:
    try:
        return look()
    except HschedError:
        return otherwise


def _show_log(log: IO[str]) -> None:
    for line in log:
        click.echo(line.rstrip("\n"), err=True)
    flush()


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except FileNotFoundError:
        return 0
