"""The process of a script that exports tasks: ``python script.py DESCRIPTOR SCRIPT [ARG...]``.

Runs the script as `__main__`, and writes what it exported to the descriptor: the plan as
JSON on one line, then the payload; or one line that begins with `!` and says what is wrong.
Standard output goes to that for errors, because that of `hsched create` is the answer.
"""

from __future__ import annotations

import sys

if __name__ == "__main__":
    # Not our own folder: the modules in it are not to be found by their short names.
    sys.path[:] = [one for one in sys.path if one != __file__.rpartition("/")[0]]

import contextlib
import linecache
import os
import traceback
from types import ModuleType

from hsched.tasks.compiling import Compiled, compiled
from hsched.tasks.errors import TaskError
from hsched.tasks.exporting import GATHERING, exported
from hsched.wire.message import to_json


def main(words: list[str]) -> int:
    """Run the script and hand over what it exported; return the exit status."""
    answer, path = int(words[0]), words[1]
    os.set_inheritable(answer, False)
    os.dup2(2, 1)
    environment = dict(os.environ)
    os.environ[GATHERING] = "1"
    sys.argv = words[1:]
    sys.path.insert(0, os.path.dirname(os.path.abspath(path)))
    status = run_script(path)
    with contextlib.suppress(BrokenPipeError, ValueError):
        sys.stdout.flush()
    if status:
        return status
    if not exported():
        return _say(answer, _nothing(path))
    environment.pop(GATHERING, None)
    try:
        found = compiled(exported(), environment)
    except TaskError as error:
        return _say(answer, str(error))
    _hand_over(answer, found)
    return 0


def run_script(path: str) -> int:
    """Run the file at ``path`` as `__main__`; return 0, or the status that it failed with."""
    try:
        with open(path, "rb") as file:
            code = compile(file.read(), path, "exec", dont_inherit=True)
    except OSError as error:
        print(f"hsched: {path}: {error.strerror}", file=sys.stderr)
        return 1
    except (SyntaxError, ValueError) as error:
        traceback.print_exception(type(error), error, None)
        return 1
    # It stays: what was defined in it is pickled with its names.
    module = ModuleType("__main__")
    module.__dict__.update(__file__=path, __builtins__=__builtins__)
    sys.modules["__main__"] = module
    try:
        exec(code, module.__dict__)
    except SystemExit as end:
        return _status_of(end.code)
    except BaseException as error:
        linecache.checkcache(path)
        own = error.__traceback__ and error.__traceback__.tb_next  # without our frame
        traceback.print_exception(type(error), error, own)
        return 1
    return 0


def _status_of(code: object) -> int:
    if code is None or isinstance(code, int):
        return (code or 0) & 0xFF
    print(code, file=sys.stderr)
    return 1


def _nothing(path: str) -> str:
    return (
        f"{path} exported nothing; end it with `hsched.export(task)`, where task is a "
        "ProcTask or a TaskGroup"
    )


def _hand_over(answer: int, found: Compiled) -> None:
    with open(answer, "wb") as out:
        out.write(to_json(found.plan) + b"\n" + found.payload)


def _say(answer: int, text: str) -> int:
    with open(answer, "w", encoding="utf-8", errors="backslashreplace") as out:
        out.write("!" + text.replace("\n", " "))
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
