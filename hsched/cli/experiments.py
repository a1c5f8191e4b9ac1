"""``hsched experiments``: how experiments and their tasks stand, from their files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import click

from hsched.cli.common import Command, put, run
from hsched.cli.render import columns, local_time, word
from hsched.errors import WrongUsage

if TYPE_CHECKING:
    from hsched.experiment.history import Experiment, History, TaskView

_LIST_HEADER = ("STATUS", "DONE", "RUNNING", "FAILED", "WAITING", "RUNS", "STARTED", "NAME")
_LIST_WIDTHS = (11, 6, 7, 6, 7, 5, 25)
_SHOW_HEADER = ("STATE", "PROGRESS", "NAME", "ID", "TAGS")
_SHOW_WIDTHS = (17, 8, 16, 8)
_ID_LENGTH = 8


@click.command(
    "hsched experiments",
    cls=Command,
    examples=(
        "hsched experiments list -w results",
        "hsched experiments show mnist --failed",
        "hsched experiments clean mnist --perform",
    ),
)
@click.argument("words", nargs=-1, metavar="[list|show NAME|clean [NAME...]]")
@click.option(
    "-w",
    "--workspace",
    metavar="WORKSPACE",
    help="A folder, or the id of a workspace in the settings; by default the current folder, "
    "if it is a workspace, else the first one in the settings.",
)
@click.option("--run", "run_name", metavar="RUN", help="With show: an older run.")
@click.option("--failed", is_flag=True, help="With show: only the tasks that failed.")
@click.option("--perform", is_flag=True, help="With clean: do it, instead of telling what.")
@click.option("--json", "as_json", is_flag=True, help="Print a list of objects for scripts.")
def command(
    words: tuple[str, ...],
    workspace: str | None,
    run_name: str | None,
    failed: bool,
    perform: bool,
    as_json: bool,
) -> None:
    """List experiments, show the tasks of one, or clean up after them.

    Clean lists the folders of tasks that no experiment of the workspace names any more,
    and with NAME those of these experiments as well; with --perform it removes them.
    """
    verb, names = (words or ("list",))[0], words[1:]
    _check(verb, names, {"--run": run_name, "--failed": failed, "--perform": perform})
    history = _history(workspace)
    if verb == "list":
        found = history.experiments()
        put(_json(found) if as_json else _list(found))
    elif verb == "show":
        tasks = history.tasks(names[0], run_name)
        chosen = [one for one in tasks if not failed or one.state == "failed"]
        put(_json(chosen) if as_json else _show(chosen))
    else:
        _clean(history, names, perform)


#: What may be said: least and most words after it, how to say that, and its own options.
_VERBS: dict[str, tuple[int, float, str, frozenset[str]]] = {
    "list": (0, 0, "no other word", frozenset()),
    "show": (1, 1, "one NAME", frozenset({"--run", "--failed"})),
    "clean": (0, float("inf"), "names", frozenset({"--perform"})),
}


def _check(verb: str, names: tuple[str, ...], options: dict[str, object]) -> None:
    if verb not in _VERBS:
        raise WrongUsage(f"`{verb}` must be one of {', '.join(_VERBS)}")
    least, most, told, known = _VERBS[verb]
    if not least <= len(names) <= most:
        raise WrongUsage(f"{verb} takes {told}; see `hsched experiments --help`")
    for option, value in options.items():
        if value and option not in known:
            raise WrongUsage(f"{option} does not go with {verb}")


def _history(word: str | None) -> History:
    import os
    from pathlib import Path

    from hsched.experiment import settings
    from hsched.experiment.history import History
    from hsched.experiment.workspace import Workspace, is_workspace

    known = settings.load()
    here = Path.cwd()
    if word is None and (is_workspace(here) or not known.workspaces):
        word = os.fspath(here)
    return History(Workspace(known.choose(word, "")))


def _json(found: Iterable[Experiment | TaskView]) -> Iterator[str]:
    yield json.dumps([one._asdict() for one in found], indent=1)


def _list(found: list[Experiment]) -> Iterator[str]:
    rows = [
        (
            one.status,
            *(str(number) for number in one.tasks.values()),
            str(one.runs),
            _moment(one.started_at),
            word(one.name),
        )
        for one in found
    ]
    if rows:
        yield from columns([_LIST_HEADER, *rows], _LIST_WIDTHS)


def _show(tasks: list[TaskView]) -> Iterator[str]:
    rows = [
        (
            one.state if one.reason is None else f"{one.state}({one.reason})",
            "-" if one.progress is None else f"{one.progress:.0%}",
            word(one.name),
            one.id[:_ID_LENGTH],
            ",".join(f"{name}={value}" for name, value in one.tags.items()) or "-",
        )
        for one in tasks
    ]
    if rows:
        yield from columns([_SHOW_HEADER, *rows], _SHOW_WIDTHS)


def _clean(history: History, names: tuple[str, ...], perform: bool) -> None:
    from hsched.experiment.history import remove

    folders = history.unused(names)
    put(str(folder) for folder in folders)
    if perform:
        remove(folders)
    elif folders:
        click.echo("nothing was removed; `--perform` does it", err=True)


def _moment(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    return local_time(datetime.fromtimestamp(seconds, timezone.utc).isoformat())


def main() -> None:
    """Be the program."""
    run(command)
