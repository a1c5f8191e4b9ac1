"""Arrays: one id, many jobs."""

from __future__ import annotations

from tests.e2e.shell import Shell

#: Runs until the folder's file `go` is there.
WAIT = "while ! test -e go; do sleep 0.02; done"


def test_one_id_and_an_index_for_each(sched: Shell) -> None:
    array = sched.submit("--array", "1,5-9:2", "--out", "o/%a", "1", "echo $HSCHED_ARRAY_INDEX")
    assert array == "1"
    sched.ok("hwait", "1")
    found = {path.name: path.read_text() for path in (sched.folder / "o").iterdir()}
    assert found == {name: f"{name}\n" for name in ("1", "5", "7", "9")}
    jobs = sched.jobs("--all", "1")
    assert [(job["id"], job["array_id"], job["array_index"]) for job in jobs] == [
        (f"1.{index}", "1", index) for index in (1, 5, 7, 9)
    ]


def test_the_cap(sched: Shell) -> None:
    array = sched.submit("--array", "0-4%2", "1", WAIT)
    sched.until(lambda: len(sched.jobs("running")) == 2, "two run")
    pending = sched.jobs("pending")
    assert len(pending) == 3
    assert sched.ok("hnslots", "used").startswith("2,")
    (sched.folder / "go").touch()
    sched.ok("hwait", array)


def test_words_mean_all_of_it_or_one(sched: Shell) -> None:
    array = sched.submit("--array", "0-3", "1", "sleep", "1000")
    after = sched.submit("--dep", array, "1", "true")
    other = sched.submit("--dep", f"afterany:{array}.2", "1", "true")
    assert len(sched.jobs(array)) == 4
    sched.ok("hkill", f"{array}.2")
    assert sched.wait(other)["outcome"] == "succeeded"
    assert [job["id"] for job in sched.jobs(array)] == [f"{array}.{n}" for n in (0, 1, 3)]
    assert sched.job(after)["state"] == "pending"
    sched.ok("hkill", array)
    assert sched.wait(after)["outcome"] == "succeeded"
    gone = sched.run("hjobs", array)
    assert gone.returncode == 1
    assert "no such job found" in gone.stderr


def test_success_means_all_of_it(sched: Shell) -> None:
    good = sched.submit("--array", "0-3", "1", "true")
    bad = sched.submit("--array", "0-3", "1", "test $HSCHED_ARRAY_INDEX != 2")
    met = sched.submit("--dep", f"afterok:{good}", "1", "true")
    lost = sched.submit("--dep", f"afterok:{bad}", "1", "true")
    assert sched.wait(met)["outcome"] == "succeeded"
    assert "job 2.2 failed" in sched.wait(lost)["reason"]
    assert sched.wait(sched.submit("--dep", f"afternotok:{bad}", "1", "true"))["outcome"]


def test_an_element_that_failed_is_known_after_a_restart(sched: Shell) -> None:
    array = sched.submit("--array", "0-1", "1", f"test $HSCHED_ARRAY_INDEX = 1 && {WAIT}")
    waits = sched.submit("--dep", array, "1", "true")
    sched.wait(f"{array}.0")
    sched.kill_broker()
    lost = sched.submit("--dep", f"afterok:{array}", "1", "true")
    assert sched.job(waits)["state"] == "pending"
    assert sched.wait(lost)["outcome"] == "dependency failed"
    (sched.folder / "go").touch()
    assert sched.wait(waits)["outcome"] == "succeeded"


def test_the_cap_holds_after_a_restart(sched: Shell) -> None:
    array = sched.submit("--array", "0-4%2", "1", WAIT)
    sched.until(lambda: len(sched.jobs("running")) == 2, "two run")
    sched.kill_broker()
    sched.submit("1", "true")
    assert len(sched.jobs("running", array)) == 2
    (sched.folder / "go").touch()
    sched.ok("hwait", array)


def test_what_is_no_element(sched: Shell) -> None:
    array = sched.submit("--array", "0-3", "1", "sleep", "1000")
    for words in (["hkill", f"{array}.4"], ["hsubmit", "1", "--dep", f"{array}.4", "true"]):
        refused = sched.run(*words)
        assert refused.returncode == 1
        assert "couldn't find job" in refused.stderr
    assert sched.run("hsubmit", "1", "--array", "0-9999999", "true").returncode == 2


def test_the_row_of_an_element_does_not_hold_all_indices(sched: Shell) -> None:
    sched.submit("--hold", "--array", "0-9999", "1", "true")
    store = sched.state / "default/hsched.db-wal"
    assert store.stat().st_size < 20 << 20
    assert len(sched.jobs("1.9999")) == 1


def test_an_index_in_the_environment_does_not_come_between(sched: Shell) -> None:
    options = ("--array", "0-19", "--out", "o/%a", "--export", "PATH,HSCHED_ARRAY_INDEX")
    env = {**sched.env, "HSCHED_ARRAY_INDEX": "99"}
    sched.ok("hwait", sched.submit(*options, "2", "cat", "/proc/self/environ", env=env))
    for index in range(20):
        variables = (sched.folder / f"o/{index}").read_text().split("\0")
        found = [one for one in variables if one.startswith("HSCHED_ARRAY_INDEX=")]
        assert found == [f"HSCHED_ARRAY_INDEX={index}"]
