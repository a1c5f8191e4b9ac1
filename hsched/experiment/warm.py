"""A warm interpreter: modules are imported once, and each task is a fork of it.

It belongs to a driver and ends after it, once the tasks that it runs have ended; tasks that
start later run in processes of their own.  A fork is not a descendant of its job's process, so
what the scheduler does to a job's whole tree reaches the fork alone and only as far as signals
do: that, and modules that start threads or a GPU's context when they are imported, is why an
experiment must ask for it.
"""

from __future__ import annotations

import contextlib
import marshal
import os
import select
import shutil
import signal
import socket
import sys
from pathlib import Path
from typing import NoReturn

from hsched.experiment import running

#: The descriptors that the driver passes: the end of a pipe that closes with it, and a socket.
_LIFELINE, _LISTENER = 0, 3


class Interpreter:
    """Forks for those who connect, tells them how the fork ends, and kills it with them."""

    def __init__(self, listener: socket.socket, address: str) -> None:
        self._address = address
        self._listener: socket.socket | None = listener
        self._children: dict[int, socket.socket] = {}
        self._imported: set[str] = set()
        self._poller = select.poll()
        for descriptor in (listener.fileno(), _LIFELINE):
            self._poller.register(descriptor, select.POLLIN)
        self._told, theirs = socket.socketpair()
        theirs.setblocking(False)
        self._wakeup = theirs
        signal.set_wakeup_fd(theirs.fileno())
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._poller.register(self._told.fileno(), select.POLLIN)

    def run(self) -> None:
        """Serve until the driver is gone, and then until the last fork has ended."""
        while self._listener is not None or self._children:
            ready = {descriptor for descriptor, _ in self._poller.poll()}
            if self._told.fileno() in ready:
                self._told.recv(4096)
                self._reap()
            self._kill_abandoned(ready)
            if self._listener is not None and self._listener.fileno() in ready:
                self._serve(self._listener)
            if self._listener is not None and _LIFELINE in ready:
                self._stop_listening(self._listener)

    def _kill_abandoned(self, ready: set[int]) -> None:
        """Kill the forks whose jobs are gone."""
        for child, connection in self._children.items():
            if connection.fileno() in ready:
                self._poller.unregister(connection.fileno())
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(child, signal.SIGKILL)

    def _stop_listening(self, listener: socket.socket) -> None:
        for descriptor in (_LIFELINE, listener.fileno()):
            self._poller.unregister(descriptor)
        listener.close()
        self._listener = None
        shutil.rmtree(os.path.dirname(self._address), ignore_errors=True)

    def _own(self) -> list[int]:
        """Return the descriptors that are no business of a fork."""
        sockets = [self._told, self._wakeup, *self._children.values()]
        if self._listener is not None:
            sockets.append(self._listener)
        return [one.fileno() for one in sockets]

    def _serve(self, listener: socket.socket) -> None:
        connection, _ = listener.accept()
        try:
            script, stub, variables, streams = _request(connection)
        except (OSError, ValueError, EOFError):
            connection.close()
            return
        self._import_for(script)
        sys.stdout.flush()
        sys.stderr.flush()
        child = os.fork()
        if child == 0:
            signal.set_wakeup_fd(-1)
            for descriptor in (*self._own(), connection.fileno()):
                os.close(descriptor)
            _become(script, stub, variables, streams)
        with contextlib.suppress(OSError):
            os.setpgid(child, child)  # the fork does so too; whoever is first
        for descriptor in streams:
            os.close(descriptor)
        self._children[child] = connection
        self._poller.register(connection.fileno(), select.POLLIN)
        _say(connection, child)

    def _import_for(self, script: str) -> None:
        """Import the module of a task, once; what goes wrong with it is for the fork to find."""
        import json

        from hsched.experiment.modules import load_module

        try:
            with open(Path(script).with_name("params.json"), encoding="utf-8") as file:
                data = json.load(file)
            entry = next(one for one in data["objects"] if one["id"] == data["task"])
            if entry["module"] not in self._imported:
                self._imported.add(entry["module"])
                load_module(entry["module"], entry.get("file"))
        except Exception as error:
            print(f"{script}: {type(error).__name__}: {error}", file=sys.stderr)

    def _reap(self) -> None:
        while True:
            try:
                child, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if child == 0:
                return
            connection = self._children.pop(child, None)
            if connection is None:
                continue
            with contextlib.suppress(KeyError):
                self._poller.unregister(connection.fileno())
            _say(connection, status)
            connection.close()


def _request(connection: socket.socket) -> tuple[str, int, dict[bytes, bytes], list[int]]:
    head, streams, _, _ = socket.recv_fds(connection, 4, 3)
    size = int.from_bytes(head, sys.byteorder)
    with connection.makefile("rb") as file:
        script, stub, variables = marshal.loads(file.read(size))
    if len(streams) != 3:
        raise ValueError("three streams are expected")
    return script, stub, variables, streams


def _say(connection: socket.socket, number: int) -> None:
    with contextlib.suppress(OSError):
        connection.sendall(number.to_bytes(4, sys.byteorder))


def _become(script: str, stub: int, variables: dict[bytes, bytes], streams: list[int]) -> NoReturn:
    """Be the process of a task: with the streams, variables and limits of the one that asked."""
    status = 1
    try:
        os.setpgid(0, 0)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        _take_over(stub, variables, streams)
        sys.argv = [script]
        with open(script, encoding="utf-8", errors="surrogateescape") as file:
            code = compile(file.read(), script, "exec")
        exec(code, {"__name__": "__main__", "__file__": script})
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        _finish(status)


def _take_over(stub: int, variables: dict[bytes, bytes], streams: list[int]) -> None:
    import resource

    for target, descriptor in enumerate(streams):
        os.dup2(descriptor, target)
        os.close(descriptor)
    os.environb.clear()
    os.environb.update(variables)
    for name in dir(resource):
        if name.startswith("RLIMIT_"):
            number = getattr(resource, name)
            with contextlib.suppress(OSError, ValueError):
                resource.setrlimit(number, resource.prlimit(stub, number))
    for line in Path(f"/proc/{stub}/status").read_text(errors="replace").splitlines():
        if line.startswith("Umask:"):
            os.umask(int(line.split()[1], 8))
    with contextlib.suppress(OSError):
        own = Path("/proc/self/oom_score_adj")
        own.write_text(Path(f"/proc/{stub}/oom_score_adj").read_text())


def _finish(status: int) -> NoReturn:
    """End a fork as an interpreter ends, as far as its user can tell."""
    import atexit

    threading = sys.modules.get("threading")
    if threading is not None:
        threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def main(address: str, preload: list[str]) -> None:
    """Be the interpreter; ``preload`` are modules to import before the first task."""
    from importlib import import_module

    from hsched.experiment import params, restore, runner  # noqa: F401 # each task needs them

    running.task = True  # no experiment begins in a module that is imported here
    for name in preload:
        import_module(name)
    Interpreter(socket.socket(fileno=_LISTENER), address).run()
