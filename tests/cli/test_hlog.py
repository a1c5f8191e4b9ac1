"""hlog: what is asked of the client, and the bytes that come out."""

from __future__ import annotations

from hsched.errors import Refused
from tests.cli.conftest import FakeClient, Run


def test_the_bytes_as_they_are(run: Run, client: type[FakeClient]) -> None:
    client.answers["log"] = [b"a\xff", b"\x00b"]
    result = run("hlog", "-n", "lab", "-f", "--err", "--last", "5", "--run", "R", "7.3")
    assert result.stdout_bytes == b"a\xff\x00b"
    assert client.calls == [
        ("open", ("lab",), {}),
        ("log", ("7.3",), {"follow": True, "err": True, "last": 5, "run": "R"}),
    ]


def test_what_cannot_be_shown(run: Run, client: type[FakeClient]) -> None:
    client.answers["log"] = Refused("7 means several jobs")
    result = run("hlog", "7")
    assert (result.exit_code, result.stderr) == (1, "hlog: 7 means several jobs\n")
    assert run("hlog").exit_code == 2
    assert run("hlog", "--last", "-1", "7").exit_code == 2
