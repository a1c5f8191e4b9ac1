"""Paths: where a scheduler lives, and which names and folders are refused."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
from pathlib import Path

import pytest

from hsched import paths
from hsched.errors import NotPermitted, WrongUsage


def test_the_home_is_what_hsched_home_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/state")
    assert paths.home() == "/state/hsched"
    monkeypatch.setenv("HSCHED_HOME", "/chosen")
    assert paths.home() == "/chosen"


def test_without_home_it_is_in_the_folder_of_the_password_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("HSCHED_HOME", "XDG_STATE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    folder = pwd.getpwuid(os.getuid()).pw_dir
    assert paths.home() == f"{folder}/.local/state/hsched"


def test_schedulers_live_apart_by_host_and_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HSCHED_HOME", "/h")
    place = paths.place("night")
    assert place.folder == f"/h/{os.uname().nodename}/night"
    assert place.store == f"{place.folder}/hsched.db"


@pytest.mark.parametrize("name", ["", ".", "..", ".x", "a/b", "a\0b", "a\nb", "x" * 300, "\x7f"])
def test_a_name_that_is_no_folder_name_is_refused(name: str) -> None:
    with pytest.raises(WrongUsage, match="scheduler name"):
        paths.place(name)


def test_names_lists_the_folders_there_are(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HSCHED_HOME", str(tmp_path))
    assert paths.names() == []
    for name in ("b", "a", ".hidden"):
        (tmp_path / os.uname().nodename / name).mkdir(parents=True)
    assert paths.names() == ["a", "b"]


def test_a_lock_is_seen_by_others_and_goes_with_its_holder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HSCHED_HOME", str(tmp_path))
    place = paths.place("p")
    os.makedirs(place.folder)
    assert not paths.is_locked(place)
    code = (
        "import os, sys; from hsched import paths; p = paths.place('p');"
        "fd = os.open(p.lock, os.O_RDWR | os.O_CREAT); assert paths.lock_exclusively(fd);"
        "print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        assert paths.is_locked(place)
        holder.kill()
    assert not paths.is_locked(place)


def test_a_folder_that_is_a_link_is_not_trusted(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(NotPermitted, match="symbolic link"):
        paths.check_private(str(tmp_path / "link"))


def test_a_folder_that_others_may_write_to_is_not_trusted(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    with pytest.raises(NotPermitted, match="written by others"):
        paths.check_private(str(tmp_path))


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("ipc:///x/socket\n12\n", paths.Address("ipc:///x/socket", 12)),
        ("", None),
        ("ipc:///x\n", None),
        ("ipc:///x\nnumber\n", None),
    ],
)
def test_an_address_is_read_or_there_is_none(
    tmp_path: Path, content: str, found: paths.Address | None
) -> None:
    place = paths.Place(str(tmp_path), "p")
    Path(place.address).write_text(content)
    assert paths.read_address(place) == found
