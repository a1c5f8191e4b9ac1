"""The tree: all that descends from this process.

A reading of ``/proc`` is not one moment.  Whoever must have everything asks
again until there is nothing new, and signals whole process groups, which the
kernel does at one moment; a group that is not the shim's own belongs to the
tree alone.
"""

from __future__ import annotations

import os
import signal

from .files import read_head

ROUNDS = 200


def stat_fields(pid: int) -> list[bytes] | None:
    """Return the fields of ``/proc/PID/stat`` from the third on: state, parent, group..."""
    text = read_head(b"/proc/%d/stat" % pid)
    return text[text.rindex(b")") + 2 :].split() if text else None


def tree() -> dict[int, int]:
    """Return pid and process group of all that descends from this process."""
    seen: dict[int, tuple[int, int]] = {}
    for name in os.listdir(b"/proc"):
        fields = stat_fields(int(name)) if name.isdigit() else None
        if fields:
            seen[int(name)] = (int(fields[1]), int(fields[2]))
    ours: dict[int, int] = {}
    known, shim = -1, os.getpid()
    while known != len(ours):  # parents mostly have the smaller pid: one pass, or a few
        known = len(ours)
        ours.update(
            (pid, group)
            for pid, (parent, group) in seen.items()
            if parent == shim or parent in ours
        )
    return ours


def send(target: int, number: int) -> None:
    """Send a signal to a process or, negative, a group, that may have gone meanwhile."""
    try:
        os.kill(target, number)
    except OSError:
        return


def tree_signal(*numbers: int) -> None:
    """Send one signal after the other, once to each process that a reading finds."""
    found = tree()
    for number in numbers:
        for pid in found:
            send(pid, number)


def tree_freeze(first: int) -> None:
    """Stop the whole tree, so that nothing in it can fork.

    ``first`` is the first process, or 0 once it has been reaped.  Most jobs are
    one group, its own: so a bomb is stopped before it can keep the shim from looking.
    """
    if first > 0:
        send(-first, signal.SIGSTOP)
    strike_all(signal.SIGSTOP)


def tree_terminate(first: int) -> None:
    """TERM to all of it at one moment: what it starts in answer, to save its work, gets none."""
    tree_freeze(first)
    tree_signal(signal.SIGTERM, signal.SIGCONT)


def tree_terminate_stopped() -> None:
    """TERM to what is stopped.

    A process that was being forked while its tree was frozen is born stopped, and was not
    there to be told.  Who stopped himself after TERM is told once more.
    """
    for pid in tree():
        fields = stat_fields(pid)
        if fields and fields[0] == b"T":
            send(pid, signal.SIGTERM)
            send(pid, signal.SIGCONT)


def tree_kill(first: int) -> None:
    """Kill the whole tree, as far as it can be found now."""
    tree_freeze(first)
    strike_all(signal.SIGKILL)


def strike_all(number: int) -> None:
    """Signal all processes and their groups, and again until nothing new appears."""
    before: dict[int, int] = {}
    for _ in range(ROUNDS):
        now = tree()
        fresh = now.keys() - before.keys()
        for group in {now[pid] for pid in fresh} - {os.getpgrp(), 0, 1}:
            send(-group, number)
        for pid in fresh:
            send(pid, number)
        if not fresh:
            break
        before = now
