"""What the page gets to draw: pure."""

from __future__ import annotations

import json
from typing import Any

from hsched.cli.top.board import Board
from hsched.web.state import MOST_ROWS, state_of
from hsched.wire.devices import DeviceSlot, DevicesReply
from hsched.wire.jobs import Held
from tests.cli.conftest import job


def board(*jobs: object) -> Board:
    found = Board("default")
    for one in jobs:
        found.learn(one)  # type: ignore[arg-type] # jobs
    return found


def test_slots_tell_who_holds_them_and_gpus_who_shares_them() -> None:
    whole = job(
        id="1",
        allocation={"cores": Held(amount=2, slots=(0, 3)), "gpus": Held(amount=1, slots=(0,))},
    )
    sharing = [
        job(
            id=one,
            min_devices=1,
            devices=(1,),
            allocation={"cores": Held(amount=1, slots=(core,)), "gpus": Held(amount=0, slots=())},
        )
        for one, core in (("2", 4), ("3", 5))
    ]
    assert state_of(board(whole, *sharing), None, {})["holders"] == {
        "cores": {"0": ["1"], "3": ["1"], "4": ["2"], "5": ["3"]},
        "gpus": {"0": ["1"], "1": ["2", "3"]},
    }


def test_of_a_gpu_it_is_told_how_much_is_claimed() -> None:
    given: dict[str, Any] = {"uuid": "GPU-0", "name": "H200", "memory": 100}
    reply = DevicesReply(
        slots=(
            DeviceSlot(slot=0, **given, whole=True, jobs=("1",)),
            DeviceSlot(slot=1, **given, claimed=30, jobs=("2", "3"), drained=True),
        ),
        roots={},
    )
    first, second = state_of(board(), reply, {})["devices"]
    assert (first["claimed"], first["memory"], first["jobs"]) == (100, 100, ["1"])
    assert (second["claimed"], second["drained"], second["jobs"]) == (30, True, ["2", "3"])


def test_of_a_long_queue_the_first_are_listed_and_the_others_counted() -> None:
    waiting = [job(id=str(n), state="pending") for n in range(1, MOST_ROWS + 51)]
    queue = board(*waiting, job(id="999", allocation={}))
    found = state_of(queue, None, {})
    assert (len(found["jobs"]), found["more"]) == (MOST_ROWS, 51)
    assert [found["jobs"][0]["id"], found["jobs"][1]["id"]] == ["999", "1"], "what runs comes first"
    assert queue.visible == tuple(one["id"] for one in found["jobs"])


def test_whatever_a_job_is_called_can_be_sent() -> None:
    odd = job(id="1", name="\udc80\x1b[31m", command=("\udcff", "\n"), allocation={})
    json.dumps(state_of(board(odd), None, {})).encode("ascii")
