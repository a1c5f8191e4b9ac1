"""A damaged store is refused by name, with a way out; it is never an empty queue."""

from __future__ import annotations

import sqlite3
import subprocess
from pathlib import Path

import pytest

from tests.e2e.shell import Shell


@pytest.fixture
def stopped(sched: Shell) -> Shell:
    """A scheduler with history and a queue, its broker killed."""
    for line in ("exit 0", "exit 3"):
        sched.wait(sched.submit("1", line))
    sched.submit("6", "sleep", "1000")
    sched.submit("6", "--job-name", "later", "true")
    sched.kill_broker()
    store = sched.state / "default/hsched.db"
    with sqlite3.connect(store) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    return sched


def truncate_to_nothing(store: Path) -> None:
    store.write_bytes(b"")


def cut_in_half(store: Path) -> None:
    content = store.read_bytes()
    store.write_bytes(content[: len(content) // 2])


def overwrite_the_middle(store: Path) -> None:
    content = bytearray(store.read_bytes())
    content[4096 * 3 : 4096 * 3 + 3000] = b"\xa5" * 3000
    store.write_bytes(content)


def overwrite_the_head(store: Path) -> None:
    store.write_bytes(b"this is no store" + store.read_bytes()[16:])


def change_a_row(store: Path) -> None:
    with sqlite3.connect(store) as db:
        db.execute("UPDATE job SET priority = 7 WHERE name = 'later'")
    db.close()


@pytest.mark.parametrize(
    "damage",
    [truncate_to_nothing, cut_in_half, overwrite_the_middle, overwrite_the_head, change_a_row],
)
def test_every_command_refuses_a_damaged_store(stopped: Shell, damage: object) -> None:
    assert callable(damage)
    store = stopped.state / "default/hsched.db"
    damage(store)
    before = store.read_bytes()
    for command in (["hstart", "6,2,32"], ["hjobs"], ["hsubmit", "1", "true"]):
        done = stopped.run(*command)
        assert done.returncode == 1, done
        assert str(store) in done.stderr
        assert "hstart --salvage" in done.stderr
    assert store.read_bytes() == before


def test_a_salvaged_store_has_every_row_that_was_sound(stopped: Shell) -> None:
    change_a_row(stopped.state / "default/hsched.db")
    stopped.ok("hstart", "--salvage")
    jobs = {job["id"]: (job["state"], job["outcome"]) for job in stopped.jobs("--all")}
    assert jobs == {
        "1": ("done", "succeeded"),
        "2": ("done", "failed"),
        "3": ("running", None),
    }
    log = (stopped.state / "default/broker.log").read_text()
    assert "1 damaged rows were left out" in log
    assert list(stopped.state.glob("default/hsched.db.damaged-1"))


def test_what_lies_around_unreadable_pages_is_salvaged(stopped: Shell) -> None:
    overwrite_the_middle(stopped.state / "default/hsched.db")
    done = stopped.run("hstart", "--salvage", "6,2,32")
    assert done.returncode == 0, done
    stopped.wait(stopped.submit("0", "true"))


def test_a_store_that_went_away_is_no_empty_queue(stopped: Shell) -> None:
    (stopped.state / "default/hsched.db").unlink()
    done = stopped.run("hjobs")
    assert done.returncode == 1
    assert "hsched.db" in done.stderr


def test_a_store_on_a_read_only_disk_is_refused(shell: Shell) -> None:
    point = shell.home / "disk"
    point.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "none", point], check=True)
    shell.env["HSCHED_HOME"] = str(point)
    try:
        shell.ok("hstart", "1")
        shell.ok("hstop")
        remount = ["mount", "-o", "remount,ro", str(point)]
        # The broker that ends has its log open for a moment longer.
        shell.until(lambda: subprocess.run(remount, check=False).returncode == 0, "it is read-only")
        done = shell.run("hstart", "1")
        assert done.returncode == 1
        assert "ead-only" in done.stderr
        assert len(done.stderr.splitlines()) == 1
    finally:
        subprocess.run(["umount", "-l", point], check=True)
