"""settings.yaml: what it may say, and in which line it is wrong."""

from __future__ import annotations

import builtins
from pathlib import Path
from typing import Any

import pytest

from hsched.errors import WrongUsage
from hsched.experiment import settings

FULL = """\
server: {port: 1234}
env:
  A: ${env:HOME}/a
history: {max_done: 3}
workspaces:
  - id: first
    path: ~/first
    max_retries: 5
    env: {B: "1"}
    history: {max_failed: 7}
  - id: second
    path: /second
    triggers: ["mnist-*", exact]
"""


def read(home: Path, text: str) -> settings.Settings:
    """Return what a file with ``text`` says."""
    path = home / "settings.yaml"
    path.write_text(text)
    return settings.load(path)


def test_all_that_it_can_say(home: Path) -> None:
    found = read(home, FULL)
    first, second = found.workspaces
    assert found.env == {"A": f"{home}/a"}
    assert first.path == home / "first"
    assert (first.max_retries, first.env, first.keep_done, first.keep_failed) == (
        *(5, {"B": "1"}),
        *(3, 7),
    )
    assert second.triggers == ("mnist-*", "exact")
    assert second.max_retries == settings.DEFAULT_RETRIES


def test_which_workspace_is_meant(home: Path) -> None:
    found = read(home, FULL)
    first, second = found.workspaces
    assert found.choose("second", "e") is second
    assert found.choose("/second", "e") is second
    assert found.choose(home / "first", "e") is first
    assert found.choose(None, "mnist-3") is second
    assert found.choose(None, "e") is first
    assert found.choose("/elsewhere", "e").path == Path("/elsewhere")
    with pytest.raises(WrongUsage, match=r"no workspace given and none in .*settings\.yaml"):
        settings.Settings().choose(None, "e")


@pytest.mark.parametrize("text", ["", "# nothing\n", "workspaces:\n"])
def test_an_empty_file_says_nothing(home: Path, text: str) -> None:
    assert read(home, text) == settings.Settings()


def test_no_file_says_nothing(home: Path) -> None:
    assert settings.load(home / "none") == settings.Settings()


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("env:\n  - A\n", 2, "a mapping"),
        ("env: {}\nworkspace: []\n", 2, "unknown key `workspace`; there are env, history"),
        ("workspaces:\n  - id: a\n", 2, "a workspace needs `path`"),
        ("workspaces:\n  - id: a\n    path: /a\n    max_retries: many\n", 4, "`many` is no whole"),
        ("workspaces:\n  - id: a\n    path: /a\n    retries: 3\n", 4, "unknown key `retries`"),
        ("workspaces:\n  - {id: a, path: /a}\n  - {id: a, path: /b}\n", 3, "a second workspace"),
        ("workspaces:\n  id: a\n", 2, "a list"),
        ("env:\n  A: 1\n  A: 2\n", 3, "`A` stands here twice"),
        ("env:\n  A: ${env:NO_SUCH_THING}\n", 2, "no variable NO_SUCH_THING"),
        ("env:\n  A:\n", 2, "a text is expected"),
        ("env:\n  A: [\n", 3, "not YAML"),
        ("env: {}\n\tA: 1\n", 2, "not YAML"),
    ],
)
def test_a_mistake_is_told_with_its_line(home: Path, text: str, line: int, what: str) -> None:
    with pytest.raises(WrongUsage) as found:
        read(home, text)
    assert str(found.value).startswith(f"{home}/settings.yaml:{line}: ")
    assert what in str(found.value)


def test_without_the_library_it_says_what_to_install(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def _without_yaml(name: str, *rest: Any) -> Any:
        if name == "yaml":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", _without_yaml)
    with pytest.raises(WrongUsage, match=r"pip install 'hsched\[experiment\]'"):
        read(home, FULL)


def test_where_it_is(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    assert settings.location() == home / ".config/hsched/settings.yaml"
    monkeypatch.setenv("XDG_CONFIG_HOME", "/etc/xdg")
    assert settings.location() == Path("/etc/xdg/hsched/settings.yaml")
