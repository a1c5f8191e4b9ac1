"""The import rules of the design, checked: who may import whom.

errors, paths  <-  core  <-  wire  <-  client  <-  cli, tasks, experiment, simulate, timeline
                                  <-  broker  <-  cli/hstart only
errors  <-  devices  <-  broker, cli
cli  <-  warm
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "hsched"

_CLIENTS = {"hsched.core", "hsched.wire", "hsched.client", "hsched.paths", "hsched.network"}

#: Layer -> what it may import besides itself, hsched.errors and the standard library.
#: A layer that does not exist yet may stand here; one that is not here may import nothing.
ALLOWED: dict[str, set[str]] = {
    "errors": set(),
    "paths": set(),
    "network": {"hsched.paths", "zmq"},  # addresses and keys; ZeroMQ makes these
    "core": set(),
    "wire": {"hsched.core", "typing_extensions"},  # the latter for type checkers alone
    "client": {"hsched.core", "hsched.wire", "hsched.paths", "hsched.network", "zmq"},
    # What is said to Slurm; the broker says it, and launchers of experiments may.
    "slurm": {"hsched.core"},
    "broker": {"hsched.core", "hsched.wire", "hsched.paths", "hsched.native", "hsched.devices"}
    | {"hsched.network", "hsched.slurm", "zmq", "psutil"},
    "devices": {"psutil", "pynvml"},
    "cli": _CLIENTS
    | {"hsched.tasks", "hsched.experiment", "hsched.simulate", "hsched.devices", "hsched.timeline"}
    | {"click", "rich", "yaml"},
    "tasks": _CLIENTS | {"cloudpickle", "joblib"},
    "simulate": _CLIENTS,
    "timeline": _CLIENTS | {"hsched.simulate"},
    # It draws the board that `hsched top` keeps.
    "web": _CLIENTS | {"hsched.cli", "hsched.timeline", "aiohttp"},
    # annotationlib is of the standard library of Python 3.14.
    "experiment": _CLIENTS | {"hsched.slurm", "rich", "yaml", "typing_extensions", "annotationlib"},
    # It imports whatever the commands do, once for all of them.
    "warm": {"hsched.cli", "hsched.client", "hsched.wire", "zmq"},
    # The shim runs as a file, without the package around it; the build hook in the build.
    "native": {"hatchling", "pyshim"},
}

#: Single files that may do more than their layer.
ALSO = {
    "cli/hstart.py": {"hsched.broker"},
    "cli/web.py": {"hsched.web"},
    # hrun starts and ends its command as the shim does a job's.
    "client/child.py": {"hsched.native"},
    "client/foreground.py": {"hsched.native"},
    "client/relay.py": {"hsched.native"},
    "cli/hrun.py": {"hsched.native"},
    # It looks at what the processes of jobs use.
    "cli/top/usage.py": {"psutil"},
    # It tells which shim and which library there are.
    "cli/doctor.py": {"hsched.native", "zmq"},
}

#: All of the standard library that the core may use: what calculates, and nothing else.
CALCULATING = {"__future__", "bisect", "collections", "dataclasses", "enum", "functools"}
CALCULATING |= {"heapq", "itertools", "math", "typing"}

#: Standard library modules that would make a pure layer depend on the world.
IMPURE = {"asyncio", "datetime", "io", "logging", "multiprocessing", "os", "pathlib", "random"}
IMPURE |= {"select", "selectors", "signal", "socket", "sqlite3", "subprocess", "sys", "tempfile"}
IMPURE |= {"threading", "time", "uuid"}

FILES = sorted(path.relative_to(ROOT) for path in ROOT.rglob("*.py"))


def layer_of(path: Path) -> str:
    """Return the layer that a file below hsched/ belongs to."""
    return path.parts[0].removesuffix(".py")


def imported(path: Path) -> Iterator[str]:
    """Yield the modules that a file imports, wherever in it."""
    for node in ast.walk(ast.parse((ROOT / path).read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 or layer_of(path) == "native", "relative import"
            if node.module == "hsched":
                # `from hsched import broker` imports a layer, `__version__` is a name.
                yield from (f"hsched.{alias.name}" for alias in node.names)
            elif not node.level:
                yield node.module or ""


def test_there_is_something_to_check() -> None:
    assert {layer_of(path) for path in FILES} >= {"core", "errors"}


@pytest.mark.parametrize("path", FILES, ids=str)
def test_a_layer_imports_only_what_lies_below_it(path: Path) -> None:
    layer = layer_of(path)
    if layer == "__init__":
        return  # it gives names to others and is imported by nobody
    allowed = {"hsched", "hsched.__version__", "hsched.errors", f"hsched.{layer}"}
    allowed |= ALLOWED.get(layer, set()) | ALSO.get(path.as_posix(), set())
    for name in imported(path):
        head, *rest = name.split(".")
        if head not in sys.stdlib_module_names:
            module = f"hsched.{rest[0]}" if head == "hsched" and rest else head
            assert module in allowed, f"{layer} may not import {name}"


def test_only_its_own_command_imports_the_broker() -> None:
    outside = [path for path in FILES if layer_of(path) != "broker"]
    importers = {
        path.as_posix()
        for path in outside
        if any(name.split(".")[:2] == ["hsched", "broker"] for name in imported(path))
    }
    assert importers <= {"cli/hstart.py"}


@pytest.mark.parametrize("path", [p for p in FILES if layer_of(p) == "core"], ids=str)
def test_the_core_only_calculates(path: Path) -> None:
    heads = {name.split(".")[0] for name in imported(path)}
    assert heads <= CALCULATING | {"hsched"}


@pytest.mark.parametrize("path", [p for p in FILES if layer_of(p) == "wire"], ids=str)
def test_the_wire_is_bytes_and_messages_and_no_socket(path: Path) -> None:
    heads = {name.split(".")[0] for name in imported(path)}
    assert not heads & IMPURE
