"""Which parameter of which command is completed how; nothing is imported before a shell asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import click

#: What the words of a command are, by program: kinds of jobs, unless `tasks`.
_WORDS = {
    "hjobs": "any",
    "hkill": "live",
    "hwait": "live",
    "hlog": "begun",
    "hhold": "pending",
    "hrelease": "held",
    "hupdate": "pending",
    "hsuspend": "running",
    "hresume": "suspended",
    "hrerun": "done",
}

#: The same under the names that `hsched` has for them.
_SHORT = {
    "hsched jobs": "hjobs",
    "hsched wait": "hwait",
    "hsched log": "hlog",
    "hsched hold": "hhold",
    "hsched release": "hrelease",
    "hsched update": "hupdate",
    "hsched suspend": "hsuspend",
    "hsched cont": "hresume",
    "hsched rerun": "hrerun",
    "hsched status": "hstatus",
}

#: What is listed in columns, by program.
_ROWS = {"hjobs": "jobs", "hstatus": "schedulers", "hsched gpus": "gpus"}

#: What jobs are called by, by parameter.
_CALLED = {"name_words": "name", "label_words": "labels", "labels": "labels"}

_NAMES_SCHEDULER = ("scheduler", "names")
_PATHS = {"stdin", "stdout", "stderr", "each", "line", "what", "trace"}


def offer(
    program: str, parameter: click.Parameter, context: click.Context, incomplete: str
) -> list[Any] | None:
    """Return what to offer for a parameter; None where click knows best."""
    from hsched.cli import completion

    name = parameter.name or ""
    program = _SHORT.get(program, program)
    if name in _NAMES_SCHEDULER:
        return completion.schedulers(incomplete)
    if name == "dependencies":
        return completion.jobs(context, "any", incomplete)
    if name in _CALLED:
        return completion.called(context, _kind(program, context), _CALLED[name], incomplete)
    if program in _ROWS and name in ("fields", "order"):
        return completion.fields(_ROWS[program], incomplete, several=name == "fields")
    if name == "spec":
        return completion.words(("auto",), incomplete)
    if name == "slots":
        return completion.resources(context, incomplete, "=")
    if name in _PATHS:
        return _file(incomplete)
    return _meant(program, name, context, incomplete)


def _meant(program: str, name: str, context: click.Context, incomplete: str) -> list[Any] | None:
    """Return what the words of a command may be, which are no option's."""
    from hsched.cli import completion

    if program in ("hnslots", "hsched nslots") and name == "words":
        return _slots(context, incomplete)
    if program.startswith("hsched ") and name in ("words", "task"):
        return completion.tasks(context, incomplete)
    if program in _WORDS and name in ("words", "job"):
        return _jobs(program, context, incomplete)
    return None


def _jobs(program: str, context: click.Context, incomplete: str) -> list[Any]:
    from hsched.cli import completion

    kinds = ("pending", "running", "done", "failed")
    first = program == "hjobs" and not context.params.get("words")
    offered = completion.words(kinds, incomplete) if first else []
    return offered + completion.jobs(context, _kind(program, context), incomplete)


def _kind(program: str, context: click.Context) -> str:
    """Return which jobs a command can be about as far as it has been typed."""
    is_narrow = program == "hjobs" and not context.params.get("everything")
    return "live" if is_narrow else _WORDS.get(program, "any")


def _slots(context: click.Context, incomplete: str) -> list[Any]:
    from hsched.cli import completion

    typed = context.params.get("words") or ()
    if not typed:
        return completion.words(("used", "free", "set", "drain", "undrain"), incomplete)
    return completion.resources(context, incomplete, "=" if typed[0] == "set" else ":")


def _file(incomplete: str) -> list[Any]:
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type="file")]


def arm(command: click.Command, program: str) -> None:
    """Have the parameters of ``command`` offer what is here, before what click offers."""
    for parameter in command.params:
        usual = type(parameter).shell_complete.__get__(parameter)
        setattr(parameter, "shell_complete", _asked(program, parameter, usual))  # noqa: B010


def _asked(program: str, parameter: click.Parameter, usual: Any) -> Any:
    def shell_complete(context: click.Context, incomplete: str) -> list[Any]:
        found = offer(program, parameter, context, incomplete)
        offered: list[Any] = usual(context, incomplete) if found is None else found
        return offered

    return shell_complete
