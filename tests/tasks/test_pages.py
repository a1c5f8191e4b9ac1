"""The two pages are the contract: what stands there runs, names exchanged and nothing else."""

from __future__ import annotations

import itertools
import re
import sys
from pathlib import Path

import pytest

from tests.devices.conftest import library, nvml
from tests.devices.fake import Fake
from tests.e2e.shell import Shell
from tests.tasks.test_create import run_folder, statuses

__all__ = ["library", "nvml"]

PAGES = Path(__file__).parents[1] / "data" / "pages"
NAMES = (("meow", "hsched"), ("cattino", "hsched"), ("CATTINO_", "HSCHED_"))

#: Says what it was called with, and which GPUs it got.
STUB = """
import os, sys
print(os.path.basename(__file__), *sys.argv[1:], "on", os.environ.get("CUDA_VISIBLE_DEVICES"))
"""


def page(name: str) -> str:
    """Return the text of a page with the names exchanged."""
    text = (PAGES / name).read_text()
    for theirs, ours in NAMES:
        text = text.replace(theirs, ours)
    return text


def between(text: str, begin: str, end: str) -> str:
    """Return the code from the line that begins with ``begin`` to one that begins with ``end``."""
    lines = text.splitlines(keepends=True)
    first = next(i for i, line in enumerate(lines) if line.startswith(begin))
    last = next(i for i, line in enumerate(lines) if i > first and line.startswith(end))
    return "".join(lines[first:last])


USAGE, TASKS = page("usage.txt"), page("tasks.txt")
PIPELINE = between(USAGE, "# task.py", "ProcTask accepts")
HELLO = between(TASKS, "from hsched.tasks import ProcTask\n", "Example: TaskGroup")
GROUP = between(TASKS, "from hsched.tasks import ProcTask, TaskGroup\n", "In a TaskGroup with")
GRAPH = between(TASKS, "from hsched.tasks import ProcTask, TaskGraph", "Lifecycle hooks")
HOOKS = between(TASKS[TASKS.index("Lifecycle hooks and") :], "from hsched.tasks", "Exporting tasks")
EXPORT = between(TASKS[TASKS.index("Exporting tasks#") :], "import hsched", "Then run from shell")
COMMANDS = [
    line
    for text in (USAGE, TASKS)
    for line in text.splitlines()
    if re.match(r"hsched (create|run)\b", line)
]


@pytest.fixture
def lab(shell: Shell, nvml: Fake) -> Shell:
    """A terminal on a machine with two GPUs of 24 GiB, and the scripts that the pages name."""
    nvml.tell("gpu GPU-aaaa 24576", "gpu GPU-bbbb 24576")
    shell.env.update(nvml.env)
    for name in ("train", "eval", "step1", "step2", "step3"):
        (shell.folder / f"{name}.py").write_text(STUB)
    return shell


def create(lab: Shell, code: str, name: str = "task.py") -> list[str]:
    (lab.folder / name).write_text(code)
    return lab.ok("hsched", "create", name).split()


def test_nothing_was_lost_in_cutting_the_pages() -> None:
    assert COMMANDS == [
        'hsched create "python train.py" --task-name train --min-devices 2 '
        "--requires-memory-per-device 20000",
        'hsched create "python train.py" -- --lr 0.3',
        'hsched create "python train.py" -m -- --lr [0.1,0.3]',
        r'hsched create "python train.py" -- hydra.run.dir="\${run_dir}/\${task_name}"',
        "hsched create task.py",
        "hsched run",
    ]
    assert "\tawait super().on_start()" in HOOKS, "tabs as they stand"
    assert 'if __name__ == "__main__":' in HELLO
    for code in (PIPELINE, HELLO, GROUP, GRAPH, HOOKS, EXPORT):
        compile(code, "page", "exec")


