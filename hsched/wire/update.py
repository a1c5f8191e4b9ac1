"""Update: change what pending jobs ask for."""

from __future__ import annotations

from typing import ClassVar

from hsched.wire.choice import Choice


class UpdateRequest(Choice):
    """Change the chosen pending jobs; None leaves a field as it is.

    ``time_limit`` is in seconds, and ``no_time_limit`` removes one.  ``dependencies``
    replaces those there were, () removes them.  ``min_devices``, ``device_memory`` and
    ``device_share`` are as in :class:`~hsched.wire.submit.JobSpec`; of the last two each
    replaces the other, and 0 bytes mean whole devices.  ``run`` is the run that their ids belong
    to, where the caller knows.
    """

    VERB: ClassVar[str] = "update"
    priority: int | None = None
    slots: str | None = None
    time_limit: float | None = None
    no_time_limit: bool = False
    dependencies: tuple[str, ...] | None = None
    run: str | None = None
    min_devices: int | None = None
    device_memory: int | None = None
    device_share: float | None = None
