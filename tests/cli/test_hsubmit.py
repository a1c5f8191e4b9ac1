"""hsubmit: what is typed becomes one job spec, and the id comes out."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from hsched.errors import NotRunning, Refused
from hsched.wire.submit import Context, JobSpec
from tests.cli.conftest import FakeClient, Run


def submitted(client: type[FakeClient]) -> JobSpec:
    (spec,) = [arguments[0] for verb, arguments, _ in client.calls if verb == "submit"]
    assert isinstance(spec, JobSpec)
    return spec


def test_the_bare_id_and_nothing_else(run: Run) -> None:
    result = run("hsubmit", "1", "ls")
    assert (result.stdout, result.stderr, result.exit_code) == ("7\n", "", 0)


def test_every_option_lands_in_the_spec(run: Run, client: type[FakeClient]) -> None:
    words = "--name lab --dep afterok:1,2 2,1,4 -d 3 -v A=1 --env B=2 --var C=3 --in i -o out.txt"
    words += " -err err.txt -a --job-name big --label x --label y --grace 0.5 --leave-children"
    run("hsubmit", *words.split(), "--requeue", "app", "-x", "--", "a  b")
    assert client.calls[0] == ("open", ("lab",), {})
    assert submitted(client) == JobSpec(
        slots="2,1,4",
        argv=("app", "-x", "--", "a  b"),
        name="big",
        labels=("x", "y"),
        environment={"A": "1", "B": "2", "C": "3"},
        stdin="i",
        stdout="out.txt",
        stderr="err.txt",
        append=True,
        dependencies=("afterok:1", "afterok:2", "3"),
        grace=0.5,
        leave_children=True,
        requeue=True,
    )


def test_a_plain_submission_differs_from_the_defaults_in_nothing(
    run: Run, client: type[FakeClient]
) -> None:
    run("hsubmit", "1", "ls")
    assert submitted(client).plain() == {"slots": "1", "argv": ("ls",)}


def test_a_shell_line_needs_no_shell_option(run: Run, client: type[FakeClient]) -> None:
    run("hsubmit", "0,0,0", "touch helloworld")
    assert submitted(client).shell == "touch helloworld"
    assert submitted(client).argv == ()


def test_export_narrows_the_environment(
    run: Run, client: type[FakeClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEEP", "1")
    monkeypatch.setenv("DROP", "1")
    run("hsubmit", "--export", "KEEP", "1", "ls")
    context = client.calls[-1][1][1]
    assert isinstance(context, Context)
    assert context.environment == {"KEEP": "1"}


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("", "Missing argument 'SLOTS'; see `hsubmit --help`"),
        ("1", "COMMAND is missing or empty; see --help"),
        ("1 --dep next", "`next` is no job id; was the variable empty?"),
        ("1 --dep next command", "`next` is no job id; was the variable empty?"),
        ("1 --dep", "Option '--dep' requires an argument; see `hsubmit --help`"),
        ("1 --nonsense ls", "No such option '--nonsense'"),
        ("--nonsense 1 ls", "No such option '--nonsense'"),
        ("1 -2 ls", "No such option '-2'"),
        ("1 --env FOO ls", "--env `FOO` is not of the form NAME=VALUE"),
        ("1 --grace soon ls", "`soon` is no number of seconds"),
        ("1 -c x ls", "`ls`: give either --shell LINE or COMMAND, not both"),
    ],
)
def test_wrong_usage_is_one_line_and_status_2(
    run: Run, client: type[FakeClient], typed: str, told: str
) -> None:
    result = run("hsubmit", *typed.split())
    assert result.exit_code == 2
    assert result.stderr.startswith(f"hsubmit: {told}")
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""
    assert not client.calls


@pytest.mark.parametrize("error", [NotRunning("not running"), Refused("too\nmuch")])
def test_what_the_broker_refuses_is_one_line_and_status_1(
    run: Run, client: type[FakeClient], error: Exception
) -> None:
    client.answers["submit"] = error
    result = run("hsubmit", "1", "ls")
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1


def test_control_options_land_in_the_spec(run: Run, client: type[FakeClient]) -> None:
    words = "--priority -5 --hold --begin 2026-11-21T15:00Z --time 1h30m --warn USR1@2m"
    run("hsubmit", *words.split(), "--retries", "2", "--retry-on", "1,137", "1", "ls")
    assert submitted(client) == JobSpec(
        slots="1",
        argv=("ls",),
        priority=-5,
        hold=True,
        begin_at=1795273200.0,
        time_limit=5400.0,
        warn_signal=10,
        warn_before=120.0,
        retries=2,
        retry_on=(1, 137),
    )


@pytest.mark.parametrize(
    "options",
    [
        "--warn USR1@5",
        "--retry-on 1",
        "--time 0",
        "--retries -1",
        "--begin soon",
        "--min-devices -1",
        "--memory-per-device lots",
    ],
)
def test_options_that_make_no_sense_queue_nothing(
    run: Run, client: type[FakeClient], options: str
) -> None:
    result = run("hsubmit", *options.split(), "1", "ls")
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert not client.calls


@pytest.mark.parametrize(
    ("typed", "fields"),
    [
        ("--min-devices 2 --memory-per-device 20G", {"min_devices": 2, "device_memory": 20 << 30}),
        ("--memory-per-device 20000", {"device_memory": 20_000 << 20}),
        ("--memory-per-device 0.5", {"device_share": 0.5}),
    ],
)
def test_devices_land_in_the_spec(
    run: Run, client: type[FakeClient], typed: str, fields: dict[str, Any]
) -> None:
    run("hsubmit", "1", *typed.split(), "ls")
    assert submitted(client) == JobSpec(slots="1", argv=("ls",), **fields)


def test_an_array_and_a_unique_key_land_in_the_spec(run: Run, client: type[FakeClient]) -> None:
    assert run("hsubmit", "1", "--array", "0-4:2%3", "--unique", "k", "ls").stdout == "7\n"
    spec = submitted(client)
    assert (spec.array, spec.array_limit, spec.unique) == ((0, 2, 4), 3, "k")


def test_each_line_is_a_job_of_one_batch(
    run: Run, client: type[FakeClient], tmp_path: Path
) -> None:
    (tmp_path / "lines").write_text("a b\nc\n")
    client.answers["submit_batch"] = [SimpleNamespace(id="7"), SimpleNamespace(id="8")]
    words = ("--each", str(tmp_path / "lines"), "--job-name", "n", "1", "-0", "--", "echo", "-{}")
    result = run("hsubmit", *words)
    assert (result.exit_code, result.stdout) == (0, "7\n8\n")
    (specs,) = [arguments[0] for verb, arguments, _ in client.calls if verb == "submit_batch"]
    assert specs == [JobSpec(slots="1", name="n", argv=("echo", "-a b\nc\n"))]


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("-0 1 ls", "--null needs --each"),
        ("1 --graph ls", "--graph needs --each"),
        ("1 --each x --array 0-3", "--each goes neither with --array nor with --unique"),
        ("1 --each x --unique k", "--each goes neither with --array nor with --unique"),
        ("1 --each /dev/null -c ls", "--each needs COMMAND as several words"),
        ("1 --array 3-1 ls", "--array `3-1`: `3-1` is empty"),
    ],
)
def test_options_for_many_that_do_not_go_together(run: Run, typed: str, told: str) -> None:
    result = run("hsubmit", *typed.split())
    assert result.exit_code == 2
    assert told in result.stderr
