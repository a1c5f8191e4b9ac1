"""hsched gpus: columns and order, of what NVML and the scheduler tell."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner, Result

from hsched.cli import gpus
from hsched.cli.fields.gpus import COLUMNS
from hsched.devices.reading import Device, Process, Reading
from hsched.wire.devices import DeviceSlot, DevicesReply
from tests.cli.conftest import FakeClient

GIB = 1 << 30
SEEN = (
    Device("0", "GPU-a", "Tesla X", "0", 24 * GIB, 20 * GIB, processes=(Process(7, None, root=7),)),
    Device("1:0", "MIG-b", "Slice", "1", total=5 * GIB, used=GIB),
    Device("10", "GPU-c", "Tesla X", "10"),
)


@pytest.fixture(autouse=True)
def _three_gpus(client: type[FakeClient], monkeypatch: pytest.MonkeyPatch) -> None:
    slots = (
        DeviceSlot(slot=0, uuid="GPU-a", name="Tesla X", claimed=8 * GIB, jobs=("3", "5")),
        DeviceSlot(slot=1, uuid="GPU-d", name="Lost", drained=True),
    )
    monkeypatch.setattr(gpus, "Client", client)
    monkeypatch.setattr(gpus, "read_once", lambda roots: Reading(SEEN))
    client.answers["devices"] = DevicesReply(slots=slots, roots={"7": "3"})


def run(*words: str) -> Result:
    return CliRunner().invoke(gpus.command, list(words))


def column(*words: str) -> list[str]:
    return [line.split()[0] for line in run(*words).stdout.splitlines()[1:]]


def test_columns_are_chosen_and_are_words(client: type[FakeClient]) -> None:
    fields = ",".join(name for name in COLUMNS.names if name != "uuid")
    header, *lines = run("-o", f"{fields},uuid").stdout.splitlines()
    assert header.split() == [*(name.upper() for name in COLUMNS.names if name != "uuid"), "UUID"]
    rows = {line.split()[-1]: line.split() for line in lines}
    assert {len(row) for row in rows.values()} == {len(COLUMNS.names)}
    head = ["0", r"Tesla\x20X", "?", "?", "20480", "4096", "24576", "8192"]
    assert rows["GPU-a"] == [*head, r"3:?/7(?M)\x205", "0", "3,5", "no", "no", "GPU-a"]
    assert rows["GPU-d"][0] == "gone"
    assert rows["GPU-d"][-3:-1] == ["no", "yes"]


def test_rows_are_sorted_and_those_that_nobody_knows_come_last() -> None:
    assert column("--sort", "gpu") == ["0", "1:0", "10", "gone"]
    assert column("--sort", "used") == ["1:0", "0", "10", "gone"]
    assert column("--sort", "-used", "-o", "gpu") == ["0", "1:0", "10", "gone"]
    listed = json.loads(run("--json", "--sort", "-total").stdout)["gpus"]
    assert [gpu["uuid"] for gpu in listed] == ["GPU-a", "MIG-b", "GPU-c", "GPU-d"]


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("-o gpu,wat", "`wat` is no field; there are gpu, uuid, "),
        ("-o gpu --json", "give either -o or --json, not both"),
        ("--watch --json", "--watch draws a table; give it without --json"),
        ("--watch", "--watch needs a terminal, and stdout is none"),
        ("--interval 5", "--interval says how often --watch looks; give both"),
        ("--interval 0", "0.0 is not in the range"),
    ],
)
def test_what_cannot_be_shown_is_refused(typed: str, said: str) -> None:
    result = run(*typed.split())
    assert (result.stdout, result.exit_code) == ("", 2)
    assert said in result.stderr
