"""What the first version wrote is understood for ever: an upgrade meets jobs that run.

The files under tests/data were written on the day of version 1 and are never edited.
"""

from __future__ import annotations

import os
from pathlib import Path

from hsched.native.record import Exited, Left, Signalled, Usage, read_record
from tests.shim.harness import Spawner

DATA = Path(__file__).parents[1] / "data"


def test_a_plan_of_version_1_is_carried_out(shim: Spawner, tmp_path: Path) -> None:
    plan = (DATA / "plan-v1.bin").read_bytes().replace(b"@FOLDER@", os.fsencode(tmp_path))
    ending = shim.spawn(plan).wait().ending
    assert isinstance(ending, Exited)
    assert ending.status == 3
    assert (tmp_path / "out").read_bytes() == b"a\xff b 0027 64\n"


def test_a_record_of_version_1_is_read() -> None:
    record = read_record((DATA / "record-v1.bin").read_bytes())
    assert record.started is not None
    assert (record.started.pid, record.started.start_time) == (41, 5000)
    assert record.ending == Signalled(9, Usage(1500, 2048, 1_700_000_000_000_000, Left.ENDED))
