"""What a job finds around it: environment, folder, limits, descriptors, session."""

from __future__ import annotations

import os
import resource
import signal
import sys

from hsched.native.plan import NO_LIMIT
from tests.shim.harness import Spawner

PYTHON = (sys.executable, "-I", "-S", "-c")


def python(shim: Spawner, code: str, **settings: object) -> str:
    """Run ``code`` as a job, and return what it prints."""
    shim.run(*PYTHON, code, **settings)
    assert shim.out("err") == b""
    return shim.out().decode()


def test_the_environment_is_exactly_what_was_asked(shim: Spawner) -> None:
    wanted = {b"A": b"1", b"EMPTY": b"", b"RAW": b"\xff\n =x", b"PATH": b"/usr/bin:/bin"}
    shim.run("cat", "/proc/self/environ", environment=wanted)
    found = shim.out().removesuffix(b"\0").split(b"\0")
    assert found == [name + b"=" + value for name, value in wanted.items()]


def test_an_empty_environment(shim: Spawner) -> None:
    shim.run("cat", "/proc/self/environ", environment={})
    assert shim.out() == b""


def test_the_working_folder(shim: Spawner) -> None:
    shim.run("pwd", "-P")
    assert shim.out() == bytes(shim.folder) + b"\n"


def test_limits(shim: Spawner) -> None:
    limits = [(resource.RLIMIT_NOFILE, 5, 64), (resource.RLIMIT_CORE, 0, NO_LIMIT)]
    shim.run("cat", "/proc/self/limits", limits=limits)
    found = {tuple(line.split()[-4:-1]) for line in shim.out().decode().splitlines()}
    assert ("files", "5", "64") in found
    assert ("size", "0", "unlimited") in found


def test_descriptors(shim: Spawner) -> None:
    code = "import os; d = os.listdir('/proc/self/fd'); print(*sorted(d, key=int))"
    stray = os.open("/", os.O_RDONLY)
    os.set_inheritable(stray, True)
    try:
        assert python(shim, code) == "0 1 2 3\n", "3 is the folder being listed"
    finally:
        os.close(stray)


def test_session_and_group_are_its_own(shim: Spawner) -> None:
    code = "import os; print(os.getpid(), os.getsid(0), os.getpgrp(), os.getsid(os.getppid()))"
    pid, session, group, session_of_shim = python(shim, code).split()
    assert pid == session == group != session_of_shim


def test_no_signal_is_blocked_or_ignored(shim: Spawner) -> None:
    before = signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    try:
        shim.run("grep", "^Sig", "/proc/self/status")
    finally:
        signal.signal(signal.SIGUSR1, before)
    masks = dict(line.split(":\t") for line in shim.out().decode().splitlines())
    libc_keeps = 0b11 << 31  # 32 and 33, which no program can set
    for name in ("SigBlk", "SigIgn", "SigPnd"):
        assert int(masks[name], 16) & ~libc_keeps == 0, name


def test_oom_score(shim: Spawner) -> None:
    shim.run("cat", "/proc/self/oom_score_adj", oom_score_adj=700)
    assert shim.out() == b"700\n"


def test_affinity(shim: Spawner) -> None:
    core = min(os.sched_getaffinity(0))
    code = "import os; print(os.sched_getaffinity(0))"
    assert python(shim, code, affinity=f"{core},{core}-{core}") == f"{{{core}}}\n"


def test_an_affinity_that_cannot_be_is_ignored(shim: Spawner) -> None:
    code = "import os; print(os.sched_getaffinity(0))"
    assert python(shim, code, affinity="1000-1001,x") == f"{os.sched_getaffinity(0)}\n"


def test_the_shim_is_named_in_ps(shim: Spawner) -> None:
    held = shim.start("sleep", "60")
    held.until_running()
    with open(f"/proc/{held.pid}/cmdline", "rb") as cmdline:
        assert cmdline.read().endswith(b"hsched-shim\x007\0")
    held.ask(signal.SIGKILL)
    held.wait()


def test_the_shim_has_a_session_of_its_own_and_only_its_files(shim: Spawner) -> None:
    held = shim.start("sleep", "60")
    held.until_running()
    assert os.getsid(held.pid) == held.pid
    assert {int(fd) for fd in os.listdir(f"/proc/{held.pid}/fd")} == {0, 1, 2, 4}
    held.ask(signal.SIGKILL)
    held.wait()
