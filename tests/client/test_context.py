"""What a job inherits from its submitter, and what it does not."""

from __future__ import annotations

import os
import resource
from pathlib import Path

import pytest

from hsched.client.context import capture, without_outer_job
from hsched.wire.message import raw


def test_folder_umask_and_limits_are_those_of_this_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = os.umask(0o031)
    try:
        context = capture()
    finally:
        os.umask(before)
    assert (context.cwd, context.umask) == (str(tmp_path), 0o031)
    assert (resource.RLIMIT_NOFILE, *resource.getrlimit(resource.RLIMIT_NOFILE)) in context.limits


def test_the_environment_keeps_bytes_that_are_no_utf8(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environb, b"ODD", b"\xff=\xfe")
    assert raw(capture().environment["ODD"]) == b"\xff=\xfe"


def test_only_the_listed_variables_are_exported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A", "1")
    monkeypatch.setenv("B", "2")
    assert capture(("A", "NOT_SET")).environment == {"A": "1"}
    assert capture(()).environment == {}


def test_what_belongs_to_an_outer_job_stays_with_it() -> None:
    outer = {
        "HSCHED_JOB_ID": "3",
        "HSCHED_RUN_ID": "r",
        "HSCHED_NAME": "default",
        "HSCHED_ATTEMPT": "1",
        "QUEUE0": "0,1",
        "QUEUE12": "",
        "CUDA_VISIBLE_DEVICES": "1",
        "MAKEFLAGS": "-j --jobserver-auth=3,4",
    }
    kept = {"HSCHED_HOME": "/h", "QUEUE": "x", "QUEUEX": "y", "PATH": "/bin", "MFLAGS": "-k"}
    assert without_outer_job({**outer, **kept}) == kept


def test_gpus_chosen_by_hand_are_inherited_outside_a_job() -> None:
    chosen = {"CUDA_VISIBLE_DEVICES": "1", "MAKEFLAGS": "--jobserver-auth=3,4"}
    assert without_outer_job(chosen) == chosen
