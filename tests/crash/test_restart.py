"""Upgrade in place: the broker is replaced, and the jobs notice nothing."""

from __future__ import annotations

from tests.e2e.shell import Shell


def test_a_restart_keeps_jobs_ids_and_order(sched: Shell) -> None:
    line = "while [ ! -e go ]; do sleep 0.02; done; exit 3"
    running = sched.submit("6", line)
    waiting = sched.submit("6", "--dep", f"afternotok:{running}", "true")
    before = sched.jobs()
    pid = sched.broker_pid()
    assert sched.ok("hstart", "--restart") == "restarted default scheduler"
    assert sched.broker_pid() != pid
    after = sched.jobs()
    for job in (*before, *after):
        del job["wall_s"]
    assert after == before
    (sched.folder / "go").touch()
    assert sched.wait(running)["exit_status"] == 3
    assert sched.wait(waiting)["outcome"] == "succeeded"
    assert sched.submit("1", "true") == "3"


def test_who_waits_over_a_restart_learns_of_the_end(sched: Shell) -> None:
    job = sched.submit("1", "while [ ! -e go ]; do sleep 0.02; done")
    code = f"import hsched; print(hsched.Client().wait(['{job}'], timeout=60))"
    line = f'python -c "{code}" > told & hstart --restart; touch go; wait'
    sched.sh(line)
    assert sched.written("told") == "True\n"


def test_there_must_be_something_to_restart(shell: Shell) -> None:
    done = shell.run("hstart", "--restart")
    assert done.returncode == 1
    assert "bad state or not running" in done.stderr


def test_a_limit_in_whole_seconds_comes_back_from_the_store(sched: Shell) -> None:
    spec = "hsched.JobSpec(slots='6', argv=('sleep', '60'), time_limit=600, grace=2)"
    sched.sh(f'python -c "import hsched; hsched.Client().submit({spec})"')
    assert sched.ok("hstart", "--restart") == "restarted default scheduler"
    assert [job["id"] for job in sched.jobs()] == ["1"]
