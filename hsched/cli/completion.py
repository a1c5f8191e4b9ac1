"""What the shells offer: jobs, tasks, schedulers and resources that are there now.

All of it is silent: where no scheduler runs there is nothing to offer, and none is started
or brought back for it.  Imported only where a shell asks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from click.shell_completion import CompletionItem

from hsched import paths
from hsched.client import Client
from hsched.errors import HschedError

if TYPE_CHECKING:
    import click

    from hsched.wire.jobs import JobView

Items = list["CompletionItem[str]"]

#: A key press must not wait for a broker that hangs, in seconds; and nobody reads more.
_PATIENCE_S, _MOST = 2.0, 1000


def _is_held(job: JobView) -> bool:
    return job.state == "pending" and (job.reason or "").startswith("held")


#: What a command can be about: the scope that is asked for, and which of those jobs.
KINDS: dict[str, tuple[str, Callable[[JobView], bool]]] = {
    "live": ("live", lambda job: True),
    "pending": ("live", lambda job: job.state == "pending"),
    "held": ("live", _is_held),
    "running": ("live", lambda job: job.state == "running" and not job.suspended),
    "suspended": ("live", lambda job: bool(job.suspended)),
    "begun": ("all", lambda job: job.state != "pending"),
    "done": ("done", lambda job: True),
    "any": ("all", lambda job: True),
}


def jobs(context: click.Context, kind: str, incomplete: str) -> Items:
    """Return ids, with what they are, and names of jobs of a kind."""
    found = _jobs(context, kind)
    typed = context.params.get("words") or ()
    ids = [(job.id, _about(job)) for job in found[-_MOST:]]
    names = {job.name: f"name of job {job.id}" for job in found if job.name}
    return _items([pair for pair in [*ids, *names.items()] if pair[0] not in typed], incomplete)


def called(context: click.Context, kind: str, attribute: str, incomplete: str) -> Items:
    """Return the ``name`` or the ``labels`` of jobs of a kind."""
    words: dict[str, int] = {}
    for job in _jobs(context, kind):
        for word in job.labels if attribute == "labels" else [job.name] if job.name else []:
            words[word] = words.get(word, 0) + 1
    about = ((word, f"{count} job{'s' * (count > 1)}") for word, count in words.items())
    return _items(about, incomplete)


def tasks(context: click.Context, incomplete: str) -> Items:
    """Return the names of live tasks."""
    found = _ask(context, lambda client: list(client.jobs(scope="live")))
    return _items({job.name: _about(job) for job in found if job.name}.items(), incomplete)


def resources(context: click.Context, incomplete: str, sign: str) -> Items:
    """Return ``cores=``, ``gpus=``, ... for the resources that have not been named yet."""
    before, comma, _ = incomplete.rpartition(",")
    named = {part.partition(sign)[0] for part in before.split(",")}
    found = _ask(context, lambda client: client.slots())
    fresh = [one for one in found if one.name not in named]
    head = f"{before}{comma}"
    pairs = [(f"{head}{one.name}{sign}", f"{one.free} of {one.total} free") for one in fresh]
    return _items(pairs, incomplete)


def schedulers(incomplete: str) -> Items:
    """Return the names of the schedulers that run."""
    return _items(((name, "") for name in paths.names() if _runs(name)), incomplete)


def fields(rows: str, incomplete: str, several: bool) -> Items:
    """Return what ``-o`` and ``--sort`` can name of ``jobs``, ``schedulers`` or ``gpus``."""
    from hsched.cli.fields import columns_of

    before, comma, _ = incomplete.rpartition(",") if several else ("", "", "")
    head = f"{before}{comma}" if several else "-" if incomplete.startswith("-") else ""
    return _items(((f"{head}{name}", "") for name in columns_of(rows).names), incomplete)


def words(offered: Iterable[str], incomplete: str) -> Items:
    """Return those words that begin as what has been typed."""
    return _items(((word, "") for word in offered), incomplete)


def _jobs(context: click.Context, kind: str) -> list[JobView]:
    scope, fits = KINDS[kind]
    last = None if scope == "live" else _MOST
    asked = _ask(context, lambda client: client.jobs(scope=scope, last=last))
    return [job for job in asked if fits(job)]


def _ask(context: click.Context, question: Callable[[Client], Iterable[Any]]) -> Iterable[Any]:
    """Return the answer of the scheduler that was named; nothing where it gives none."""
    name = context.params.get("scheduler") or paths.default_name()
    try:
        if not _runs(name):
            return ()
        with Client(name, timeout=_PATIENCE_S) as client:
            return list(question(client))
    except (HschedError, OSError):
        return ()


def _runs(name: str) -> bool:
    try:
        place = paths.place(name)
        return paths.read_address(place) is not None and paths.is_locked(place)
    except (HschedError, OSError):
        return False


def _about(job: JobView) -> str:
    from hsched.cli.render import job_cells, state_word

    return f"{state_word(job)}: {job_cells(job)[-1]}"[:60]


def _items(pairs: Iterable[tuple[str, str]], incomplete: str) -> Items:
    return list(_fitting(pairs, incomplete))


def _fitting(pairs: Iterable[tuple[str, str]], incomplete: str) -> Iterator[CompletionItem[str]]:
    for value, about in pairs:
        # A line break would end the answer; such names can be typed, and are not offered.
        if value.startswith(incomplete) and value.isprintable():
            yield CompletionItem(value, help=about or None)
