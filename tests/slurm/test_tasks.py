"""Tasks on a cluster: graphs, hooks in Python, and what the words in braces stand for."""

from __future__ import annotations

import pytest

from tests.e2e.shell import Shell
from tests.e2e.test_readme import graph_of_tasks

pytestmark = pytest.mark.slow


def test_the_graph_of_the_readme_runs_as_it_stands(sched: Shell) -> None:
    (sched.folder / "task.py").write_text(graph_of_tasks())
    (sched.folder / "train.py").write_text("import sys; print(*sys.argv[1:])\n")
    names = sched.ok("hsched", "create", "task.py").split()
    line = "/bin/sh -c 'echo ${device_ids} is $CUDA_VISIBLE_DEVICES in ${run_dir}'"
    others = [sched.ok("hsched", "create", "-n", name, line) for name in ("one", "two")]
    sched.ok("hwait", *names, *others)
    assert sched.ok("hlog", "study/train/fast") == "--lr 0.3"
    assert sched.ok("hlog", "study/report") == "both are trained"
    for name in others:
        told, _, seen, _, folder = sched.ok("hlog", name).split()
        assert told == seen, "Slurm says which GPU"
        assert seen in ("0", "1")
        assert folder == str((sched.state / "default/current").resolve())
    listed = sched.ok("hsched", "list", "fullname", "status").split()
    assert listed[-2:] == ["two", "done"]


def test_a_line_runs_once_a_job_is_done(sched: Shell) -> None:
    line = 'echo "$HSCHED_DONE_ID $HSCHED_DONE_OUTCOME" >done'
    bad = sched.submit("1", "--on-done", line, "exit 3")
    assert sched.run("hwait", bad).returncode == 3
    assert sched.written("done") == f"{bad} failed\n"
