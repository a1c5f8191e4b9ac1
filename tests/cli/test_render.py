"""Jobs as lines and as JSON: the promises to scripts."""

from __future__ import annotations

import json
import subprocess

import pytest

from hsched.cli import render
from hsched.wire.jobs import DependencyView, Held
from hsched.wire.slots import ResourceView
from tests.cli.conftest import job


def test_plain_lines_are_padded_with_the_header_first() -> None:
    running = job(started_at="2026-11-21T03:06:02.500+00:00", name="big")
    assert list(render.job_lines([running, job(id="123456789", state="pending")])) == [
        "ID     STATE        SLOTS     SUBMITTED                 STARTED                   "
        "NAME       COMMAND",
        "7      running      2,1,8G    2026-11-21T04:06:01+01:00 2026-11-21T04:06:02+01:00 "
        "big        train --epochs 10",
        "123456789 pending      2,1,8G    2026-11-21T04:06:01+01:00 -                         "
        "-          train --epochs 10",
    ]


def test_no_jobs_have_no_header() -> None:
    assert list(render.job_lines([])) == []


def test_every_column_but_the_last_is_one_word() -> None:
    odd = job(name="my job\n", state="done", outcome="dependency failed", request={})
    cells = render.job_cells(odd)
    assert cells[1:3] == ("dependency-failed", "-")
    assert cells[5] == r"my\x20job\n"
    assert all(" " not in cell for cell in cells[:-1])


@pytest.mark.parametrize(
    ("outcome", "status", "signal", "shown"),
    [
        ("succeeded", 0, None, "succeeded"),
        ("failed", 2, None, "failed(2)"),
        ("signalled", None, 9, "signalled(9)"),
        ("spawn failed", None, None, "spawn-failed"),
        ("cancelled", 0, None, "cancelled"),
    ],
)
def test_a_done_job_shows_how_it_ended(
    outcome: str, status: int | None, signal: int | None, shown: str
) -> None:
    done = job(state="done", outcome=outcome, exit_status=status, signal=signal)
    assert render.state_word(done) == shown


@pytest.mark.parametrize(
    "argument",
    ["plain", "", "a b", "it's", 'a"b', "$x", "*", "a\nb", "tab\t", "\x1b[31m", "back\\slash\n",
     "\u202eevil", "naïve", "\udcff", "'\n'", "\x7f", "\x85", "😀 \x01"],
)  # fmt: skip
def test_an_argument_is_quoted_so_that_a_shell_reads_it_back(argument: str) -> None:
    quoted = render.quote(argument)
    assert quoted.isprintable()
    script = f"printf %s {quoted}"
    back = subprocess.run(
        ["bash", "-c", script], capture_output=True, check=True, env={"LC_ALL": "C.UTF-8"}
    )
    assert back.stdout == argument.encode("utf-8", "surrogateescape")


def test_amounts_come_in_the_largest_unit_that_leaves_no_rest() -> None:
    assert [render.amount(n) for n in (0, 6, 16_384, 32 << 30, 3 << 29, 5 << 40, 16_385)] == [
        "0", "6", "16384", "32G", "1536M", "5T", "16385",
    ]  # fmt: skip


def test_slots_are_listed_in_order() -> None:
    cores = ResourceView(name="cores", numbered=True, unit=1, total=6, used=2, free=4)
    memory = ResourceView(
        name="mem", numbered=False, unit=1 << 30, total=32 << 30, used=0, free=32 << 30
    )
    assert render.amounts([cores, memory]) == "6,32G"
    assert render.amounts([cores, memory], "used") == "2,0"


KEYS = (
    "id run scheduler host uid user name labels state outcome reason exit_status signal tree_left "
    "command request allocation priority depends_on array_id array_index attempt submitted_at "
    "started_at ended_at wall_s cpu_s peak_memory_bytes peak_memory_kind suspended "
    "expected_start_at cwd out err min_devices device_memory_bytes devices "
    "peak_device_memory_bytes mean_device_utilisation untouched_devices pid engine_id"
)


def test_json_has_all_promised_keys_in_their_order() -> None:
    (only,) = json.loads("".join(render.json_lines([job()])))
    assert " ".join(only) == KEYS
    assert only["outcome"] is None
    assert only["command"] == ["train", "--epochs", "10"]
    assert only["request"]["cores"] == {"amount": 2, "slots": None}


def test_json_holds_what_is_inside_as_objects_and_stray_bytes_as_surrogates() -> None:
    held = job(
        id="7.3",
        command=("x\udcff",),
        allocation={"cores": Held(amount=1, slots=(4,))},
        depends_on=(DependencyView(id="6", condition="afterok", state="done"),),
    )
    line = render.to_json(held)
    assert '"x\\udcff"' in line
    back = json.loads(line)
    assert back["id"] == "7.3"
    assert back["allocation"] == {"cores": {"amount": 1, "slots": [4]}}
    assert back["depends_on"] == [{"id": "6", "condition": "afterok", "state": "done"}]


def test_json_of_any_number_of_jobs_is_one_list() -> None:
    for count in range(4):
        text = "\n".join(render.json_lines([job()] * count))
        assert len(json.loads(text)) == count
