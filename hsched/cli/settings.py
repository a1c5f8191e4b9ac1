"""The engine that somebody has settled on: ``HSCHED_ENGINE``, or the file of settings.

``$XDG_CONFIG_HOME/hsched/settings.yaml`` (``~/.config``) has a section for it::

    engine:
      name: slurm
      options: {partition: gpu, account: physics}
"""

from __future__ import annotations

import os
from typing import Any

from hsched.errors import WrongUsage

ENGINES = ("local", "slurm")


def path() -> str:
    """Return where the settings are, whether or not there are any."""
    folder = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    return os.path.join(folder, "hsched", "settings.yaml")


def engine(said: str | None, words: tuple[str, ...]) -> tuple[str | None, tuple[str, ...]]:
    """Return the engine and its options: what was said on the command line wins.

    Raises:
        WrongUsage: the settings make no sense; the text says where.
    """
    section = _section()
    chosen = said or os.environ.get("HSCHED_ENGINE") or section.get("name")
    if chosen is not None and chosen not in ENGINES:
        raise WrongUsage(f"engine `{chosen}`: one of {', '.join(ENGINES)}")
    if chosen != "slurm":
        if words:
            raise WrongUsage("--engine-option is for --engine slurm")
        return chosen, ()
    return chosen, (*_options(section.get("options", {})), *words)


def _options(given: Any) -> list[str]:
    if not isinstance(given, dict):
        raise WrongUsage(f"{path()}: engine: options: names and values, such as partition: gpu")
    return [
        str(name) if value is True else f"{name}={value}"
        for name, value in given.items()
        if value is not False and value is not None
    ]


def _section() -> dict[str, Any]:
    try:
        with open(path(), encoding="utf-8") as file:
            text = file.read()
    except OSError:
        return {}
    try:
        import yaml  # slow to import, and needed only where somebody has settings
    except ImportError as error:
        raise WrongUsage(f"{path()}: to read it, `pip install pyyaml`") from error
    try:
        settings = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        where = " ".join(str(error).split())
        raise WrongUsage(f"{path()} is no YAML: {where}") from error
    section = settings.get("engine", {}) if isinstance(settings, dict) else {}
    if isinstance(section, str):
        return {"name": section}
    if not isinstance(section, dict):
        raise WrongUsage(f"{path()}: engine: a name, and options")
    return section
