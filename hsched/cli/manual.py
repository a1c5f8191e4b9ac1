"""The OPTIONS of the man pages, written from the commands themselves.

``python -m hsched.cli.manual`` writes them between the two marks of each page and
``--check`` only compares; the rest of a page is written by hand.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator

import click

from hsched.cli.common import Command

COMMANDS = (
    "hstart",
    "hsubmit",
    "hrun",
    "hjobs",
    "hkill",
    "hwait",
    "hlog",
    "hhold",
    "hrelease",
    "hupdate",
    "hsuspend",
    "hresume",
    "hrerun",
    "hadopt",
    "hnslots",
    "hstatus",
    "hstop",
)

#: The commands without an h of their own: the page and the module.
OTHERS = {
    "hsched": "hsched",
    "hsched-experiments": "experiments",
    "hsched-gpus": "gpus",
    "hsched-simulate": "simulate",
    "hsched-top": "top.command",
    "hsched-timeline": "timeline",
    "hsched-web": "web",
    "hsched-create": "tasks.create",
    "hsched-run": "tasks.run",
    "hsched-test": "tasks.test",
    "hsched-exit": "tasks.exit",
    "hsched-list": "tasks.list",
    "hsched-watch": "tasks.watch",
    "hsched-kill": "tasks.kill",
    "hsched-cancel": "tasks.cancel",
    "hsched-resume": "tasks.resume",
    "hsched-remove": "tasks.remove",
    "hsched-set": "tasks.set",
    "hsched-clean": "tasks.clean",
    "hsched-keys": "keys",
    "hsched-doctor": "doctor",
    "hsched-service": "service",
}

#: All pages of section 1.
PAGES = (*COMMANDS, *OTHERS)

#: The pages' folder, in a checkout.
FOLDER = os.path.join(os.path.dirname(__file__), "..", "..", "man")

_BEGIN = '.\\" options begin: written by `make man`\n'
_END = '.\\" options end\n'


def load(name: str) -> Command:
    """Return the command that the page ``name`` is about."""
    found = importlib.import_module(f"hsched.cli.{OTHERS.get(name, name)}").command
    assert isinstance(found, Command)
    return found


def page_path(name: str) -> str:
    """Return the path of a command's page."""
    return os.path.normpath(os.path.join(FOLDER, f"{name}.1"))


def with_options(page: str, command: Command) -> str:
    """Return ``page`` with the text between its marks written anew.

    Raises:
        ValueError: a mark is missing.
    """
    before, begin, rest = page.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise ValueError(f"{command.program}.1 lacks a mark")
    return before + begin + options(command) + end + after


def options(command: Command) -> str:
    """Return a command's options as an mdoc list."""
    with click.Context(command, info_name=command.program, **command.context_settings) as context:
        entries = "".join(_entries(command, context))
    return f".Bl -tag -width Ds\n{entries}.El\n"


def _entries(command: Command, context: click.Context) -> Iterator[str]:
    for option in command.get_params(context):
        if isinstance(option, click.Option):
            yield f".It {' , '.join(_flag(name) for name in _names(option))}{_value(option)}\n"
            yield _text(option.help or "")


def _names(option: click.Option) -> list[str]:
    return sorted(option.opts, key=lambda name: (name.startswith("--"), len(name)))


def _flag(name: str) -> str:
    # mdoc writes one dash for each Fl; the second of a long option is given as text.
    return "Fl " + name[1:].replace("-", r"\-")


def _value(option: click.Option) -> str:
    return "" if option.is_flag else f" Ar {option.metavar}"


def _text(text: str) -> str:
    """Return a help text, one sentence a line as mdoc wants it."""
    escaped = text.replace("\\", r"\e").replace("-", r"\-")
    return escaped.replace(". ", ".\n") + "\n"


def main() -> int:
    """Write the pages; with ``--check``, only say which ones differ."""
    check = "--check" in sys.argv[1:]
    stale = []
    for name in PAGES:
        with open(page_path(name), encoding="utf-8") as file:
            page = file.read()
        fresh = with_options(page, load(name))
        if fresh != page:
            stale.append(f"{name}.1")
            if not check:
                with open(page_path(name), "w", encoding="utf-8") as file:
                    file.write(fresh)
    for page in stale:
        click.echo(f"{page} {'differs from its command; run `make man`' if check else 'written'}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
