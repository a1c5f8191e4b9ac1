"""What a task asks of devices, at first and when that is changed."""

from __future__ import annotations

from typing import Any

import pytest

from hsched.errors import Refused
from hsched.tasks.devices import changed_fields
from hsched.wire.jobs import Held, JobView
from hsched.wire.slots import ResourceView


def resources(**totals: int) -> list[ResourceView]:
    return [
        ResourceView(name=name, numbered=True, unit=1, total=total, used=0, free=total)
        for name, total in totals.items()
    ]


def task(devices: int = 0, memory: int = 0, **amounts: int) -> JobView:
    request = {name: Held(amount=amount) for name, amount in amounts.items()}
    return JobView(
        id="1",
        run="r",
        scheduler="default",
        host="h",
        uid=0,
        name="t",
        state="pending",
        request=request,
        min_devices=devices,
        device_memory_bytes=memory,
    )


WHOLE = {"min_devices": 0, "device_memory": 0, "device_share": 0.0}


@pytest.mark.parametrize(
    ("before", "changes", "after"),
    [
        (task(cores=0, gpus=2), {"min_devices": 1}, {**WHOLE, "slots": "gpus=1"}),
        (task(cores=0, gpus=2), {"min_devices": 0}, {**WHOLE, "slots": "0"}),
        (
            task(cores=0, gpus=2),
            {"memory": 5, "memory_fraction": 0.0},
            {"slots": "0", "min_devices": 2, "device_memory": 5, "device_share": 0.0},
        ),
        (
            task(2, 5, cores=0, gpus=0),
            {"min_devices": 3},
            {"slots": "0", "min_devices": 3, "device_memory": 5, "device_share": 0.0},
        ),
        (
            task(2, 5, cores=0, gpus=0),
            {"memory": 0, "memory_fraction": 0.5},
            {"slots": "0", "min_devices": 2, "device_memory": 0, "device_share": 0.5},
        ),
        (
            task(2, 5, cores=0, gpus=0),
            {"memory": 0, "memory_fraction": 0.0},
            {**WHOLE, "slots": "gpus=2"},
        ),
        (
            task(cores=1, gpus=1),
            {"memory": 0, "memory_fraction": 0.5},
            {"device_memory": 0, "device_share": 0.5},
        ),
    ],
)
def test_an_update_gives_a_task_what_it_would_have_been_created_with(
    before: JobView, changes: dict[str, Any], after: dict[str, Any]
) -> None:
    assert changed_fields(before, changes, resources(cores=8, gpus=4)) == after


@pytest.mark.parametrize(("gpus", "told"), [(1, "there is 1 GPU$"), (3, "there are 3 GPUs$")])
def test_too_many_devices_are_refused_with_how_many_there_are(gpus: int, told: str) -> None:
    with pytest.raises(Refused, match=told):
        changed_fields(task(gpus=1), {"min_devices": 4}, resources(cores=4, gpus=gpus))


def test_where_there_is_no_gpu_a_task_has_the_machine_or_none() -> None:
    machine = resources(cores=8)
    assert changed_fields(task(cores=1), {"min_devices": 0}, machine)["slots"] == "0"
    assert changed_fields(task(cores=0), {"min_devices": 1}, machine)["slots"] == "cores=1"
    with pytest.raises(Refused, match="task t asks for 2 devices; there is no GPU"):
        changed_fields(task(cores=1), {"min_devices": 2}, machine)