def test_create_from_command(lab: Shell) -> None:
    train, plain, lists, _, *_ = COMMANDS
    assert lab.sh(train) == "train"
    lab.ok("hwait", "train")
    assert lab.ok("hlog", "train") == "train.py on 0,1"
    names = [lab.sh(plain), *lab.sh(lists).split()]
    assert all(re.fullmatch(r"[a-z0-9]{5}", name) for name in names)
    lab.ok("hwait", *names)
    said = [lab.ok("hlog", name).partition(" on ")[0] for name in names]
    assert said == ["train.py --lr 0.3", "train.py --lr 0.1", "train.py --lr 0.3"]
    assert str(run_folder(lab)).startswith(str(lab.home / ".local/state/hsched"))
    assert re.search(r"/\d{4}-\d\d-\d\d/\d\d-\d\d-\d\d$", str(run_folder(lab)))


def test_the_magic_string_becomes_the_tasks_folder(lab: Shell) -> None:
    name = lab.sh(COMMANDS[3])
    lab.ok("hwait", name)
    said = lab.ok("hlog", name).split()
    assert said[:2] == ["train.py", f"hydra.run.dir={run_folder(lab)}/{name}"]
    assert (run_folder(lab) / name / "stdout.log").exists()


@pytest.mark.parametrize("code", [PIPELINE, GROUP], ids=["usage", "tasks"])
def test_the_pipeline_trains_and_then_evaluates(lab: Shell, code: str) -> None:
    assert create(lab, code) == ["pipeline/train", "pipeline/eval"]
    lab.ok("hwait", "pipeline/train", "pipeline/eval")
    assert lab.ok("hlog", "pipeline/train") == "train.py on 0,1"
    assert lab.ok("hlog", "pipeline/eval") in ("eval.py on 0", "eval.py on 1")
    train, evaluate = lab.jobs("--all")
    assert evaluate["started_at"] >= train["ended_at"]
    assert train["device_memory_bytes"] == 20000 << 20


def test_hello_world_with_its_guard(lab: Shell) -> None:
    assert create(lab, HELLO) == ["hello"]
    lab.ok("hwait", "hello")
    assert lab.ok("hlog", "hello") == "hello world"


def test_the_steps_of_a_graph_run_in_their_order(lab: Shell) -> None:
    assert create(lab, GRAPH) == ["step1", "step2", "step3"]
    lab.ok("hwait", "step1", "step2", "step3")
    jobs = lab.jobs("--all")
    assert [one["outcome"] for one in jobs] == ["succeeded"] * 3
    for before, after in itertools.pairwise(jobs):
        assert after["started_at"] >= before["ended_at"]


def test_hooks_of_a_subclass_with_tabs(lab: Shell) -> None:
    use = 'import hsched\nhsched.export(MyTask("python train.py", task_name="mine"))\n'
    assert create(lab, HOOKS + use) == ["mine"]
    lab.ok("hwait", "mine")
    starting, _, finished = lab.ok("hlog", "mine").splitlines()
    assert (starting, finished) == ("Task mine starting", "Task mine finished")


def test_export_and_create(lab: Shell) -> None:
    (lab.folder / "task.py").write_text(EXPORT)
    assert lab.sh(COMMANDS[4]) == "train"
    lab.ok("hwait", "train")
    assert statuses(lab) == {"train": "done"}


def test_a_demand_that_cannot_be_met_is_refused_with_both_numbers(lab: Shell) -> None:
    more = lab.run("hsched", "create", f"{sys.executable} train.py", "-c", "3", "-M", "20000")
    assert more.returncode != 0
    assert "3" in more.stderr
    assert "2" in more.stderr
    larger = lab.run("hsched", "create", "python train.py", "-M", "30000")
    assert larger.returncode != 0
    assert re.search(r"30000", larger.stderr)
    assert re.search(r"24(576|G)", larger.stderr)
    assert lab.ok("hsched", "list") == "no tasks found"


@pytest.mark.parametrize(
    "command", ["create", "run", "test", "exit", "clean"], ids=lambda name: str(name)
)
def test_help_is_there_as_the_page_says(shell: Shell, command: str) -> None:
    assert shell.ok("hsched", command, "--help").startswith(f"Usage: hsched {command} ")
