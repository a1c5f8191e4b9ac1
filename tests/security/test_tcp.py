"""Over TCP: never in clear, and for nobody without a key that is known."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
import zmq
from zmq.utils.monitor import parse_monitor_message

from hsched import network
from hsched.errors import NotPermitted, WrongUsage
from hsched.network import Keys, Tcp
from hsched.wire.frames import PROTOCOL_VERSION, Header
from tests.e2e.shell import Shell

WAIT = "while ! test -e go; do sleep 0.02; done"


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture
def remote(shell: Shell) -> Iterator[Shell]:
    """A terminal with a scheduler at a TCP address of loopback."""
    shell.env["HSCHED_PORT"] = str(free_port())
    shell.ok("hstart", "cores=2")
    yield shell
    for name in ("HSCHED_HOST", "HSCHED_PORT"):
        shell.env.pop(name, None)


def key_path(shell: Shell, name: str = "loopback.keys") -> Path:
    return shell.state.parent / name


def elsewhere(shell: Shell, keys: Keys | None) -> dict[str, str]:
    """Return an environment with a home of its own, and with these keys there."""
    home = shell.home / "elsewhere"
    if keys is not None:
        network.write(str(home / "loopback.keys"), keys, replace=True)
    return {"HSCHED_HOME": str(home)}


def test_the_plain_use_of_the_page_works_with_keys_that_make_themselves(shell: Shell) -> None:
    shell.env |= {"HSCHED_HOST": "localhost", "HSCHED_PORT": str(free_port())}
    shell.ok("hsched", "create", f"echo hi; {WAIT}", "-n", "t")
    assert stat.S_IMODE(key_path(shell).stat().st_mode) == 0o600
    local = {"HSCHED_HOST": "", "HSCHED_PORT": ""}
    assert "t " in shell.ok("hjobs", env=local), "the socket file is there as well"
    shell.kill_broker()
    (shell.folder / "go").touch()
    shell.ok("hwait", "t")
    assert shell.ok("hlog", "t") == "hi"
    assert shell.ok("hsched", "test").startswith("backend is running")
    shell.ok("hsched", "exit")
    gone = shell.run("hjobs")
    assert (gone.returncode, "bad state or not running" in gone.stderr) == (1, True)


def test_waiting_over_tcp_outlives_a_kill_of_the_broker(remote: Shell) -> None:
    remote.submit("1", WAIT)
    code = "import hsched; c = hsched.Client(); print(c.wait(['1'], timeout=60))"
    line = f'python -c "{code}" >told & hjobs >seen; kill -9 {remote.broker_pid()}; touch go; wait'
    remote.sh(line)
    assert remote.written("told") == "True\n"


@pytest.mark.parametrize("theirs", ["no keys", "other client", "other server"])
def test_who_has_not_the_key_is_refused(remote: Shell, theirs: str) -> None:
    keys = network.parsed(json.loads(key_path(remote).read_text()))
    if theirs == "other client":
        env = elsewhere(remote, keys._replace(clients={"owner": network.new_pair()}))
    elif theirs == "other server":
        env = elsewhere(remote, keys._replace(server=network.new_pair()))
    else:
        env = elsewhere(remote, None)
    refused = remote.run("hsubmit", "1", "true", env=env)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "does not take our key" in refused.stderr
    assert remote.ok("hsubmit", "1", "true") == "1", "and nothing was queued for it"


def test_nobody_is_heard_in_clear(remote: Shell) -> None:
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    with context, context.socket(zmq.DEALER) as dealer:
        dealer.set(zmq.LINGER, 0)
        with dealer.get_monitor_socket() as monitor:
            dealer.connect(f"tcp://127.0.0.1:{remote.env['HSCHED_PORT']}")
            header = Header(PROTOCOL_VERSION, "status", "0" * 32).encode()
            with contextlib.suppress(zmq.Again):  # the broker may have hung up by now
                dealer.send_multipart((header, b"{}"), zmq.NOBLOCK)
            hung_up = zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
            seen: list[int] = []
            while not seen or not seen[-1] & hung_up:
                assert monitor.poll(60_000), f"the broker has not hung up, but {seen}"
                seen.append(parse_monitor_message(monitor.recv_multipart())["event"])
            assert not dealer.poll(0), "no answer"
            assert remote.ok("hstatus").count("default") == 1
            dealer.disable_monitor()


def test_other_addresses_need_keys_that_somebody_made(shell: Shell) -> None:
    env = {"HSCHED_HOST": "0.0.0.0", "HSCHED_PORT": str(free_port())}
    for words in (["hstart", "1"], ["hjobs"]):
        refused = shell.run(*words, env=env)
        assert refused.returncode == 1
        assert "make them with `hsched keys`" in refused.stderr
    shell.env |= env
    made = shell.ok("hsched", "keys").splitlines()
    assert made[0].startswith("keys of 1 clients in ")
    shell.ok("hstart", "1")
    bundle = shell.ok("hsched", "keys", "laptop")
    laptop = {"HSCHED_HOME": str(shell.home / "laptop")}
    assert shell.run("hjobs", env=laptop).returncode == 1
    shell.ok("hsched", "keys", "--install", "-", env=laptop, input=bundle)
    assert shell.ok("hsubmit", "1", "true", env=laptop) == "1"
    kept = json.loads((shell.home / "laptop" / "network.keys").read_text())
    assert kept["server"]["secret"] == "", "the scheduler's secret stays with it"
    more = shell.run("hsched", "keys", "tablet", env=laptop)
    assert "only the scheduler's own makes more" in more.stderr
    again = shell.run("hsched", "keys", "--install", "-", env=laptop, input=bundle)
    assert "there are keys already" in again.stderr
    shell.ok("hsched", "keys", "--remove", "laptop")
    assert "does not take our key" in shell.run("hjobs", env=laptop).stderr
    shell.ok("hstop", "--force")


def test_keys_that_others_may_read_are_not_used(remote: Shell) -> None:
    key_path(remote).chmod(0o640)
    refused = remote.run("hjobs")
    assert refused.returncode == 1
    assert "chmod 600" in refused.stderr


def test_a_scheduler_that_does_not_listen_there_is_told_at_once(shell: Shell) -> None:
    shell.ok("hstart", "1")
    told = shell.run("hjobs", env={"HSCHED_PORT": str(free_port())})
    assert told.returncode == 1
    assert "does not listen at 127.0.0.1:" in told.stderr


def test_an_address_that_is_taken_is_told(shell: Shell) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        refused = shell.run("hstart", "1", env={"HSCHED_PORT": str(taken.getsockname()[1])})
    assert refused.returncode == 1
    assert "cannot listen at 127.0.0.1:" in refused.stderr


@pytest.mark.parametrize(
    ("host", "port", "found"),
    [
        ("", "5000", Tcp("127.0.0.1", 5000)),
        ("localhost", "", Tcp("127.0.0.1", network.DEFAULT_PORT)),
        ("[::1]", "1", Tcp("::1", 1)),
        ("box.lan", "65535", Tcp("box.lan", 65535)),
    ],
)
def test_addresses(host: str, port: str, found: Tcp) -> None:
    assert network.address({"HSCHED_HOST": host, "HSCHED_PORT": port}) == found
    assert found.is_loopback == (host != "box.lan")


@pytest.mark.parametrize(
    ("host", "port"), [("", "0"), ("", "65536"), ("", "http"), ("a b", "1"), ("tcp://x", "1")]
)
def test_what_is_no_address_is_told(host: str, port: str) -> None:
    with pytest.raises(WrongUsage):
        network.address({"HSCHED_HOST": host, "HSCHED_PORT": port})


def test_keys_are_made_once_by_many_and_never_read_from_others(tmp_path: Path) -> None:
    path = str(tmp_path / "k")
    first = network.make(path)
    assert network.make(path) == first
    assert os.listdir(tmp_path) == ["k"]
    os.chmod(path, 0o604)
    with pytest.raises(NotPermitted):
        network.read(path)
