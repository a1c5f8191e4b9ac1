"""Many clients at once, and clients that misbehave: the others notice nothing."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest
import zmq

from hsched.wire.frames import MAX_MESSAGE
from tests.e2e.shell import DEADLINE_S, Shell

SUBMITTERS, EACH = 50, 200

SUBMIT_MANY = f"""
import hsched
from hsched.wire.submit import JobSpec
with hsched.Client(timeout=120) as client:
    for _ in range({EACH}):
        print(client.submit(JobSpec(slots="4", argv=("true",))).id)
"""

#: On a busy machine a client can ask again before the broker has looked up from its answer.
ALWAYS_ASKED = """
import sys
from hsched.broker.__main__ import main
from hsched.broker.broker import Broker
Broker._may_have_requests = property(lambda _: True, lambda _, value: None)
sys.argv = ["hsched.broker", "default", "--spec", "1", "--foreground"]
main()
"""


def test_of_ten_thousand_jobs_from_fifty_processes_none_is_lost(shell: Shell) -> None:
    shell.ok("hstart", "4")
    blocker = shell.submit("4", "sleep", "1000")
    submitters = [
        subprocess.Popen(
            [sys.executable, "-c", SUBMIT_MANY],
            env=shell.env,
            cwd=shell.folder,
            text=True,
            stdout=subprocess.PIPE,
        )
        for _ in range(SUBMITTERS)
    ]
    said = [one.communicate(timeout=4 * DEADLINE_S)[0].split() for one in submitters]
    assert [one.returncode for one in submitters] == [0] * SUBMITTERS
    ids = sorted(int(word) for words in said for word in words)
    assert ids == list(range(int(blocker) + 1, int(blocker) + 1 + SUBMITTERS * EACH))
    assert shell.ok("hstatus", "-n", "default").splitlines()[-1].split()[-1] == str(len(ids))


@pytest.mark.parametrize("message", [b"", b"\xff" * 5, b"\xff\x00\x00\x00\x00\x00\x00\x00\x01\x7f"])
def test_a_client_that_says_nothing_or_half_a_message_holds_nobody_up(
    sched: Shell, message: bytes
) -> None:
    path = (sched.state / "default/address").read_text().split("\n")[0].removeprefix("ipc://")
    with socket.socket(socket.AF_UNIX) as silent:
        silent.connect(path)
        silent.sendall(message)
        assert sched.wait(sched.submit("1", "true"))["outcome"] == "succeeded"


def test_a_client_that_sends_too_much_is_cut_off(sched: Shell) -> None:
    endpoint = (sched.state / "default/address").read_text().split("\n")[0]
    with zmq.Context() as context, context.socket(zmq.DEALER) as greedy:
        greedy.linger = 0
        greedy.connect(endpoint)
        header = b"hsched/1 submit " + b"a" * 32
        greedy.send_multipart([header, bytes(MAX_MESSAGE + (36 << 20))])
        assert sched.wait(sched.submit("1", "true"))["outcome"] == "succeeded"
    status = Path(f"/proc/{sched.broker_pid()}/status").read_text().splitlines()
    peak_kib = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    assert peak_kib < MAX_MESSAGE >> 10, "the broker took all of it in"


def test_the_ends_of_jobs_are_seen_while_clients_never_cease_to_ask(shell: Shell) -> None:
    shell.ok("hstart", "1")
    shell.ok("hstop")
    broker = subprocess.Popen([sys.executable, "-c", ALWAYS_ASKED], env=shell.env, cwd=shell.folder)
    try:
        shell.until(lambda: shell.run("hnslots").returncode == 0, "the broker answers")
        assert shell.wait(shell.submit("1", "true"))["outcome"] == "succeeded"
    finally:
        broker.terminate()
        broker.wait(DEADLINE_S)


def test_forty_commands_at_once_are_all_answered(sched: Shell) -> None:
    line = "for i in $(seq 40); do hsubmit 0 true & done; wait"
    ids = sorted(int(word) for word in sched.sh(line, timeout=4 * DEADLINE_S).split())
    assert ids == list(range(1, 41))
