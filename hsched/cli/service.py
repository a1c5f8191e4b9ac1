"""``hsched service``: a scheduler as a systemd unit of the user."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys

import click

from hsched import paths
from hsched.cli import logout
from hsched.cli.common import Command, put, run, scheduler_option
from hsched.errors import HschedError, Refused, WrongUsage

#: The first line of a unit that is ours to replace and remove.
MARK = "# Written by `hsched service install`; `hsched service remove` takes it away."

_NAME = re.compile(r"[A-Za-z0-9_.-]+")
_PATIENCE_S = 90.0

_UNIT = """{mark}
[Unit]
Description=hsched, scheduler {name}
Documentation=man:hsched(7)

[Service]
Type=notify
ExecStart={command}
# Jobs outlive their broker: a restart loses none.  `hstop --force` ends them.
KillMode=process
# For `hstart --cgroup`.
Delegate=yes
Restart=on-failure
{environment}
[Install]
WantedBy=default.target
"""


@click.command(
    "hsched service",
    cls=Command,
    examples=(
        "hsched service install 6,2,32",
        "hsched service install auto -n lab",
        "hsched service remove",
    ),
)
@click.argument("action", type=click.Choice(["install", "remove"]), metavar="install|remove")
@click.argument("spec", required=False, metavar="[SPEC]")
@click.option("--print", "only_print", is_flag=True, help="Print the unit, and do nothing.")
@scheduler_option
def command(scheduler: str | None, action: str, spec: str | None, only_print: bool) -> None:
    """Let systemd start a scheduler, now and whenever you log in or the machine starts.

    `install` writes a unit of yours, with SPEC as for hstart, and starts it. `remove` ends the
    broker and takes the unit away; running jobs go on, and the next command brings the
    broker back.
    """
    place = paths.place(scheduler or paths.default_name())
    name = unit_name(place.name)
    if only_print:
        put(unit(place.name, _hstart(), spec).splitlines())
    elif action == "install":
        _install(place, name, unit(place.name, _hstart(), spec))
    elif spec is not None:
        raise WrongUsage("remove takes no SPEC; -n names the scheduler")
    else:
        _remove(name)


def unit(name: str, hstart: str, spec: str | None) -> str:
    """Return the unit of the scheduler ``name``."""
    words = [hstart, "--foreground", "--name", name, *([] if spec is None else [spec])]
    home = os.environ.get("HSCHED_HOME")
    environment = f"Environment={quoted(f'HSCHED_HOME={os.path.abspath(home)}')}\n" if home else ""
    return _UNIT.format(
        mark=MARK, name=name, command=" ".join(map(quoted, words)), environment=environment
    )


def quoted(word: str) -> str:
    """Return a word as systemd reads it back; see systemd.service(5)."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$")
    escaped = escaped.replace("%", "%%")
    return escaped if re.fullmatch(r"[\w@%+=:,./-]+", escaped) else f'"{escaped}"'


def unit_name(name: str) -> str:
    """Return what the unit of the scheduler ``name`` is called.

    Raises:
        WrongUsage: no unit can be called so.
    """
    if not _NAME.fullmatch(name):
        raise WrongUsage(f"scheduler {name}: a unit's name has letters, digits, `_`, `.` and `-`")
    return "hsched.service" if name == paths.DEFAULT_NAME else f"hsched-{name}.service"


def unit_path(name: str) -> str:
    """Return where the unit called ``name`` lies, for this user."""
    config = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    return os.path.join(config, "systemd", "user", name)


def _install(place: paths.Place, name: str, text: str) -> None:
    path = unit_path(name)
    _check_ours(path)
    if paths.is_locked(place):
        raise Refused(
            f"scheduler {place.name} runs already; end it with `hstop`, or `hstop --drain`, first"
        )
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    put([f"wrote {path}"])
    _systemctl("daemon-reload")
    _systemctl("enable", "--now", name)
    put([f"started {name}; `systemctl --user status {name}` tells how it is"])
    if not logout.lingers():
        click.echo(
            "hsched service: warning: it ends when you log out for the last time, and starts when "
            "you log in; `loginctl enable-linger` lets it run without you",
            err=True,
        )


def _remove(name: str) -> None:
    path = unit_path(name)
    if not os.path.exists(path):
        raise Refused(f"there is no {path}; -n names another scheduler")
    _check_ours(path)
    _systemctl("disable", "--now", name)
    os.unlink(path)
    put([f"removed {path}"])
    _systemctl("daemon-reload")


def _check_ours(path: str) -> None:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            is_ours = file.readline().rstrip("\n") == MARK
    except FileNotFoundError:
        return
    if not is_ours:
        raise Refused(f"{path} was not written by `hsched service install`; move it away first")


def _systemctl(*words: str) -> None:
    """Tell the user's service manager something.

    Raises:
        HschedError: there is none, or it could not; the text has what it said.
    """
    line = " ".join(("systemctl", "--user", *words))
    try:
        done = subprocess.run(
            ["systemctl", "--user", *words],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_PATIENCE_S,
            check=False,
        )
    except FileNotFoundError:
        raise HschedError(f"`{line}`: there is no systemd here; use `hstart`") from None
    except subprocess.TimeoutExpired:
        raise HschedError(f"`{line}` did not end within {_PATIENCE_S:g} s") from None
    if done.returncode:
        said = " ".join(done.stderr.split()) or f"it ended with {done.returncode}"
        raise HschedError(f"`{line}` failed: {said}")


def _hstart() -> str:
    """Return the path of the hstart that belongs to us."""
    ours = os.path.join(os.path.dirname(sys.executable), "hstart")
    found = ours if os.path.exists(ours) else shutil.which("hstart")
    if found is None:
        raise HschedError("hstart is not to be found; is hsched installed?")
    return found


def main() -> None:
    """Be the program."""
    run(command)
