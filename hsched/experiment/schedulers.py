"""The scheduler that an experiment uses: started where none runs, and what it has."""

from __future__ import annotations

import sys
import time

from hsched import paths
from hsched.client import Client, launch
from hsched.core.model import Resource
from hsched.core.spec import format_amounts, parse_request
from hsched.errors import AlreadyRunning, NotRunning, WrongUsage

_PATIENCE_S = 60.0


class Scheduler:
    """One scheduler by name; nothing is asked of it before a task needs it."""

    def __init__(self, name: str | None) -> None:
        self.name = name or paths.default_name()
        self._resources: tuple[Resource, ...] | None = None
        self._engine: str | None = None

    def resources(self) -> tuple[Resource, ...]:
        """Return what there is, after starting the scheduler where it does not run.

        A new one has a slot for each core.

        Raises:
            HschedError: it cannot be started.
        """
        if self._resources is None:
            with Client(self.name) as client:
                try:
                    found = client.slots()
                except NotRunning:
                    self._start()
                    found = client.slots()
            self._resources = tuple(
                Resource(one.name, one.total, one.numbered, one.unit or 1) for one in found
            )
        return self._resources

    def engine(self) -> str:
        """Return what runs its jobs: ``local``, this machine, or ``slurm``.

        Raises:
            HschedError: it does not run.
        """
        if self._engine is None:
            with Client(self.name) as client:
                self._engine = client.status().engine
        return self._engine

    def check(self, slots: str) -> None:
        """Check that ``slots`` can be had.

        Raises:
            WrongUsage: it makes no sense, or is more than there is.
        """
        try:
            parse_request(slots, self.resources())
        except WrongUsage as error:
            raise WrongUsage(f"slots={slots!r}: {error} at scheduler {self.name}") from None

    def _start(self) -> None:
        place = paths.place(self.name)
        try:
            launch.launch(place, [], time.monotonic() + _PATIENCE_S)
        except AlreadyRunning:
            return  # somebody else was faster
        with Client(self.name) as client:
            totals = [Resource(one.name, one.total) for one in client.slots()]
        amounts = format_amounts([one.capacity for one in totals], totals)
        print(f"hsched: started {self.name} scheduler with nslots = {amounts}", file=sys.stderr)
