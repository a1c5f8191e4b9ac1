"""The README tells the truth: its commands are run, and its output is theirs."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from tests.e2e.shell import Shell

README = (Path(__file__).parents[2] / "README.md").read_text()
PROGRAMS = (
    "do-me-first",
    "log-the-results",
    "my-compute-intensive-app",
    "my-four-slot-job",
    "my-high-memory-app",
    "my-single-slot-job",
    "my-two-slot-job",
    "my-visualization-app",
    "wait-for-do-me-first-to-finish",
    "winnie-the-pooh",
)
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d")


@pytest.fixture
def reader(shell: Shell) -> Shell:
    """A terminal with the programs that the README speaks of."""
    folder = shell.home / "bin"
    folder.mkdir()
    for name in PROGRAMS:
        (folder / name).write_text("#!/bin/sh\nexec sleep 1000\n")
        (folder / name).chmod(0o755)
    app = re.search(r"\$ cat my-deeplearning-app\n(.*\n)", README)
    assert app is not None
    (shell.folder / "my-deeplearning-app").write_text(app[1])
    shell.env["PATH"] = f"{folder}:{shell.env['PATH']}"
    return shell


def masked(text: str) -> str:
    """Return ``text`` without what differs from run to run."""
    return TIME.sub("TIME", text).replace("starting  ", "running   ")


def test_the_commands_print_what_the_readme_says(reader: Shell) -> None:
    blocks = "".join(re.findall(r"^```console\n(.*?)^```", README, re.M | re.S))
    commands = [line[2:] for line in blocks.splitlines() if line.startswith("$ ")]
    script = "\n".join(f"cat <<'.'\n$ {line}\n.\n{line}" for line in commands)
    shown = reader.run("/bin/sh", "-c", f"exec 2>&1\n{script}\n").stdout
    assert masked(shown) == masked(blocks)


def test_the_python_example_prints_what_its_comment_says(sched: Shell) -> None:
    code, *_ = re.findall(r"^```python\n(.*?)^```", README, re.M | re.S)
    said = sched.ok(sys.executable, "-c", code)
    assert said.split()[1:] == re.findall(r"# \d+ (.*)", code)[0].split()


def graph_of_tasks() -> str:
    """Return the script of the README that exports one."""
    _, code, *_ = re.findall(r"^```python\n(.*?)^```", README, re.M | re.S)
    return str(code)


def test_the_graph_of_tasks_runs_as_it_stands(shell: Shell) -> None:
    (shell.folder / "task.py").write_text(graph_of_tasks())
    (shell.folder / "train.py").write_text("import sys; print(*sys.argv[1:])\n")
    shell.ok("hstart", "4")
    names = shell.ok("hsched", "create", "task.py").split()
    assert names == ["study/train/slow", "study/train/fast", "study/report"]
    shell.ok("hwait", *names)
    assert shell.ok("hlog", "study/train/fast") == "--lr 0.3"
    assert shell.ok("hlog", "study/report") == "both are trained"


def test_every_command_and_target_exists(shell: Shell) -> None:
    makefile = (Path(__file__).parents[2] / "Makefile").read_text()
    for target in re.findall(r"make (\w+) +#", README):
        assert f"\n{target}:" in makefile
    for command in re.findall(r"^\| `(h\w+)", README, re.M):
        shell.ok(command, "--version")
