"""The process of a job whose task is run by a warm interpreter.

Run as a file by ``python -I -S``, it imports nothing that is not built in.  It hands its
streams, variables and limits to the interpreter, which forks; passes signals on; and ends as
the fork ends.  Where no such interpreter answers, it becomes the task's own process.
"""

import _signal  # type: ignore[import-not-found] # no stubs; `signal` takes 3 ms to import
import _socket
import marshal
import os
import sys


def main() -> None:
    """Run the task of the script that is named second, by the interpreter named first."""
    address, script = sys.argv[1:3]
    connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    try:
        connection.connect(address)
        _send(connection, script)
        child = _number(connection)
    except OSError:
        child = None
    if child is None:
        os.execv(sys.executable, [sys.executable, script])
    for number in (_signal.SIGTERM, _signal.SIGINT, _signal.SIGHUP):
        _signal.signal(number, lambda told, _frame: os.kill(child, told))
    status = _number(connection)
    _end(1 << 8 if status is None else status)


def _send(connection: _socket.socket, script: str) -> None:
    request = marshal.dumps((script, os.getpid(), dict(os.environb)))
    streams = b"".join(number.to_bytes(4, sys.byteorder) for number in (0, 1, 2))
    head = len(request).to_bytes(4, sys.byteorder)
    rights = [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, streams)]
    connection.sendmsg([head], rights)
    connection.sendall(request)


def _number(connection: _socket.socket) -> "int | None":
    """Return what the interpreter says next, None where it is gone."""
    said = connection.recv(4)
    return int.from_bytes(said, sys.byteorder) if len(said) == 4 else None


def _end(status: int) -> None:
    """End as a process did whose wait status this is."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        if number != _signal.SIGKILL:
            _signal.signal(number, _signal.SIG_DFL)
        os.kill(os.getpid(), number)
    os._exit(os.WEXITSTATUS(status))


if __name__ == "__main__":
    main()
