"""How commands are told which live jobs are meant."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from hsched.cli.common import option, state_option
from hsched.errors import WrongUsage

F = TypeVar("F", bound=Callable[..., Any])


def group_options(function: F) -> F:
    """Add ``--job-name`` and ``--label``, which choose jobs as words do."""
    for word, kind in (("--label", "label"), ("--job-name", "name")):
        function = option(
            word,
            f"{kind}_words",
            multiple=True,
            metavar="WORD" if kind == "label" else "NAME",
            callback=_prefixed(kind),
            help=f"Jobs with the {kind} {'WORD' if kind == 'label' else 'NAME'}; repeatable.",
        )(function)
    return function


def choice_options(function: F) -> F:
    """Add the words and options of a command that does something to some live jobs."""
    function = state_option(function)
    function = group_options(function)
    function = option(
        "-a", "--all", "everything", is_flag=True, help="All live jobs for which it makes sense."
    )(function)
    return click.argument("words", nargs=-1, metavar="[JOB]...")(function)


def words_of(options: dict[str, Any]) -> tuple[str, ...]:
    """Take the words that choose jobs out of ``options``, and return them as one list."""
    return (*options.pop("words"), *options.pop("name_words"), *options.pop("label_words"))


def chosen(options: dict[str, Any]) -> dict[str, Any]:
    """Take the choice out of ``options``, and return it as the client wants it.

    Raises:
        WrongUsage: it says nothing, or both some and all.
    """
    words, everything = words_of(options), options.pop("everything")
    states = options.pop("states")
    if bool(words) == everything and not states:
        raise WrongUsage("say which jobs: ids, names, --job-name, --label, --all or --state")
    return {"words": words, "everything": not words, "states": states}


def _prefixed(kind: str) -> Callable[[click.Context, click.Parameter, Any], Any]:
    def _callback(context: click.Context, parameter: click.Parameter, values: Any) -> Any:
        return tuple(f"{kind}:{value}" for value in values)

    return _callback
