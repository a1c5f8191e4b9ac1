"""``settings.yaml``: workspaces, and what holds for every experiment in them.

    env:
      OMP_NUM_THREADS: "1"
    workspaces:
      - id: my_workspace
        path: /path/to/workspace
        max_retries: 5          # default is 3
        env: {DATA: "${env:HOME}/data"}
        triggers: ["mnist-*"]

Read when the first experiment of a process begins, and only where there is one.
"""

from __future__ import annotations

import fnmatch
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from hsched.errors import WrongUsage

if TYPE_CHECKING:
    import yaml

DEFAULT_RETRIES = 3

#: Understood by other programs that read the same file.
_OF_OTHERS = {"server", "carbon", "ssh", "folders", "engine"}
_VARIABLE = re.compile(r"\$\{env:([A-Za-z_][A-Za-z0-9_]*)\}")


class WorkspaceSettings(NamedTuple):
    """One entry of ``workspaces``; ``max_retries`` is for tasks that can be resumed."""

    id: str
    path: Path
    env: dict[str, str] = {}  # noqa: RUF012 # never changed
    max_retries: int = DEFAULT_RETRIES
    triggers: tuple[str, ...] = ()
    keep_done: int = 5
    keep_failed: int = 1


class Settings(NamedTuple):
    """All that the file says."""

    env: dict[str, str] = {}  # noqa: RUF012 # never changed
    workspaces: tuple[WorkspaceSettings, ...] = ()

    def choose(self, word: str | os.PathLike[str] | None, experiment: str) -> WorkspaceSettings:
        """Return the workspace that is meant: by id, by path, by trigger, or the first one.

        Raises:
            WrongUsage: none was named, and there is none in the settings.
        """
        for one in self.workspaces:
            if word is not None and (word == one.id or _same(word, one.path)):
                return one
        if word is not None:
            return WorkspaceSettings(id="", path=_absolute(word))
        for one in self.workspaces:
            if any(fnmatch.fnmatchcase(experiment, trigger) for trigger in one.triggers):
                return one
        if not self.workspaces:
            raise WrongUsage(
                f"experiment {experiment!r}: no workspace given and none in {location()}; "
                "say `experiment(FOLDER, NAME)`"
            )
        return self.workspaces[0]


def location() -> Path:
    """Return where the settings are: ``$XDG_CONFIG_HOME/hsched/settings.yaml``."""
    folder = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    return Path(folder) / "hsched" / "settings.yaml"


def load(path: Path | None = None) -> Settings:
    """Return the settings; empty ones where there is no file.

    Raises:
        WrongUsage: the file makes no sense; the text says in which line.
    """
    file = path or location()
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Settings()
    except (OSError, UnicodeError) as error:
        raise WrongUsage(f"{file}: cannot be read: {error}") from error
    return _Reader(file).settings(text)


