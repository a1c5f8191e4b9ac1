"""What is said to Slurm and how its answers are read: pure, on texts of a real one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hsched.core.model import Outcome, OutcomeKind, job_id
from hsched.core.spec import parse_spec
from hsched.errors import WrongUsage
from hsched.slurm import answers, options, states, table, time_left
from hsched.slurm.answers import Tag, Told
from hsched.slurm.states import Phase

RUN = "0123456789abcdef"
QUEUE = f"""\
7|7|N/A|PENDING|PartitionDown|N/A||(null)
13|13|N/A|RUNNING|None|2026-11-21T06:30:48|vm|somebody's | own comment
9|3|PENDING|JobArrayTaskLimit|N/A||hsched:{RUN}:8:1
9|0|RUNNING|None|2026-11-21T06:30:48|vm|hsched:{RUN}:8:1
10|N/A|PENDING|BeginTime|2026-11-21T06:32:49||hsched:{RUN}:12:2
11|N/A|RUNNING|None|2026-11-21T06:30:48|vm|hsched:ffffffffffffffff:8:1
a line that is torn
"""


def asked(**fields: Any) -> list[str]:
    """Return what sbatch is told of a job, less what it is always told."""
    given: dict[str, Any] = {"name": "n", "tag": "t", "amounts": {"cores": 2}, **fields}
    always = {"--nice=0", "--no-requeue", "--job-name=n", "--comment=t", "--output=/dev/null"}
    said = table.arguments(table.Asked(**given))
    assert len(said) == len(set(said))
    return [word for word in said if word not in always | {"--export=ALL"}]


def test_a_plain_job() -> None:
    assert asked() == ["--cpus-per-task=2"]
    assert asked(amounts={"cores": 0, "gpus": 0, "mem": 0}) == ["--cpus-per-task=1"]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"amounts": {"cores": 0}, "site": {"cpus-per-task": "4"}}, ["--cpus-per-task=4"]),
        (
            {"site": {"cpus-per-task": "4"}},  # the last one counts
            ["--cpus-per-task=4", "--cpus-per-task=2"],
        ),
        ({"amounts": {"gpus": 2, "mem": 3 << 30}}, ["--gres=gpu:2", "--mem=3072M"]),
        ({"amounts": {"mem": 1}}, ["--mem=1M"]),
        ({"amounts": {"io": 3}, "others": {"io": "gres"}}, ["--gres=io:3"]),
        ({"amounts": {"m": 1}, "others": {"m": "license"}}, ["--licenses=m:1"]),
        ({"amounts": {}, "time_limit_s": 90.0}, ["--time=2"]),
        ({"amounts": {}, "time_limit_s": 3600.0, "grace_s": 5.0}, ["--time=61"]),
        (
            {"amounts": {}, "edges": (("afterok", "7"), ("after", "8_1"))},
            ["--dependency=afterok:7,after:8_1"],
        ),
        ({"amounts": {}, "indices": (4, 0, 1, 2), "array_limit": 2}, ["--array=0-2,4%2"]),
        ({"amounts": {}, "held": True}, ["--hold"]),
        ({"amounts": {}, "requeue": True}, ["--requeue"]),
        ({"amounts": {}, "priority": -5}, ["--nice=5"]),
        ({"amounts": {}, "priority": 5, "nice": 10}, ["--nice=5"]),
        ({"amounts": {}, "begin_at": 0.0}, None),
        (
            {"amounts": {}, "site": {"partition": "gpu", "exclusive": "", "poll": "1"}},
            ["--partition=gpu", "--exclusive"],
        ),
    ],
)
def test_each_row_of_the_table(fields: dict[str, Any], said: list[str] | None) -> None:
    found = asked(**fields)
    if said is None:
        assert found[0].startswith("--begin=19")
    else:
        assert found == said


def test_srun_is_told_what_it_can_be_told() -> None:
    given: dict[str, Any] = {
        "amounts": {"cores": 2}, "time_limit_s": 60.0, "requeue": True, "held": True,
        "edges": (("after", "1"),), "site": {"partition": "gpu"},
    }  # fmt: skip
    assert table.srun_arguments(table.Asked(name="n", tag="t", **given)) == [
        "--ntasks=1", "--partition=gpu", "--cpus-per-task=2", "--time=1", "--nice=0",
        "--job-name=n", "--comment=t",
    ]  # fmt: skip


def test_memory_that_is_counted_is_in_gib() -> None:
    assert table.amounts_of(parse_spec("6,2,32"), (1, 0, 4)) == {
        "cores": 1,
        "gpus": 0,
        "mem": 4 << 30,
    }
    assert table.amounts_of(parse_spec("mem=8G"), (5,)) == {"mem": 5}
    assert table.unknown(parse_spec("cores=1,tape=2")) == ["tape"]


def test_the_table_in_the_documentation_is_this_one() -> None:
    page = Path(__file__).parents[2] / "docs" / "slurm.md"
    assert table.render() in page.read_text()


def test_options_of_the_site() -> None:
    found = options.parse(["--partition=gpu", "exclusive", "gres=gpu:a100:1"])
    assert found == {"partition": "gpu", "exclusive": "", "gres": "gpu:a100:1"}
    keywords = {"cpus_per_task": 4, "exclusive": True, "account": None, "requeue_not": False}
    assert options.arguments(options.of_keywords(keywords)) == ["--cpus-per-task=4", "--exclusive"]


@pytest.mark.parametrize("word", ["", "=x", "Partition=x", "comment=x", "array=1", "a=b\nc",
                                  "nice=-1", "poll=x"])  # fmt: skip
def test_what_is_no_option(word: str) -> None:
    with pytest.raises(WrongUsage):
        options.parse([word])


def test_the_queue_is_read_line_by_line() -> None:
    third, running, other = answers.queue(QUEUE, RUN)
    assert (third.job_id, third.state, third.address) == (job_id(8, 3), "PENDING", "9_3")
    assert (running.job_id, running.nodes) == (job_id(8, 0), "vm")
    assert running.started_at is not None
    assert (other.job_id, other.tag, other.address) == (job_id(12), Tag(RUN, 12, 2), "10")
    assert str(other.tag) == f"hsched:{RUN}:12:2"


def test_other_answers() -> None:
    assert answers.submitted("12\n") == "12"
    assert answers.submitted("12;cluster\n") == "12"
    assert answers.submitted("Submitted batch job 12") is None
    assert answers.accounted("CANCELLED by 1000|0:15\n") == Told("CANCELLED", None, 15)
    assert answers.accounted("") is None
    line = "JobId=15 JobState=FAILED Reason=NonZeroExitCode ExitCode=2:0"
    assert answers.shown(line) == Told("FAILED", 2, None, "NonZeroExitCode")
    assert answers.shown("slurm_load_jobs error") is None
    both = "sbatch: error: invalid partition specified: x\nsbatch: error: Batch job failed\n"
    assert answers.words(both) == "invalid partition specified: x; Batch job failed"


@pytest.mark.parametrize(
    ("complaint", "temporary"),
    [
        ("Unable to contact slurm controller (connect failure)", True),
        ("Socket timed out on send/recv operation", True),
        ("Job dependency problem", True),
        ("Invalid account or account/partition combination specified", False),
        ("Requested node configuration is not available", False),
    ],
)
def test_what_may_be_tried_again(complaint: str, temporary: bool) -> None:
    assert answers.is_temporary(complaint) is temporary


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1-02:03:04\n", 93784.0), ("2:03:04", 7384.0), ("3:04", 184.0), ("0:00", 0.0),
     ("2-00", 172800.0), ("1-02:03", 93780.0), ("UNLIMITED", None), ("soon", None),
     ("NOT_SET", None), ("INVALID", None), ("", None)],
)  # fmt: skip
def test_the_time_that_is_left(text: str, seconds: float | None) -> None:
    assert answers.time_left(text) == seconds


def test_squeue_is_asked_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    squeue = tmp_path / "squeue"
    squeue.write_text('#!/bin/sh\n[ "$*" = "--noheader --jobs=77 --format=%L" ] && echo 1:30\n')
    squeue.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("SLURM_JOB_ID", "77")
    assert time_left.time_left_s() == 90.0
    assert time_left.time_left_s("78") is None
    monkeypatch.setenv("SLURM_ARRAY_JOB_ID", "77")
    monkeypatch.setenv("SLURM_ARRAY_TASK_ID", "2")
    assert time_left.time_left_s() is None
    squeue.write_text(squeue.read_text().replace("77", "77_2"))
    assert time_left.time_left_s() == 90.0
    monkeypatch.delenv("SLURM_ARRAY_JOB_ID")
    monkeypatch.delenv("SLURM_JOB_ID")
    assert time_left.time_left_s() is None


def test_where_a_job_stands() -> None:
    assert states.phase("PENDING") is Phase.WAITING
    assert states.phase("COMPLETING") is Phase.RUNNING
    assert states.phase("NODE_FAIL") is Phase.ENDED


OK = Outcome(OutcomeKind.SUCCEEDED, exit_status=0)
KILLED = Outcome(OutcomeKind.SIGNALLED, signal=9)


@pytest.mark.parametrize(
    ("told", "recorded", "kind"),
    [
        (Told("COMPLETED", 0, None), OK, "succeeded"),
        (Told("FAILED", 3, None), OK, "succeeded"),  # the job's own word counts
        (Told("TIMEOUT", 0, None), OK, "timed out"),
        (Told("CANCELLED", 0, None), KILLED, "cancelled"),
        (Told("PREEMPTED", 0, None), None, "cancelled"),
        (Told("OUT_OF_MEMORY", 0, 9), None, "signalled"),
        (Told("NODE_FAIL", None, None), None, "lost"),
        (Told("NODE_FAIL", None, None), OK, "succeeded"),
        (Told("COMPLETED", 0, None), None, "lost"),
        (Told("FAILED", 2, None), None, "spawn failed"),
        (Told("FAILED", None, 11), None, "signalled"),
    ],
)
def test_how_a_job_ended(told: Told, recorded: Outcome | None, kind: str) -> None:
    found = states.outcome(told, recorded, "/run/slurm/batch.log")
    assert found.kind.value == kind
    assert recorded == found or found.reason


def test_how_a_job_ended_that_never_ran() -> None:
    assert states.never_ran("CANCELLED", "None").kind is OutcomeKind.CANCELLED
    failed = states.never_ran("FAILED", "BadConstraints")
    assert failed.kind is OutcomeKind.SPAWN_FAILED
    assert failed.reason == "Slurm: FAILED, BadConstraints (no node can ever have what it asks for)"
