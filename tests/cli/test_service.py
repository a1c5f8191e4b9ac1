"""hsched service and hsched doctor, and what hstart says of logging out."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from hsched.cli import logout, service
from hsched.cli.doctor import command as doctor
from tests.e2e.conftest import shell
from tests.e2e.shell import BIN, DEADLINE_S, Shell, is_alive

__all__ = ["shell"]

ROOT = Path(__file__).parents[2]

SESSION = "0::/user.slice/user-1000.slice/session-3.scope\n"
DESKTOP = "0::/user.slice/user-1000.slice/user@1000.service/app.slice/terminal.scope\n"
SERVER = "0::/system.slice/cron.service\n"


@pytest.fixture
def programs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder at the head of PATH, for programs that are made up."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder


def program(path: Path, *lines: str) -> None:
    path.write_text("\n".join(("#!/bin/sh", *lines, "")))
    path.chmod(0o755)


@pytest.mark.parametrize(
    ("cgroup", "logind", "linger", "said"),
    [
        (SESSION, "KillUserProcesses=no", False, ""),
        (SESSION, "KillUserProcesses=yes", False, "KillUserProcesses=yes"),
        (SESSION, "KillUserProcesses=yes", True, "hsched service install"),
        (SESSION, "KillUserProcesses=yes\nKillExcludeUsers=root ME", False, ""),
        (SESSION, "KillUserProcesses=yes\nKillOnlyUsers=somebody", False, ""),
        (DESKTOP, "KillUserProcesses=no", False, "`loginctl enable-linger`"),
        (DESKTOP, "KillUserProcesses=no", True, ""),
        (SERVER, "KillUserProcesses=yes", False, ""),
    ],
)
def test_whether_a_logout_ends_what_is_started(  # noqa: PLR0913 # cases and fixtures
    cgroup: str,
    logind: str,
    linger: bool,
    said: str,
    programs: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "cgroup").write_text(cgroup)
    (tmp_path / "linger").mkdir()
    if linger:
        (tmp_path / "linger" / logout.user()).touch()
    told = logind.replace("ME", logout.user())
    program(programs / "loginctl", f"test $1 = show-user && printf '%s\\n' '{told}'")
    monkeypatch.setattr(logout, "CGROUP", str(tmp_path / "cgroup"))
    monkeypatch.setattr(logout, "LINGERING", str(tmp_path / "linger"))
    found = logout.danger()
    assert said in found
    assert bool(said) == bool(found)


def test_without_logind_nothing_is_warned_of(
    programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cgroup").write_text(SESSION)
    monkeypatch.setattr(logout, "CGROUP", str(tmp_path / "cgroup"))
    program(programs / "loginctl", "echo 'no bus' >&2", "exit 1")
    assert logout.danger() == ""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert logout.danger() == ""


def test_the_unit_in_the_package_is_what_the_command_writes() -> None:
    shipped = (ROOT / "systemd/hsched.service").read_text()
    assert (
        service.unit("default", "HSTART", None).replace("HSTART", "%h/.local/bin/hstart") == shipped
    )
    lines = shipped.splitlines()
    assert {"Type=notify", "KillMode=process", "Delegate=yes"} <= set(lines)


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
def test_systemd_finds_no_fault_with_units(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HSCHED_HOME", '/tmp/my $HOME/50% "off"')
    odd = tmp_path / "my bin %s"
    odd.mkdir()
    (odd / "hstart").symlink_to(BIN / "hstart")
    path = tmp_path / "hsched-lab.service"
    path.write_text(service.unit("lab", str(odd / "hstart"), "cores=6,mem=32G"))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--user", "--man=no", path],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)},
        timeout=DEADLINE_S,
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.fixture
def systemd(shell: Shell) -> Path:
    """A systemctl that starts and stops as the real one would, and notes what it is told."""
    folder = shell.home / "bin"
    folder.mkdir()
    shell.env["PATH"] = f"{folder}:{shell.env['PATH']}"
    program(
        folder / "systemctl",
        f'echo "$*" >>{shell.home}/told',
        'unit=$HOME/.config/systemd/user/"$4"',
        'case "$2 $3" in',
        '"enable --now") eval "exec setsid $(sed -n s/^ExecStart=//p "$unit")" >/dev/null 2>&1 &',
        f"   echo $! >{shell.home}/pid",
        "   until hnslots >/dev/null 2>&1; do sleep 0.02; done ;;",
        f'"disable --now") kill $(cat {shell.home}/pid) ;;',
        "esac",
    )
    return shell.home / "told"


def test_a_service_is_installed_runs_jobs_and_is_removed(shell: Shell, systemd: Path) -> None:
    said = shell.run("hsched", "service", "install", "3,1", check=True)
    unit = shell.home / ".config/systemd/user/hsched.service"
    assert said.stdout.startswith(f"wrote {unit}\nstarted hsched.service; ")
    assert f"ExecStart={BIN}/hstart --foreground --name default 3,1\n" in unit.read_text()
    assert systemd.read_text().split("\n") == [
        "--user daemon-reload",
        "--user enable --now hsched.service",
        "",
    ]
    assert shell.ok("hnslots") == "3,1"
    job = shell.submit("1", "sleep", "1000")
    again = shell.run("hsched", "service", "install")
    assert (again.returncode, again.stderr.split(";")[0]) == (
        1,
        "hsched service: scheduler default runs already",
    )
    broker = shell.broker_pid()
    assert shell.ok("hsched", "service", "remove") == f"removed {unit}"
    shell.until(lambda: not is_alive(broker), "the broker is gone")
    assert not unit.exists()
    assert "disable --now hsched.service" in systemd.read_text()
    assert shell.job(job)["state"] == "running", "the job has gone on, and the broker is back"


def test_what_cannot_be_installed_is_told(shell: Shell) -> None:
    unit = shell.home / ".config/systemd/user/hsched-lab.service"
    gone = shell.run("hsched", "service", "remove", "-n", "lab")
    assert (gone.returncode, gone.stderr) == (
        1,
        f"hsched service: there is no {unit}; -n names another scheduler\n",
    )
    unit.parent.mkdir(parents=True)
    unit.write_text("[Service]\n")
    for action in ("install", "remove"):
        theirs = shell.run("hsched", "service", action, "-n", "lab")
        assert theirs.returncode == 1
        assert "was not written by `hsched service install`" in theirs.stderr
    assert unit.read_text() == "[Service]\n"
    odd = shell.run("hsched", "service", "install", "-n", "my lab")
    assert (odd.returncode, odd.stderr[:31]) == (2, "hsched service: scheduler my la")
    lonely = shell.run(BIN / "hsched", "service", "install", env={"PATH": "/nonexistent"})
    assert lonely.returncode == 1
    assert "there is no systemd here; use `hstart`" in lonely.stderr
    assert "--name lab 6,2" in shell.ok(
        "hsched", "service", "install", "6,2", "-n", "lab", "--print"
    )


def test_the_doctor_tells_the_facts_of_a_live_scheduler(shell: Shell) -> None:
    shell.ok("hstart", "2")
    shell.submit("1", "sleep", "1000")
    pid = shell.broker_pid()
    facts = json.loads(shell.run("hsched", "doctor", "--json").stdout)
    assert facts["folder"] == str(shell.state / "default")
    assert facts["lock"] == f"held, by pid {pid}"
    assert f"pid {pid}" in facts["broker"]
    assert "1 running" in facts["broker"]
    assert facts["pidfd"] == "yes"
    assert facts["fsync_ms"] > 0
    assert "MiB free" in facts["disk"]
    before = sorted(path.name for path in (shell.state / "default").iterdir())
    shell.kill_broker()
    found = shell.run("hsched", "doctor")
    assert found.returncode == 1
    assert "! the broker of default was killed; the next command brings it back" in found.stdout
    assert not is_alive(pid)
    assert sorted(path.name for path in (shell.state / "default").iterdir()) == before


def test_the_doctor_names_what_is_in_the_way(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HSCHED_HOME", str(tmp_path))
    monkeypatch.setenv("HSCHED_SHIM", "python")
    monkeypatch.setattr(logout, "danger", lambda: "logging out ends it")
    folder = tmp_path / os.uname().nodename / "default"
    folder.mkdir(parents=True)
    folder.chmod(0o777)
    result = CliRunner().invoke(doctor, [])
    assert result.exit_code == 1
    troubles = [line for line in result.stdout.splitlines() if line.startswith("! ")]
    assert troubles == [
        "! the compiled shim does not run here: jobs start slower, and need more memory",
        "! logging out ends it",
        f"! folder: {folder} may be written by others; chmod 700 it, or set HSCHED_HOME",
    ]