class _Reader:
    """Turns the nodes of YAML into settings; each knows its line."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def settings(self, text: str) -> Settings:
        """Return what the text of the file says."""
        try:
            import yaml
        except ImportError:
            raise WrongUsage(
                f"{self._file} is YAML, and no library that reads it is installed; "
                "say `pip install 'hsched[experiment]'`"
            ) from None
        try:
            root = yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.YAMLError as error:
            raise self._broken(error) from error
        known = {"env", "workspaces", "history", "slots", *_OF_OTHERS}
        found = {} if root is None else self._mapping(root, known)
        history = self._history(found.get("history"), (5, 1))
        entries = self._list(found.get("workspaces"))
        spaces = tuple(self._workspace(entry, history) for entry in entries)
        self._check_distinct(spaces, entries)
        return Settings(env=self._variables(found.get("env")), workspaces=spaces)

    def _workspace(self, node: yaml.Node, history: tuple[int, int]) -> WorkspaceSettings:
        known = {"id", "path", "env", "max_retries", "triggers", "history", *_OF_OTHERS}
        found = self._mapping(node, known)
        for name in ("id", "path"):
            if name not in found:
                raise self._error(node, f"a workspace needs `{name}`")
        keep_done, keep_failed = self._history(found.get("history"), history)
        return WorkspaceSettings(
            id=self._text(found["id"]),
            path=_absolute(self._text(found["path"])),
            env=self._variables(found.get("env")),
            max_retries=self._count(found.get("max_retries"), DEFAULT_RETRIES),
            triggers=tuple(self._text(one) for one in self._list(found.get("triggers"))),
            keep_done=keep_done,
            keep_failed=keep_failed,
        )

    def _check_distinct(
        self, spaces: tuple[WorkspaceSettings, ...], entries: list[yaml.Node]
    ) -> None:
        seen: set[str] = set()
        for space, node in zip(spaces, entries, strict=True):
            if space.id in seen:
                raise self._error(node, f"a second workspace with the id `{space.id}`")
            seen.add(space.id)

    def _history(self, node: yaml.Node | None, default: tuple[int, int]) -> tuple[int, int]:
        found = {} if node is None else self._mapping(node, {"max_done", "max_failed"})
        done, failed = default
        return (
            self._count(found.get("max_done"), done),
            self._count(found.get("max_failed"), failed),
        )

    def _variables(self, node: yaml.Node | None) -> dict[str, str]:
        found = {} if node is None else self._mapping(node, None)
        return {name: self._text(value) for name, value in found.items()}

    def _mapping(self, node: yaml.Node, known: set[str] | None) -> dict[str, yaml.Node]:
        if _kind(node) != "mapping":
            raise self._error(node, "a mapping (`key: value`) is expected here")
        found: dict[str, yaml.Node] = {}
        for key, value in node.value:
            name = str(key.value)
            if known is not None and name not in known:
                words = ", ".join(sorted(known - _OF_OTHERS))
                raise self._error(key, f"unknown key `{name}`; there are {words}")
            if name in found:
                raise self._error(key, f"`{name}` stands here twice")
            found[name] = value
        return found

    def _list(self, node: yaml.Node | None) -> list[yaml.Node]:
        if node is None or _is_null(node):
            return []
        if _kind(node) != "sequence":
            raise self._error(node, "a list (`- item`) is expected here")
        return list(node.value)

    def _text(self, node: yaml.Node) -> str:
        if _kind(node) != "scalar" or _is_null(node):
            raise self._error(node, "a text is expected here")
        return _VARIABLE.sub(lambda found: self._variable(node, found[1]), str(node.value))

    def _variable(self, node: yaml.Node, name: str) -> str:
        if name not in os.environ:
            raise self._error(node, f"the environment has no variable {name}")
        return os.environ[name]

    def _count(self, node: yaml.Node | None, default: int) -> int:
        if node is None:
            return default
        if _kind(node) != "scalar" or not str(node.value).isdecimal():
            raise self._error(node, f"`{node.value}` is no whole number from 0 on")
        return int(node.value)

    def _error(self, node: yaml.Node, what: str) -> WrongUsage:
        return WrongUsage(f"{self._file}:{node.start_mark.line + 1}: {what}")

    def _broken(self, error: yaml.YAMLError) -> WrongUsage:
        mark = getattr(error, "problem_mark", None)
        line = "" if mark is None else f":{mark.line + 1}"
        problem = getattr(error, "problem", None) or str(error)
        return WrongUsage(f"{self._file}{line}: not YAML: {problem}")


def _kind(node: yaml.Node) -> str:
    return str(getattr(node, "id", ""))  # which the library's types leave out


def _is_null(node: yaml.Node) -> bool:
    return bool(node.tag == "tag:yaml.org,2002:null")


def _absolute(path: str | os.PathLike[str]) -> Path:
    return Path(os.path.abspath(os.path.expanduser(path)))


def _same(word: str | os.PathLike[str], path: Path) -> bool:
    return _absolute(word) == path
