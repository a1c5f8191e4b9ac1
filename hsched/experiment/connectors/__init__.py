"""Where the processes of a launcher run: this machine."""

from __future__ import annotations

from pathlib import Path


class Connector:
    """A machine and its files."""

    name = "local"


class LocalConnector(Connector):
    """This machine."""

    _only: LocalConnector | None = None

    def __init__(self, localpath: Path | str | None = None) -> None:
        self.localpath = None if localpath is None else Path(localpath)

    @classmethod
    def instance(cls) -> LocalConnector:
        """Return the one that launchers take which were given none."""
        if cls._only is None:
            cls._only = cls()
        return cls._only
