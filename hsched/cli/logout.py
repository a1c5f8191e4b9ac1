"""Whether logging out would end what is started here, and what to do about it.

systemd-logind ends a session's processes where KillUserProcesses is set, and all that the
user's own service manager has started (a desktop's terminals, too) where the user does
not linger.  Elsewhere processes outlive their session.
"""

from __future__ import annotations

import os
import pwd
import re
import subprocess

CGROUP = "/proc/self/cgroup"
LINGERING = "/var/lib/systemd/linger"
_SESSION = re.compile(r"/session-[^/]+\.scope")
_MANAGER = re.compile(r"/user@\d+\.service/")
_PATIENCE_S = 2.0


def danger() -> str:
    """Return what a logout would do and what helps, in one sentence; empty for nothing."""
    group = _cgroup()
    if _MANAGER.search(group) and not lingers():
        return (
            "logging out for the last time ends this scheduler and its jobs, because you do not "
            "linger; `loginctl enable-linger` lets them go on"
        )
    if _SESSION.search(group) and _is_killed():
        return (
            "logging out ends this scheduler and its jobs, because logind has "
            "KillUserProcesses=yes; `loginctl enable-linger` and `hsched service install` let "
            "them go on"
        )
    return ""


def lingers() -> bool:
    """Return whether the user's services go on after the logout."""
    return os.path.exists(os.path.join(LINGERING, user()))


def user() -> str:
    """Return the name of this user."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def _cgroup() -> str:
    try:
        with open(CGROUP, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def _is_killed() -> bool:
    """Return whether logind ends the processes of this user's sessions."""
    names = ("KillUserProcesses", "KillOnlyUsers", "KillExcludeUsers")
    try:
        said = subprocess.run(
            ["loginctl", "show-user", *(f"--property={name}" for name in names)],
            capture_output=True,
            text=True,
            timeout=_PATIENCE_S,
            check=False,
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return False
    found = dict(line.split("=", 1) for line in said.splitlines() if "=" in line)
    only, never = found.get(names[1], "").split(), found.get(names[2], "").split()
    return found.get(names[0]) == "yes" and user() not in never and (not only or user() in only)
