"""Which shim there is: the build, and the choice."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import hsched
from hsched import native
from hsched.client import warm
from hsched.native import build_hook, shim_argv, shim_command

FREESTANDING = build_hook._FREESTANDING
PYTHON_SHIM = [sys.executable, "-I", "-S", native.PYTHON_SHIM]


@pytest.fixture(autouse=True)
def _nothing_chosen_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HSCHED_SHIM", raising=False)
    native._command.cache_clear()


def test_the_compiled_shim_is_taken_where_it_runs(
    compiled_shim: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(native, "COMPILED_SHIM", str(compiled_shim))
    assert shim_command() == [str(compiled_shim)]


@pytest.mark.parametrize("content", [None, b"\x7fELF of another machine"])
def test_python_holds_the_jobs_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None
) -> None:
    path = tmp_path / "hsched-shim"
    if content is not None:
        path.write_bytes(content)
        path.chmod(0o755)
    monkeypatch.setattr(native, "COMPILED_SHIM", str(path))
    assert shim_command() == PYTHON_SHIM


@pytest.mark.parametrize(
    ("choice", "command"),
    [("c", [native.COMPILED_SHIM]), ("python", PYTHON_SHIM), ("/a/shim", ["/a/shim"])],
)
def test_the_choice_can_be_forced(
    monkeypatch: pytest.MonkeyPatch, choice: str, command: list[str]
) -> None:
    monkeypatch.setenv("HSCHED_SHIM", choice)
    assert shim_command() == command


def test_both_shims_are_named_alike() -> None:
    assert shim_argv(["/a/shim"], "7") == ["hsched-shim", "7"]
    assert shim_argv(PYTHON_SHIM, "7") == [*PYTHON_SHIM, "hsched-shim", "7"]


def test_a_compiled_shim_depends_on_nothing(compiled_shim: Path) -> None:
    done = subprocess.run([compiled_shim, "--version"], env={}, capture_output=True, check=True)
    assert done.stdout == b"hsched-shim, contract 1\n"


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize(
    "way",
    [(), ("thin", "-DHSCHED_LIBC"), ("thin", *FREESTANDING)],
    ids=["shim", "thin", "freestanding"],
)
def test_the_sources_give_no_warning(tmp_path: Path, compiler: str, way: tuple[str, ...]) -> None:
    if shutil.which(compiler) is None:
        pytest.skip(f"no {compiler}")
    sources = (Path(native.__file__).parent / "".join(way[:1])).glob("*.c")
    flags = ["-O2", "-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]
    command: list[str | Path] = [compiler, *flags, *way[1:], "-o", tmp_path / "program", *sources]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("compiler", ["false", "no-such-compiler"])
def test_without_a_compiler_there_is_no_shim(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compiler: str
) -> None:
    monkeypatch.setenv("CC", compiler)
    assert not build_hook.compile_shim(tmp_path / "shim")
    assert not build_hook.compile_thin(tmp_path / "thin", "0" * 16)
    assert list(tmp_path.iterdir()) == []


class Recorder:
    """The part of hatchling's application that the hook speaks to."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def display_warning(self, message: str) -> None:
        self.warnings.append(message)


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A source tree of two man pages and no completions, whose sources are the real ones."""
    for shell in ("bash", "zsh", "fish"):
        (tmp_path / "completions" / shell).mkdir(parents=True)
    (tmp_path / "man").mkdir()
    for name in ("hstart.1", "hsched.7", "notes.txt"):
        (tmp_path / "man" / name).touch()
    folder = tmp_path / "native"
    folder.mkdir()
    for source in Path(native.__file__).parent.glob("*.[ch]"):
        shutil.copy(source, folder)
    shutil.copytree(Path(native.__file__).parent / "thin", folder / "thin")
    monkeypatch.setattr(build_hook, "_FOLDER", folder)
    return tmp_path


def build(tree: Path) -> tuple[dict[str, Any], list[str]]:
    app = Recorder()
    data = {"artifacts": [], "pure_python": True, "shared_data": {}, "shared_scripts": {}}
    arguments: Any = (str(tree), {}, None, None, str(tree), "wheel", app)
    build_hook.ShimBuildHook(*arguments).initialize("standard", data)
    return data, app.warnings


def test_a_wheel_with_a_compiled_shim_is_for_this_platform(tree: Path, compiled_shim: Path) -> None:
    data, warnings = build(tree)
    assert os.access(tree / "native/hsched-shim", os.X_OK)
    assert not data["pure_python"]
    assert data["tag"].startswith("py3-none-linux_")
    assert data["artifacts"] == ["/hsched/native/hsched-shim", "/hsched/native/build-id"]
    scripts = {name: Path(path) for path, name in data["shared_scripts"].items()}
    assert tuple(scripts) == build_hook.COMMANDS == warm.COMMANDS
    assert {path.read_bytes()[:4] for path in scripts.values()} == {b"\x7fELF"}
    assert (tree / "native/build-id").read_text().strip() == build_hook.build_id()
    assert not warnings


def test_a_wheel_without_is_pure_and_says_so(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "false")
    (tree / "native/hsched-shim").write_text("of an earlier build")
    data, warnings = build(tree)
    assert data["pure_python"]
    assert "tag" not in data
    assert warnings == ["no C compiler: jobs will be held by the Python shim"]
    assert not (tree / "native/hsched-shim").exists()
    assert not (tree / "native/build-id").exists()
    for path, name in data["shared_scripts"].items():
        done = subprocess.run([sys.executable, path, "--version"], capture_output=True, text=True)
        assert done.stdout == f"{name} (hsched) {hsched.__version__}\n"


def test_man_pages_and_the_unit_are_placed(tree: Path) -> None:
    shared = build(tree)[0]["shared_data"]
    assert shared == {
        str(tree / "man/hstart.1"): "share/man/man1/hstart.1",
        str(tree / "man/hsched.7"): "share/man/man7/hsched.7",
        str(tree / "systemd/hsched.service"): "share/systemd/user/hsched.service",
    }
