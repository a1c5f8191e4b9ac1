"""The GPUs of this machine while somebody watches them."""

from __future__ import annotations

import time
from math import inf
from typing import Any

from hsched.cli.gpu_rows import gpu_rows, roots_of, trouble_of
from hsched.client import Client
from hsched.client.subscription import wait_for_news
from hsched.devices.ask import Session
from hsched.devices.reading import Reading
from hsched.errors import NoAnswer, NotRunning
from hsched.wire.devices import DevicesReply

#: A scheduler that hangs must not hold up what NVML tells, in seconds.
_PATIENCE_S = 2.0


class Gpus:
    """What NVML tells, which is asked every ``interval`` seconds, and what a scheduler does.

    NVML has no events for what processes use; the scheduler tells when its jobs claim other
    GPUs.  Where no scheduler runs, and none was named, one that starts is found at the next
    asking.
    """

    def __init__(self, scheduler: str | None, interval: float) -> None:
        self._is_named, self._interval = scheduler is not None, interval
        self._client = Client(scheduler, timeout=_PATIENCE_S)
        self._changes = self._client.subscribe(arrivals=True)
        self._is_told = False  # by the scheduler, when something changes
        self._nvml = Session()
        self._reading = Reading()
        self._asked_at = -inf
        self.troubles: list[str] = []

    def __enter__(self) -> Gpus:
        return self

    def __exit__(self, *_: object) -> None:
        self._nvml.close()
        self._changes.__exit__()
        self._client.close()

    def look(self) -> list[dict[str, Any]]:
        """Return the GPUs as they are now, and as NVML told of them last; set ``troubles``.

        Raises:
            NotRunning: the scheduler that was named does not run.
        """
        self.troubles = []
        known = self._known()
        if time.monotonic() >= self._asked_at + self._interval:
            self._reading = self._nvml.read(roots_of(known))
            self._asked_at = time.monotonic()
        if trouble := trouble_of(self._reading):
            self.troubles.append(trouble)
            return []
        return gpu_rows(known, self._reading)

    def wait(self, other: int) -> None:
        """Wait until NVML is to be asked or the scheduler's jobs have changed.

        It also ends where the descriptor ``other`` is readable.
        """
        left = max(0.0, self._asked_at + self._interval - time.monotonic())
        wait_for_news([self._changes] if self._is_told else [], other, timeout=left)

    def _known(self) -> DevicesReply | None:
        """Return what the scheduler knows; None where none runs, or it does not answer."""
        self._is_told = False
        try:
            known = self._client.devices()
            self._changes.begin(_PATIENCE_S)
            self._is_told = True
        except NotRunning:
            if self._is_named:
                raise
            return None
        except NoAnswer as error:
            self.troubles.append(str(error))
            return None
        return known
