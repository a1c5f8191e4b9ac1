"""A store of each released format still opens: tests/data/store-vN.db is never edited."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.e2e.shell import Shell

DATA = Path(__file__).parents[1] / "data"


@pytest.mark.parametrize("fossil", sorted(DATA.glob("store-v*.db")), ids=lambda path: path.stem)
def test_an_old_store_opens_with_all_that_is_in_it(shell: Shell, fossil: Path) -> None:
    folder = shell.state / "default"
    folder.mkdir(parents=True, mode=0o700)
    shutil.copy(fossil, folder / "hsched.db")
    assert "nslots = 2,1,4G" in shell.ok("hstart")
    shell.wait("5")
    told = {job["id"]: (job["state"], job["outcome"], job["reason"]) for job in shell.jobs("--all")}
    assert told == {
        "1": ("done", "succeeded", None),
        "2": ("done", "failed", None),
        "3.0": ("done", "succeeded", None),
        "3.1": ("done", "failed", None),
        "3.2": ("done", "failed", None),
        "4": ("done", "lost", "reboot"),
        "5": ("done", "dependency failed", "afterok: job 4 was lost"),
        "6": ("pending", None, "held"),
    }
    shell.ok("hrelease", "6")
    assert shell.wait("6")["outcome"] == "succeeded"
    assert shell.submit("1", "true") == "7"
