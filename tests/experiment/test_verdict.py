"""What comes of a task whose job is done; no scheduler and no process."""

from __future__ import annotations

from pathlib import Path

import pytest

from hsched.experiment.board import Board
from hsched.experiment.endings import Failure, read_failed, write_failed
from hsched.experiment.jobs import Asked, Job, JobState
from hsched.experiment.settings import WorkspaceSettings
from hsched.experiment.verdict import Verdict, judge
from hsched.experiment.workspace import Workspace
from hsched.slurm.answers import time_left
from hsched.wire.subscribe import Change


@pytest.fixture
def job(home: Path) -> Job:
    """A task that can be resumed, twice, with a folder."""
    made = Job(None, "module.task", "ab" * 32, Workspace(WorkspaceSettings("", home)))
    made.asked, made.resumable = Asked(max_retries=2), True
    made.path.mkdir(parents=True)
    return made


def done(outcome: str, status: int | None = None, signal: int | None = None) -> Change:
    """Return how a job ended."""
    return Change(
        number=1, id="1", state="done", outcome=outcome, exit_status=status, signal=signal
    )


@pytest.mark.parametrize("outcome", ["succeeded", "cancelled", "timed out", "dependency failed"])
def test_the_marker_counts_for_more_than_the_outcome(job: Job, outcome: str) -> None:
    job.done_path.touch()
    assert judge(job, done(outcome), 1) == Verdict()


def test_success_without_a_marker_is_none(job: Job) -> None:
    found = judge(job, done("succeeded", 0), 1)
    assert found.failure is not None
    assert found.failure.reason == "missing"


def test_what_the_task_wrote_of_its_failure_is_the_failure(job: Job) -> None:
    write_failed(job.failed_path, Failure("failed", 3, "why"))
    assert judge(job, done("failed", 3), 1) == Verdict(Failure("failed", 3, "why"))


def test_a_signal_that_nobody_explained(job: Job) -> None:
    found = judge(job, done("signalled", signal=9), 1)
    assert found.failure == Failure("signalled", None, "killed by signal 9; out of memory, perhaps")


def test_a_time_out_is_retried_until_the_retries_are_used_up(job: Job) -> None:
    assert judge(job, done("timed out"), 1).again
    assert judge(job, done("timed out"), 1).again
    found = judge(job, done("timed out"), 1)
    assert not found.again
    assert found.failure is not None
    assert found.failure.reason == "timeout"


def test_runs_that_the_scheduler_made_count(job: Job) -> None:
    write_failed(job.failed_path, Failure("timeout", 1))
    assert not judge(job, done("failed", 124), 3).again


def test_a_time_out_of_a_plain_task_is_a_failure(job: Job) -> None:
    job.resumable = False
    assert not judge(job, done("timed out"), 1).again


def test_a_cancelled_task_is_not_retried_though_its_time_was_nearly_up(job: Job) -> None:
    write_failed(job.failed_path, Failure("timeout", 15))
    found = judge(job, done("cancelled", 124), 1)
    assert not found.again
    assert found.failure is not None
    assert found.failure.reason == "cancelled"


@pytest.mark.parametrize(
    ("state", "again"), [(JobState.ERROR, False), (JobState.WAITING, True), (JobState.DONE, True)]
)
def test_a_failed_dependency_counts_where_it_has_failed_for_good(
    job: Job, state: JobState, again: bool
) -> None:
    upstream = Job(None, "module.upstream", "cd" * 32, job.workspace)
    upstream.state = state
    job.dependencies = (upstream,)
    found = judge(job, done("dependency failed"), 0)
    assert found.again is again
    if not again:
        assert found.failure == Failure("dependency", message=f"{upstream.relpath} failed")


def test_a_damaged_marker_is_a_failure_all_the_same(job: Job) -> None:
    assert read_failed(job.failed_path) is None
    job.failed_path.write_text('{"code": ')
    found = read_failed(job.failed_path)
    assert found is not None
    assert "damaged" in found.message


def test_the_board_counts_what_is_not_over(job: Job) -> None:
    board = Board()
    board.wait()
    board.add(job)
    board.change(job, JobState.RUNNING)
    assert board.counts() == {JobState.RUNNING: 1}
    board.change(job, JobState.ERROR, Failure("failed"))
    board.wait()
    assert board.failed == [job]
    assert board.wait_for(job) is JobState.ERROR


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1-02:03:04\n", 93784.0),
        ("2-00\n", 172800.0),
        ("1-02:03", 93780.0),
        ("3:04", 184.0),
        ("2:03:04", 7384.0),
        ("UNLIMITED", None),
        ("", None),
        ("soon", None),
    ],
)
def test_what_squeue_says_of_the_time_left(text: str, seconds: float | None) -> None:
    assert time_left(text) == seconds
