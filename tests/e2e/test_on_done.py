"""--on-done: a line after each job, once, with what there is to know of its end."""

from __future__ import annotations

import pytest

from tests.e2e.shell import Shell

NOTE = 'echo "$HSCHED_DONE_ID $HSCHED_DONE_NAME $HSCHED_DONE_OUTCOME $HSCHED_DONE_STATUS" >>told'


@pytest.fixture
def core(shell: Shell) -> Shell:
    shell.ok("hstart", "1")
    return shell


def told(shell: Shell, count: int) -> list[str]:
    """Wait until so many lines were told, and return them."""

    def lines() -> list[str]:
        file = shell.folder / "told"
        found = file.read_text().splitlines() if file.exists() else []
        return found if len(found) >= count else []

    return list(shell.until(lines, f"{count} are told"))


def test_it_is_told_how_a_job_ended_and_where_its_log_is(core: Shell) -> None:
    core.env["FROM"] = "submitter"
    line = f'{NOTE}; cat "$HSCHED_DONE_OUT" >>told; echo $FROM $HSCHED_DONE_WALL_S >>told'
    job = core.submit("--on-done", line, "--job-name", "train", "1", "echo out; exit 3")
    first, output, rest = told(core, 3)
    assert (first, output) == (f"{job} train failed 3", "out")
    assert rest.split()[0] == "submitter"
    assert float(rest.split()[1]) == pytest.approx(core.job(job)["wall_s"], abs=0.01)
    hook = core.wait("2")
    assert (hook["name"], hook["outcome"], hook["request"]["cores"]["amount"]) == (
        "on-done",
        "succeeded",
        0,
    )


def test_every_end_is_told_however_it_came(core: Shell) -> None:
    on_done = ["--on-done", NOTE, "--job-name", "x"]
    core.submit(*on_done, "1", "sleep", "1000")
    core.submit(*on_done, "1", "true")
    core.submit(*on_done, "--dep", "afterok:2", "1", "true")
    core.submit(*on_done, "1", "kill -9 $$")
    core.submit(*on_done, "--retries", "1", "1", "false")
    core.submit(*on_done, "--array", "0-1", "1", "true")
    core.ok("hkill", "2")
    core.ok("hkill", "1")
    assert sorted(told(core, 7)) == [
        "1 x cancelled 143",
        "2 x cancelled ",
        "3 x dependency failed ",
        "4 x signalled 137",
        "5 x failed 1",
        "6.0 x succeeded 0",
        "6.1 x succeeded 0",
    ]


def test_one_line_for_all_jobs_and_another_for_one(shell: Shell) -> None:
    shell.ok("hstart", "--on-done", NOTE, "1")
    shell.ok("hwait", shell.submit("1", "true"))
    shell.submit("--on-done", "", "1", "true")
    shell.submit("--on-done", "echo other >>told", "1", "true")
    shell.ok("hrun", "1", "true")
    assert sorted(told(shell, 2)) == ["1  succeeded 0", "other"]
    shell.ok("hwait", "--all")
    assert [job["name"] for job in shell.jobs("--all")].count("on-done") == 2
    assert len(told(shell, 2)) == 2


def test_a_killed_broker_tells_it_once(core: Shell) -> None:
    for _ in range(3):
        core.submit("--on-done", NOTE, "1", "while ! test -e go; do sleep 0.01; done")
    core.kill_broker()
    (core.folder / "go").touch()
    core.ok("hwait", "1")
    core.kill_broker()
    core.ok("hwait", "2", "3")
    core.ok("hwait", "--all")
    assert sorted(told(core, 3)) == [f"{n}  succeeded 0" for n in (1, 2, 3)]


def test_nothing_follows_what_hstop_ends(core: Shell) -> None:
    core.submit("--on-done", "touch ran", "1", "sleep", "1000")
    core.ok("hstop", "--force")
    assert not (core.folder / "ran").exists()
    log = (core.state / "default" / "broker.log").read_text()
    assert "the line of --on-done for job 1 is not run" in log
