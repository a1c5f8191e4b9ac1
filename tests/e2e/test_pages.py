"""The pages of docs/ tell the truth: what can be run in them is run, and prints what stands there.

A block of another language whose first line names a file is that file.  The blocks of
``console`` of a page are one session.  Commands in blocks of ``sh`` need what a test has not
(GPUs, root, another machine): they are parsed.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from hsched.cli import manual
from tests.e2e.shell import Shell

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs").glob("*.md"))
TEXTS = {page: page.read_text() for page in [*PAGES, ROOT / "README.md"]}

FILE = re.compile(r"^```(?:python|make|sh|yaml)\n# ([\w./-]+)\n(.*?)^```", re.M | re.S)
CONSOLE = re.compile(r"^```console\n(.*?)^```", re.M | re.S)
PARSED = re.compile(r"^```sh\n(?!# [\w./-]+\n)(.*?)^```", re.M | re.S)
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")

#: Those whose session starts a scheduler on this machine; others have tests elsewhere.
SESSIONS = [page for page in PAGES if re.search(r"^\$ hstart (?!--engine)", TEXTS[page], re.M)]

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d")
RUN = re.compile(r"\d{4}-\d\d-\d\d/\d\d-\d\d-\d\d|\d{4}-\d\d-\d\d$", re.M)


def masked(text: str, shell: Shell | None = None) -> str:
    """Return ``text`` without what differs from run to run, and from machine to machine."""
    if shell is not None:
        text = text.replace(str(shell.home), "/home/you").replace(os.uname().nodename, "HOST")
    text = RUN.sub("RUN", TIME.sub("TIME", text))
    return text.replace("starting  ", "running   ").replace(" starting\n", " running\n")


def played(shell: Shell, page: Path) -> str:
    """Write the files of a page, run its session in one shell, and return what that shows."""
    for name, content in FILE.findall(TEXTS[page]):
        path = shell.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)
    blocks = "".join(CONSOLE.findall(TEXTS[page]))
    commands = [line[2:] for line in blocks.splitlines() if line.startswith("$ ")]
    script = "\n".join(f"cat <<'.'\n$ {line}\n.\n{line}" for line in commands)
    # A whole session may take longer than one command.
    return shell.run("timeout", "50", "/bin/sh", "-c", f"exec 2>&1\n{script}\n").stdout


def test_there_are_sessions() -> None:
    assert {page.stem for page in SESSIONS} >= {"shell", "make", "ml", "administration"}


@pytest.mark.parametrize("page", SESSIONS, ids=lambda page: page.stem)
def test_a_session_prints_what_the_page_says(shell: Shell, page: Path) -> None:
    shell.env["PYTHONUNBUFFERED"] = "1"
    shown = masked(played(shell, page), shell)
    assert shown == masked("".join(CONSOLE.findall(TEXTS[page])))


def commands(text: str) -> Iterator[list[str]]:
    """Yield the words of each command of ours in the blocks that are only parsed."""
    names = "|".join(manual.COMMANDS)
    for block in PARSED.findall(text):
        for line in block.replace("\\\n", " ").splitlines():
            command = line.partition(" #")[0]
            for typed in re.findall(rf"(?<![/\w.-])((?:{names}|hsched) [^;|&)]*)", command):
                yield shlex.split(typed.replace("$dep", "7"))


@pytest.mark.parametrize("page", TEXTS, ids=lambda page: page.name)
def test_commands_that_cannot_be_run_here_are_understood(page: Path) -> None:
    for words in commands(TEXTS[page]):
        name = words.pop(0)
        if name == "hsched":
            name = f"hsched-{words.pop(0)}"
        command = manual.load(name)
        command.make_context(command.program, words)


@pytest.mark.parametrize("page", TEXTS, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(TEXTS[page]):
        assert (page.parent / target).exists(), target


def test_the_index_has_every_page() -> None:
    listed = set(LINK.findall(TEXTS[ROOT / "docs/README.md"]))
    assert listed == {page.name for page in PAGES} - {"README.md"}
