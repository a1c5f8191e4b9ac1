"""Which slot is which GPU."""

from __future__ import annotations

import pytest

from hsched.broker.devices.mapping import (
    Mapping,
    Slot,
    identified,
    machine_memory,
    seen_by_cuda,
    with_gone,
)
from hsched.core.model import Sharing
from hsched.core.spec import parse_spec
from hsched.devices.reading import Device, Reading

G = 1 << 30
DEVICES = tuple(Device(str(n), f"GPU-{c}{c}", c, str(n), 24 * G) for n, c in enumerate("abc"))
THREE = Reading(DEVICES)
NODE = parse_spec("8,2,32")


def uuids(options: dict[str, object]) -> list[str]:
    """Return the devices of the slots."""
    return [slot.uuid for slot in Mapping.of(options, NODE).slots]


@pytest.mark.parametrize(
    ("visible", "expected"),
    [
        (None, "abc"),
        ("2,0", "ca"),
        (" 1 , GPU-a", "ba"),
        ("", ""),
        ("-1", ""),
        ("1,7,0", "b"),
        ("1,1,0", "b"),
        ("GPU-,0", ""),
        ("NoDevFiles", ""),
    ],
)
def test_cuda_reads_its_list_up_to_the_first_word_that_means_nothing(
    visible: str | None, expected: str
) -> None:
    assert "".join(one.name for one in seen_by_cuda(DEVICES, visible)) == expected


def test_slots_are_the_gpus_in_order_and_stay_so() -> None:
    options = identified({"policy": "fifo"}, NODE, THREE, None)
    assert uuids(options) == ["GPU-aa", "GPU-bb", "GPU-cc"]
    assert (options["policy"], options["device_warning"]) == ("fifo", "")
    turned = Reading(tuple(reversed(DEVICES)))
    assert uuids(identified(options, NODE, turned, "1")) == ["GPU-aa", "GPU-bb", "GPU-cc"]


def test_memory_is_shared_as_far_as_it_is_known() -> None:
    slots = tuple(Slot(f"GPU-{n}", "A", str(n), m) for n, m in enumerate((5, None, 7)))
    assert Mapping(1, slots).sharing() == Sharing((5,), 1)
    assert Mapping(1).sharing() == Sharing((), 1)
    assert Mapping(None).sharing() == Sharing((machine_memory(),))


def test_a_run_of_before_and_one_without_gpus_have_no_devices() -> None:
    assert Mapping.of({}, NODE) == Mapping(1)
    assert Mapping.of({}, parse_spec("8,0,32")) == Mapping(None)
    assert Mapping.of({}, parse_spec("cores=8,gpus=4G")) == Mapping(None)
    found = identified({}, parse_spec("8"), THREE, None)
    assert Mapping.of(found, parse_spec("8")) == Mapping(None)


def test_other_resources_may_have_the_gpus_elsewhere() -> None:
    options = identified({}, NODE, THREE, None)
    assert Mapping.of(options, parse_spec("gpus=2")).position == 0


@pytest.mark.parametrize(
    ("reading", "warning"),
    [
        (THREE, ""),
        (Reading(DEVICES[:1]), "2 gpus were asked for, and NVML sees 1 gpu; the slots from gpus:1"),
        (Reading(), "2 gpus were asked for, and NVML sees 0 gpus; the slots from gpus:0"),
        (Reading(trouble="NVML: no"), "NVML: no; who uses the gpus besides jobs is not known"),
        (Reading(trouble="no library", absent=True), ""),
    ],
)
def test_what_is_not_as_declared_is_a_warning(reading: Reading, warning: str) -> None:
    told = identified({}, NODE, reading, None)["device_warning"]
    assert told.startswith(warning)
    assert bool(told) == bool(warning)


def test_a_gpu_that_is_gone_drains_its_slot_until_it_is_back() -> None:
    names = ["GPU-aa", "GPU-bb", "GPU-cc"]
    options = {"drained": {"cores": [1], "gpus": [1]}}
    gone = with_gone(options, NODE[1], names, Reading(DEVICES[1:]))
    assert gone == {"drained": {"cores": [1], "gpus": [0, 1]}, "gone": [0]}
    assert with_gone(gone, NODE[1], names, Reading(DEVICES[1:])) is gone
    back = with_gone(gone, NODE[1], names, Reading(DEVICES[:2]))
    assert back == {"drained": {"cores": [1], "gpus": [1]}, "gone": []}, "gpus:2 is no slot"
