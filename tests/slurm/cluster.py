"""A real Slurm on this machine alone: munged, slurmctld and slurmd, without systemd.

Everything lies in one folder and listens on loopback; no cgroup is touched.  The node
claims more than the machine has (``config_overrides``), so that six cores, two GPUs and
32 GiB can be asked for anywhere.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tests.e2e.shell import DEADLINE_S, is_alive

#: What must be installed for it.
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol", "scancel", "sinfo")

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

_CONF = """\
ClusterName=hsched
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ctld_port}
SlurmdPort={slurmd_port}
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SlurmdParameters=config_overrides
ReturnToService=2
MinJobAge={min_job_age}
KillWait=2
MaxArraySize=200
MessageTimeout=5
Licenses=matlab:3
GresTypes=gpu
SchedulerType=sched/backfill
SchedulerParameters=sched_min_interval=0,batch_sched_delay=0,sched_interval=1,bf_interval=1
NodeName={host} NodeAddr=127.0.0.1 CPUs=8 RealMemory=65536 Gres=gpu:2 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES DefMemPerCPU=100 MaxTime=INFINITE State=UP
PartitionName=short Nodes=ALL DefMemPerCPU=100 MaxTime=1 State=UP
PartitionName=closed Nodes=ALL DefMemPerCPU=100 State=DOWN
"""


class Cluster:
    """One node under one controller; :meth:`close` leaves nothing."""

    def __init__(self, min_job_age: int = 300) -> None:
        """Start the daemons, and wait until the node is idle."""
        self.folder = Path(tempfile.mkdtemp(prefix="slurm", dir="/tmp"))
        self.env = {"PATH": _PATH, "SLURM_CONF": str(self.folder / "slurm.conf")}
        self._daemons: dict[str, subprocess.Popen[bytes]] = {}
        try:
            self._write_files(min_job_age)
            self._start_munge()
            self.start_controller()
            self._start("slurmd", "-D", "-f", self.env["SLURM_CONF"])
            self.until(lambda: self.run("sinfo", "-h", "-o", "%T").stdout.split()[:1] == ["idle"])
        except BaseException:
            self.close()
            raise

    def run(self, *argv: str) -> subprocess.CompletedProcess[str]:
        """Run a command of Slurm."""
        environment = {**os.environ, **self.env}
        return subprocess.run(
            argv, env=environment, capture_output=True, text=True, check=False, timeout=DEADLINE_S
        )

    def jobs(self) -> list[list[str]]:
        """Return id, state, reason and comment of all jobs that Slurm remembers."""
        shown = self.run("squeue", "-r", "-h", "--states=all", "-o", "%i|%T|%r|%k").stdout
        return [line.split("|", 3) for line in shown.splitlines()]

    def start_controller(self, *options: str) -> None:
        """Start the controller, and wait until it answers; ``-c`` makes it forget every job."""
        self._start("slurmctld", "-D", "-f", self.env["SLURM_CONF"], *options)
        self.until(lambda: self.run("scontrol", "ping").stdout.count("UP") > 0)

    def stop_controller(self) -> None:
        """Take the controller away; jobs go on."""
        self._stop("slurmctld")

    def until(self, holds: Callable[[], object], what: str = "the cluster is up") -> None:
        """Wait until something holds; fail with the logs where it does not."""
        deadline = time.monotonic() + DEADLINE_S
        while not holds():
            assert time.monotonic() < deadline, f"not so: {what}\n{self._logs()}"
            time.sleep(0.02)

    def close(self) -> None:
        """End every job and daemon, and remove the folder."""
        if "slurmctld" in self._daemons:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.run("scancel", "--user=root")
        for name in ("slurmctld", "slurmd", "munged"):
            self._stop(name)
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)

    def processes(self) -> list[int]:
        """Return the processes that belong to this cluster: they name its folder."""
        return [pid for pid in _all_pids() if _mentions(pid, os.fsencode(self.folder))]

    def _start(self, name: str, *arguments: str) -> None:
        with open(self.folder / f"{name}.out", "ab") as out:
            self._daemons[name] = subprocess.Popen(
                # A daemon goes with the tests, also where they are killed.
                ["setpriv", "--pdeathsig", "KILL", name, *arguments],
                env={**os.environ, **self.env},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                cwd=self.folder,
                start_new_session=True,
            )

    def _stop(self, name: str) -> None:
        daemon = self._daemons.pop(name, None)
        if daemon is None:
            return
        daemon.terminate()
        try:
            daemon.wait(15)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()

    def _start_munge(self) -> None:
        folder = self.folder
        (folder / "munge.key").write_bytes(os.urandom(128))
        (folder / "munge.key").chmod(0o600)
        files = {"key-file": "key", "socket": "socket", "pid-file": "pid", "log-file": "log"}
        options = [f"--{option}={folder}/munge.{end}" for option, end in files.items()]
        self._start(
            "munged", "--foreground", "--force", f"--seed-file={folder}/munge.seed", *options
        )
        self.until((folder / "munge.socket").exists, "munged listens")

    def _write_files(self, min_job_age: int) -> None:
        folder = self.folder
        folder.chmod(0o755)
        for name in ("state", "spool"):
            (folder / name).mkdir()
        devices = [folder / f"nvidia{number}" for number in (0, 1)]
        for device in devices:
            os.mknod(device, stat.S_IFCHR | 0o666, os.makedev(1, 3))
        ctld_port, slurmd_port = _free_ports(2)
        (folder / "slurm.conf").write_text(
            _CONF.format(
                host=socket.gethostname().split(".")[0],
                folder=folder,
                ctld_port=ctld_port,
                slurmd_port=slurmd_port,
                min_job_age=min_job_age,
            )
        )
        (folder / "gres.conf").write_text(
            "".join(f"Name=gpu File={device}\n" for device in devices)
        )
        (folder / "cgroup.conf").write_text("CgroupAutomount=no\n")

    def _logs(self) -> str:
        logs = [*self.folder.glob("*.log"), *self.folder.glob("*.out")]
        return "\n".join(f"== {one}\n{one.read_text(errors='replace')[-3000:]}" for one in logs)


def missing() -> Sequence[str]:
    """Return what is not here of that which a cluster needs."""
    found = [name for name in PROGRAMS if shutil.which(name, path=_PATH) is None]
    return found if os.geteuid() == 0 else [*found, "root, to make device nodes"]


@contextlib.contextmanager
def cluster(min_job_age: int = 300) -> Iterator[Cluster]:
    """Run a cluster."""
    one = Cluster(min_job_age)
    try:
        yield one
    finally:
        one.close()


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def _all_pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _mentions(pid: int, mark: bytes) -> bool:
    if pid == os.getpid() or not is_alive(pid):
        return False
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes()
        return mark in words or mark in Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return False
