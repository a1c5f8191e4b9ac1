"""Schedulers are found while one watches, also where no kernel tells of them."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from hsched import paths
from hsched.cli.watching import schedulers
from hsched.cli.watching.schedulers import Schedulers
from hsched.client import Client
from hsched.wire.status import StatusReply
from tests.e2e.shell import Shell


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shell]:
    """A terminal whose schedulers are those of this process as well."""
    shell = Shell()
    monkeypatch.setenv("HOME", str(shell.home))
    try:
        yield shell
    finally:
        shell.close()


def names(found: Schedulers) -> list[str]:
    return [one.name for one in found.rows if one.reply is not None]


@pytest.mark.parametrize("is_told", [True, False])
def test_a_scheduler_is_found_and_lost(
    terminal: Shell, monkeypatch: pytest.MonkeyPatch, is_told: bool
) -> None:
    ours, theirs = os.pipe()
    monkeypatch.setattr(paths, "is_on_network", lambda path: not is_told)
    monkeypatch.setattr(schedulers, "_AGAIN_S", 0.05)
    with open(ours, "rb"), open(theirs, "wb"), Schedulers(("lab", "a/b")) as found:
        assert (found.rows, len(found.troubles)) == ([], 1), "a slash is no name"
        terminal.ok("hstart", "1")
        terminal.ok("hstart", "-n", "lab", "2")
        while not names(found):
            found.wait(ours)
        assert names(found) == ["lab"], "nobody asked for the other"
        terminal.ok("hstop", "-n", "lab")
        while names(found):
            found.wait(ours)


def test_what_has_trouble_is_not_asked_again_for_its_own_traces(
    terminal: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    class Counted(Client):
        def status(self) -> StatusReply:
            asked.append(self.name)
            return super().status()

    monkeypatch.setattr(schedulers, "Client", Counted)
    terminal.ok("hstart", "1")
    terminal.kill_broker()
    for file in (terminal.state / "default").glob("hsched.db*"):
        file.write_bytes(b"no store")
    ours, theirs = os.pipe()
    with open(ours, "rb"), open(theirs, "wb", buffering=0) as end, Schedulers(()) as found:
        assert "is damaged" in found.troubles[0]
        (terminal.state / "default/lock.new").touch()
        (terminal.state / "default/lock.new").rename(terminal.state / "default/lock.old")
        end.write(b"x")
        found.wait(ours)
        assert asked == ["default"]
        (terminal.state / "default/address").rename(terminal.state / "default/address.old")
        (terminal.state / "default/address.old").rename(terminal.state / "default/address")
        found.wait(ours)
        assert asked == ["default"] * 2, "somebody started it"
