"""How a command ends: its status, and the one line that says why."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.cli.conftest import FakeClient, Run

PROGRAM = [sys.executable, "-c"]


def ended(code: str) -> subprocess.CompletedProcess[bytes]:
    """Run ``code`` with a command ``c`` to define; return how it ended."""
    head = "import sys, click\nfrom hsched.cli.common import *\n"
    head += "def make(f): return click.command('c', cls=Command, examples=())(f)\n"
    return subprocess.run([*PROGRAM, head + code], capture_output=True, check=False)


def test_an_interrupted_command_dies_of_the_signal_so_that_loops_end() -> None:
    done = ended("def f(): raise KeyboardInterrupt\nrun(make(f))")
    assert (done.returncode, done.stderr) == (-2, b"")


def test_a_reader_that_went_away_is_no_error() -> None:
    code = (
        "import os\nr, w = os.pipe(); os.close(r); os.dup2(w, 1)\n"
        "run(make(lambda: put(['x'] * 99999)))"
    )
    done = ended(code)
    assert (done.returncode, done.stderr) == (-13, b"")


def test_a_full_disk_is_told() -> None:
    done = ended("import os\nos.dup2(os.open('/dev/full', 1), 1)\nrun(make(lambda: put(['x'])))")
    assert done.returncode == 1
    assert done.stderr == b"c: No space left on device\n"


def test_a_closed_stdout_is_no_error() -> None:
    code = "import os, sys\nsys.stdout = None\nrun(make(lambda: put(['x'])))"
    assert ended(code).returncode == 0


def test_a_missing_file_is_named() -> None:
    done = ended("run(make(lambda: open('/nonsense/file')))")
    assert (done.returncode, done.stderr) == (1, b"c: /nonsense/file: No such file or directory\n")


def test_typed_words_are_bytes_whatever_the_locale() -> None:
    code = (
        "sys.argv = ['c', os.fsdecode(b'\\xff\\xc3\\xa9')]\n"
        "@click.argument('word')\n"
        "def f(word): put([repr(word), word])\n"
        "run(make(f))"
    )
    done = ended(code)
    assert done.stdout == "'\\udcffé'\n".encode() + b"\xff\xc3\xa9\n"


@pytest.mark.parametrize("name", ["hsubmit", "hjobs", "hkill", "hnslots", "hstop"])
def test_the_scheduler_has_a_name(run: Run, client: type[FakeClient], name: str) -> None:
    words = {"hsubmit": ["1", "ls"], "hkill": ["1"]}.get(name, [])
    client.answers["slots"] = ()
    run(name, "-n", "lab", *words)
    assert client.calls[0] == ("open", ("lab",), {})
