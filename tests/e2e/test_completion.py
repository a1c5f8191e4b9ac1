"""Completions in the real shells: what a person gets who presses Tab."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hsched.cli import loaders
from tests.e2e.painted import Painted
from tests.e2e.shell import Shell

FOLDER = Path(loaders.FOLDER)
BASH_COMPLETION = Path("/usr/share/bash-completion/bash_completion")


def needs(program: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(program) is None, reason=f"needs {program}")


@pytest.fixture
def queue(shell: Shell) -> Shell:
    """A running job 1 called moss, a pending job 2 called fern, and a done job 3."""
    shell.ok("hstart", "cores=2,gpus=1")
    shell.submit("2", "--job-name", "moss", "--label", "night", "sleep", "999")
    shell.submit("2", "--job-name", "fern", "sleep", "999")
    shell.submit("0", "--job-name", "twig", "true")
    shell.wait("3")
    (shell.folder / "zebra-file").touch()
    return shell


@pytest.fixture
def zsh(queue: Shell) -> Iterator[Painted]:
    fpath = f"fpath=({FOLDER}/zsh $fpath); autoload -Uz compinit && compinit -u -D; PS1='> '"
    with Painted(queue, "zsh", "-f", "-i", size=(100, 40), PS1="zsh> ") as found:
        found.type(f"{fpath}; clear; echo re''ady\n")
        found.sees("ready\n>")
        yield found


@pytest.fixture
def bash(queue: Shell) -> Iterator[Painted]:
    data = queue.home / "share/bash-completion"
    data.mkdir(parents=True)
    (data / "completions").symlink_to(FOLDER / "bash")
    home = {"BASH_COMPLETION_USER_DIR": str(data), "PS1": "> "}
    with Painted(queue, "bash", "--norc", "-i", size=(100, 40), **home) as found:
        found.type(f"source {BASH_COMPLETION}; PS1='> '; clear; echo re''ady\n")
        found.sees("ready\n>")
        yield found


#: What is typed before Tab, and what then stands on the line.
TYPED = [
    ("hkill mo", "> hkill moss"),
    ("hhold f", "> hhold fern"),
    ("hlog tw", "> hlog twig"),
    ("hrelease --sta", "> hrelease --state"),
    ("hsched tim", "> hsched timeline"),
    ("hsched nosuch", "> hsched nosuch"),
    ("hsched gp", "> hsched gpus"),
    ("hsched wait mo", "> hsched wait moss"),
    ("hsubmit cores=1,g", "> hsubmit cores=1,gpus="),
    ("hnslots drain g", "> hnslots drain gpus:"),
    ("hsubmit 1 cat ze", "> hsubmit 1 cat zebra-file"),
    ("hjobs -n def", "> hjobs -n default"),
    ("hjobs -o id,com", "> hjobs -o id,command"),
    ("hjobs --job-name mo", "> hjobs --job-name moss"),
    ("hkill --label ni", "> hkill --label night"),
    ("hsubmit --label=ni", "> hsubmit --label=night"),
    ("hjobs --state pe", "> hjobs --state pending"),
    ("hsubmit --job-name 'a b' -n de", "> hsubmit --job-name 'a b' -n default"),
    (r'hsubmit --label a\ b -n "c d" 1 ls ze', r'> hsubmit --label a\ b -n "c d" 1 ls zebra-file'),
    ("hstatus -o name,dr", "> hstatus -o name,drained"),
    ("hsched gpus --sort cl", "> hsched gpus --sort claimed"),
]

#: The same for a word that is quoted itself.
QUOTED = [
    ("hkill 'mo", "> hkill 'moss'"),
    ('hlog "tw', '> hlog "twig"'),
    ("hkill 1 '2' \"fe", "> hkill 1 '2' \"fern\""),
]

#: What is typed before Tab Tab, what is offered, and what is not.
LISTED = [
    ("hkill ", ("1", "2", "moss", "fern"), ("3", "twig")),
    ("hhold ", ("2", "fern"), ("1", "moss", "3", "twig")),
    ("hlog ", ("1", "moss", "3", "twig"), ("2", "fern")),
    ("hrerun ", ("3", "twig"), ("1", "moss", "2", "fern")),
]


def press_tab(shown: Painted, typed: str, expected: str) -> None:
    shown.type(f"\x15{typed}\t")
    shown.sees(f"\n{expected}")


@pytest.mark.slow
@pytest.mark.skipif(not BASH_COMPLETION.exists(), reason="needs bash-completion")
def test_bash_completes_what_there_is(bash: Painted) -> None:
    for typed, expected in [*TYPED, *QUOTED]:
        press_tab(bash, typed, expected)


@pytest.mark.slow
@needs("zsh")
def test_zsh_completes_what_there_is(zsh: Painted) -> None:
    for typed, expected in TYPED:
        press_tab(zsh, typed, expected)


@pytest.mark.slow
@needs("fish")
def test_fish_offers_what_there_is(queue: Shell) -> None:
    lines = [typed for typed, _ in TYPED] + [typed for typed, *_ in LISTED]
    escaped = (line.replace("\\", r"\\").replace("'", r"\'") for line in lines)
    query = "; echo ==; ".join(f"complete -C '{line}'" for line in escaped)
    path = f"set -g fish_complete_path {FOLDER}/fish $fish_complete_path"
    answers = queue.ok("fish", "--no-config", "-c", f"{path}; {query}").split("==\n")
    offered = [[row.split("\t")[0] for row in answer.splitlines()] for answer in answers]
    for (typed, expected), words in zip(TYPED, offered, strict=False):
        last = expected.rpartition(" ")[2]
        assert words == ([] if expected == f"> {typed}" else [last]), (typed, words)
    for (typed, there, absent), words in zip(LISTED, offered[len(TYPED) :], strict=True):
        assert set(there) <= set(words), (typed, words)
        assert not set(absent) & set(words), (typed, words)


def test_without_a_scheduler_nothing_is_offered_and_nothing_said(shell: Shell) -> None:
    asked = {"_HKILL_COMPLETE": "bash_complete", "COMP_WORDS": "hkill ", "COMP_CWORD": "1"}
    done = shell.run("hkill", env=asked)
    assert (done.stdout.strip(), done.stderr, done.returncode) == ("", "", 0)
    assert not (shell.home / ".local").exists()


def test_a_killed_scheduler_is_not_brought_back_by_a_key(shell: Shell) -> None:
    shell.ok("hstart", "1")
    shell.submit("1", "sleep", "999")
    shell.kill_broker()
    asked = {"_HKILL_COMPLETE": "bash_complete", "COMP_WORDS": "hkill ", "COMP_CWORD": "1"}
    done = shell.run("hkill", env=asked)
    assert (done.stdout.strip(), done.stderr) == ("", "")
    assert not shell.pids("hsched.broker")


def test_the_files_are_installed_where_shells_look_below_a_prefix() -> None:
    share = Path(sys.prefix) / "share"
    for place in ("bash-completion/completions/hkill", "zsh/site-functions/_hsched"):
        assert (share / place).is_file()
    assert (share / "fish/vendor_completions.d/hkill.fish").is_file()


def test_the_files_are_what_their_generator_writes() -> None:
    for name, text in loaders.files():
        assert (FOLDER / name).read_text() == text, f"{name}: run `make completions`"
    assert {str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*") if path.is_file()} == {
        name for name, _ in loaders.files()
    }
