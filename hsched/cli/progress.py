"""A bar on a terminal that shows how far jobs are.  Imports rich, so import it late."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from hsched.cli import exits
from hsched.client.tally import Tally


@contextlib.contextmanager
def bar() -> Iterator[Callable[[Tally], None]]:
    """Yield a function that draws a tally: what is done, in which state the rest is, ETA.

    It is drawn anew where a job has changed, not by the clock, and is gone at the end.
    """
    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.description}"),
        TextColumn("ETA"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, auto_refresh=False, transient=True) as progress:
        task = progress.add_task("", total=None)

        def show(tally: Tally) -> None:
            progress.update(
                task,
                total=tally.total,
                completed=len(tally.ended),
                description=counts(tally),
                refresh=True,
            )

        yield show


def counts(tally: Tally) -> str:
    """Return the counts that a person looks for: ``2 running, 5 pending, 1 failed``."""
    running = sum(tally.counts[state] for state in ("starting", "running", "stopping"))
    failed = sum(exits.status(change) != 0 for change in tally.ended.values())
    told = ((running, "running"), (tally.counts["pending"], "pending"), (failed, "failed"))
    return ", ".join(f"{count} {word}" for count, word in told if count)
