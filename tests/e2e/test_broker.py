"""The broker: how it starts, that it lets go of its caller, and that it stands alone."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path

import zmq

from tests.e2e.shell import DEADLINE_S, Shell, is_alive


def test_hstart_keeps_no_stream_of_its_caller(shell: Shell) -> None:
    assert shell.sh('x=$(hstart 2); echo "$x"') == "started default scheduler with nslots = 2"
    shell.ok("hstop")
    assert "nslots = 2" in shell.sh("hstart 2 | cat")


def test_hsubmit_returns_while_the_job_runs(sched: Shell) -> None:
    assert sched.sh("id=$(hsubmit 1 sleep 1000); echo $id") == "1"
    assert sched.job("1")["state"] == "running"


def test_the_broker_is_detached(sched: Shell) -> None:
    pid = sched.broker_pid()
    status = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    assert status[1] == "1" or int(status[1]) != os.getpid(), "it is not our child"
    assert status[4] == "0", "it has no terminal"
    links = {os.readlink(f"/proc/{pid}/fd/{fd}") for fd in (0, 1)}
    assert links == {"/dev/null"}


def test_in_ps_the_processes_say_what_they_are(sched: Shell) -> None:
    job = sched.submit("1", "sleep", "1000")
    sched.until(lambda: sched.job(job)["state"] == "running", "the job runs")
    lines = sched.ok("ps", "-eo", "args")
    assert "hsched.broker default" in lines
    assert f"hsched-shim {job}" in lines


def test_schedulers_of_different_names_do_not_meddle(sched: Shell) -> None:
    sched.ok("hstart", "-n", "other", "1")
    assert sched.submit("1", "sleep", "1000") == "1"
    assert sched.submit("-n", "other", "1", "sleep", "1000") == "1"
    assert sched.ok("hnslots", "-n", "other", "free") == "0"
    assert sched.ok("hnslots", "free") == "5,2,32"
    sched.ok("hstop", "--force", "-n", "other")
    assert sched.job("1")["state"] == "running"


def test_of_two_hstarts_at_once_one_wins(shell: Shell) -> None:
    both = [
        subprocess.Popen(
            ["hstart", "3"], env=shell.env, cwd=shell.folder, text=True, stderr=subprocess.PIPE
        )
        for _ in range(2)
    ]
    said = [one.communicate(timeout=DEADLINE_S)[1] for one in both]
    assert sorted(one.returncode for one in both) == [0, 1]
    loser = said[0] or said[1]
    assert "already running" in loser
    assert "is the same" in loser


def test_ids_start_again_in_a_new_run(shell: Shell) -> None:
    for _ in range(2):
        shell.ok("hstart", "2")
        assert shell.submit("1", "true") == "1"
        shell.wait("1")
        shell.ok("hstop")


def test_hstop_refuses_while_jobs_are_queued(sched: Shell) -> None:
    sched.submit("1", "sleep", "1000")
    refused = sched.run("hstop")
    assert refused.returncode == 1
    assert "jobs are still queued" in refused.stderr
    pid = sched.broker_pid()
    sched.ok("hstop", "--force")
    assert not is_alive(pid)
    assert not sched.processes()


def test_hstart_in_the_foreground_serves_until_it_is_stopped(shell: Shell) -> None:
    notified = shell.home / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(notified))
        manager.settimeout(DEADLINE_S)
        env = {**shell.env, "NOTIFY_SOCKET": str(notified)}
        broker = subprocess.Popen(["hstart", "--foreground", "2"], env=env, cwd=shell.folder)
        assert manager.recv(100) == b"READY=1"
    assert shell.ok("hnslots") == "2"
    assert shell.broker_pid() == broker.pid
    shell.ok("hstop")
    assert broker.wait(DEADLINE_S) == 0


def test_rubbish_on_the_socket_does_no_harm(sched: Shell) -> None:
    endpoint = (sched.state / "default/address").read_text().split("\n")[0]
    with zmq.Context() as context, context.socket(zmq.DEALER) as client:
        client.linger = 0
        client.connect(endpoint)
        for frames in (
            [b""],
            [b"", b"", b""],
            [b"hsched/1 submit " + b"a" * 32],
            [b"hsched/1 submit " + b"a" * 32, b"\xff" * 1000],
            [b"hsched/1 submit " + b"b" * 32, b'{"jobs":7}'],
            [b"hsched/1 nonsense " + b"c" * 32, b"{}"],
            [b"hsched/9 jobs " + b"d" * 32, b"{}"],
            [b"x"] * 50,
        ):
            client.send_multipart(frames)
        answers: list[list[bytes]] = []
        while client.poll(2000 if len(answers) < 4 else 50):
            answers.append(client.recv_multipart())
    assert [head.split()[1] for head, _ in answers] == [b"error"] * 4
    with socket.socket(socket.AF_UNIX) as raw:
        raw.connect(endpoint.removeprefix("ipc://"))
        raw.sendall(b"\xff\x00 no greeting of ZeroMQ" * 10)
    assert sched.wait(sched.submit("1", "true"))["outcome"] == "succeeded"
