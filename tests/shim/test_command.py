"""What is run, and with which words."""

from __future__ import annotations

import errno
import sys
from pathlib import Path

import pytest

from hsched.native.record import Exited, SpawnFailed
from tests.shim.harness import Spawner

PRINT_ARGV = "import os, sys; print([os.fsencode(a) for a in sys.argv[1:]])"
PYTHON = (sys.executable, "-I", "-S", "-c")


def write(path: Path, text: str | bytes, mode: int = 0o755) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(mode)
    return path


def status(shim: Spawner, *argv: bytes | str, **settings: object) -> int:
    ending = shim.run(*argv, **settings).ending
    assert isinstance(ending, Exited), ending
    return ending.status


def error(shim: Spawner, *argv: bytes | str, **settings: object) -> int:
    record = shim.run(*argv, **settings)
    assert isinstance(record.ending, SpawnFailed), record
    assert record.ending.step == "exec"
    assert record.command is None
    return record.ending.errno


def test_words_arrive_as_they_are(shim: Spawner) -> None:
    words = (b"", b"a  b", b"line\nbreak", b"\xff\xfe", b"$x", b"-c", b"*", b"=")
    assert status(shim, *PYTHON, PRINT_ARGV, *words) == 0
    assert shim.out() == repr(list(words)).encode() + b"\n"


def test_thousands_of_words(shim: Spawner) -> None:
    words = [b"%d" % number for number in range(10_000)]
    assert status(shim, "echo", *words) == 0
    assert shim.out().split() == words


def test_exit_status(shim: Spawner) -> None:
    assert status(shim, "sh", "-c", "exit 200") == 200


@pytest.mark.parametrize("line", ["exit 3", "-x; exit 3", "+x; exit 3", "( exit 3 )"])
def test_a_shell_line(shim: Spawner, line: str) -> None:
    assert status(shim, shell=line.encode()) == 3


def test_path_is_searched_in_order(shim: Spawner, tmp_path: Path) -> None:
    write(tmp_path / "b/tool", "#!/bin/sh\nexit 2\n")
    write(tmp_path / "c/tool", "#!/bin/sh\nexit 3\n")
    path = ":".join(str(tmp_path / folder) for folder in ("a", "b", "c"))
    assert status(shim, "tool", environment={b"PATH": path.encode()}) == 2


def test_what_may_not_be_run_is_passed_over(shim: Spawner, tmp_path: Path) -> None:
    write(tmp_path / "a/tool", "#!/bin/sh\nexit 2\n", 0o644)
    write(tmp_path / "b/tool", "#!/bin/sh\nexit 3\n")
    path = f"{tmp_path}/a:{tmp_path}/b"
    assert status(shim, "tool", environment={b"PATH": path.encode()}) == 3


def test_a_path_of_relative_folders(shim: Spawner, tmp_path: Path) -> None:
    write(tmp_path / "bin/tool", "#!/bin/sh\nexit 4\n")
    assert status(shim, "tool", environment={b"PATH": b"bin"}) == 4


def test_without_a_path_the_usual_folders_are_searched(shim: Spawner) -> None:
    assert status(shim, "true", environment={}) == 0


def test_an_empty_element_of_path_is_the_working_folder(shim: Spawner, tmp_path: Path) -> None:
    write(tmp_path / "true", "#!/bin/sh\nexit 5\n")
    assert status(shim, "true", environment={b"PATH": b":/usr/bin:/bin"}) == 5


def test_the_working_folder_comes_last(shim: Spawner, tmp_path: Path) -> None:
    write(tmp_path / "true", "#!/bin/sh\nexit 5\n")
    write(tmp_path / "mine", "#!/bin/sh\nexit 6\n")
    assert status(shim, "true") == 0
    assert status(shim, "mine") == 6


def test_a_script_without_interpreter_line(shim: Spawner, tmp_path: Path) -> None:
    write(tmp_path / "script", 'echo "$0: $1"')
    assert status(shim, "./script", "a  b") == 0
    assert shim.out() == b"./script: a  b\n"


@pytest.mark.parametrize("name", ["my-deeplearning-app", "-c"])
def test_a_script_without_x_bit_in_the_working_folder(
    shim: Spawner, tmp_path: Path, name: str
) -> None:
    write(tmp_path / name, 'echo "$0 $1"; exit 7', 0o644)
    assert status(shim, name, "word") == 7
    assert shim.out() == f"./{name} word\n".encode()


def test_a_script_in_a_folder_that_looks_like_an_option(shim: Spawner, tmp_path: Path) -> None:
    write(tmp_path / "-c/script", "exit 8")
    assert status(shim, "-c/script") == 8


def test_an_empty_file_is_an_empty_script(shim: Spawner, tmp_path: Path) -> None:
    write(tmp_path / "empty", "")
    assert status(shim, "empty") == 0


def test_a_file_of_no_known_format(shim: Spawner, tmp_path: Path) -> None:
    write(tmp_path / "data", b"\x00\x01\x02")
    assert error(shim, "./data") == errno.ENOEXEC
    assert error(shim, "data") == errno.ENOEXEC


def test_a_path_that_may_not_be_run(shim: Spawner, tmp_path: Path) -> None:
    write(tmp_path / "script", "exit 0", 0o644)
    assert error(shim, "./script") == errno.EACCES
    assert error(shim, "/") == errno.EACCES


@pytest.mark.parametrize("name", ["no-such-program", "./no-such-program", "", "true/x"])
def test_a_command_that_is_not_there(shim: Spawner, name: str) -> None:
    assert error(shim, name) in (errno.ENOENT, errno.ENOTDIR)


def test_the_most_telling_reason_is_given(shim: Spawner, tmp_path: Path) -> None:
    write(tmp_path / "a/tool", "#!/bin/sh\n", 0o644)
    path = f"/nowhere:{tmp_path}/a:{tmp_path}/b"
    assert error(shim, "tool", environment={b"PATH": path.encode()}) == errno.EACCES


def test_an_interpreter_that_is_not_there(shim: Spawner, tmp_path: Path) -> None:
    write(tmp_path / "script", "#!/no/such/interpreter\n")
    assert error(shim, "./script") == errno.ENOENT


def test_an_argument_list_too_long(shim: Spawner) -> None:
    assert error(shim, "true", b"x" * 200_000) == errno.E2BIG
    assert error(shim, shell=b": " + b"x" * 200_000) == errno.E2BIG


def test_a_name_too_long(shim: Spawner) -> None:
    assert error(shim, "x" * 300) == errno.ENAMETOOLONG
