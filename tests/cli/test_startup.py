"""What a command may import: its start-up is paid by every line of a script."""

from __future__ import annotations

import subprocess
import sys

import pytest

SLOW = (
    "asyncio",
    "dataclasses",
    "hsched.broker",
    "hsched.core.model",
    "importlib.metadata",
    "logging",
    "pathlib",
    "psutil",
    "rich",
    "signal",
    "sqlite3",
    "subprocess",
    "zmq",
)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("hsubmit", ["1", "ls"]),
        ("hjobs", []),
        ("hjobs", ["--json"]),
        ("hkill", ["7"]),
        ("hnslots", []),
        ("hhold", ["7"]),
        ("hrelease", ["7"]),
        ("hupdate", ["7", "--priority", "1"]),
        ("hsched", ["create", "echo ${run_dir}", "--", "--lr", "0.1"]),
        ("hsched", ["list"]),
        ("hsched", ["gpus"]),
    ],
)
def test_a_command_imports_nothing_slow(name: str, words: list[str]) -> None:
    code = f"""
import sys
before = set(sys.modules)
import hsched.client.connection as connection
def call(self, request, reply):
    values = dict(ids=("7",), jobs=(), resources=(), slots=(), roots={{}})
    return reply(**{{k: values[k] for k in reply._defaults if k in values}})
connection.Connection.call = call
from hsched.client import Client
Client.wait = lambda self, ids, timeout: True
import hsched.cli.common as common
common.leave = sys.exit
from hsched.cli.{name} import main
sys.argv[1:] = {words!r}
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
print(*(set(sys.modules) - before), file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    modules = set(done.stderr.split())
    assert "click" in modules, "it says what it has imported"
    assert [one for one in SLOW if one in modules] == []


def imported(*modules: str) -> set[str]:
    """Return what the interpreter has when these modules were imported."""
    code = f"import sys, {', '.join(modules)}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_hrun_forks_before_anything_slow_is_there() -> None:
    slow = set(SLOW) - {"signal"}
    assert not slow & imported("hsched.cli.hrun")
    talking = imported("hsched.cli.hrun", "hsched.client.foreground", "hsched.client.relay")
    assert not slow & talking
