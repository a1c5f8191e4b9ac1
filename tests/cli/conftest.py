"""A client that remembers what it was asked and answers from memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner, Result

from hsched.cli import manual
from hsched.errors import HschedError
from hsched.wire.jobs import Held, JobView
from hsched.wire.slots import ResourceView
from hsched.wire.status import StatusReply

Calls = list[tuple[str, tuple[Any, ...], dict[str, Any]]]
Run = Callable[..., Result]


class FakeClient:
    """Stands in for the client; what it answers and raises is set on the class."""

    calls: Calls
    answers: dict[str, Any]

    def __init__(self, name: str | None = None, timeout: float = 60.0) -> None:
        self.calls.append(("open", (name,), {}))
        self.name = name

    def __enter__(self) -> FakeClient:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def __getattr__(self, verb: str) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            self.calls.append((verb, arguments, options))
            answer = self.answers.get(verb)
            answer = answer.get(self.name) if isinstance(answer, dict) else answer
            if isinstance(answer, HschedError):
                raise answer
            return answer

        return call

    def jobs(self, *words: str, **options: Any) -> Iterator[JobView]:
        self.calls.append(("jobs", words, options))
        answer = self.answers.get("jobs", [])
        if isinstance(answer, HschedError):
            raise answer
        yield from answer


@pytest.fixture(autouse=True)
def zone() -> Iterator[None]:
    """Local time as in Berlin in winter, so that it differs from UTC and is known."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "CET-1")
        time.tzset()
        yield
    time.tzset()


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> type[FakeClient]:
    """The class that all commands use as their client in this test."""

    class FreshClient(FakeClient):
        calls: Calls = []  # noqa: RUF012 # made anew for each test
        answers: dict[str, Any] = {}  # noqa: RUF012

    fresh = FreshClient
    for name in set(manual.COMMANDS) - {"hrun"}:  # which speaks another language
        monkeypatch.setattr(f"hsched.cli.{name}.Client", fresh)
    fresh.answers["submit"] = SimpleNamespace(id="7")
    monkeypatch.delenv("HSCHED_NAME", raising=False)
    return fresh


@pytest.fixture
def run(client: type[FakeClient]) -> Run:
    """Run a command by name on the words given."""

    def invoke(name: str, *words: str) -> Result:
        result = CliRunner().invoke(manual.load(name), list(words))
        assert result.exception is None or isinstance(result.exception, SystemExit), result
        return result

    return invoke


def job(**fields: Any) -> JobView:
    """Return a job as the broker would tell of it."""
    given = {
        "id": "7",
        "run": "2026-11-21/03-06-00",
        "scheduler": "default",
        "host": "box",
        "uid": 1000,
        "state": "running",
        "command": ("train", "--epochs", "10"),
        "request": {"cores": Held(amount=2), "gpus": Held(amount=1), "mem": Held(amount=8 << 30)},
        "submitted_at": "2026-11-21T03:06:01+00:00",
    }
    return JobView(**{**given, **fields})


def resources(*totals: int, used: Sequence[int] = ()) -> tuple[ResourceView, ...]:
    """Return numbered resources with these totals."""
    held = [*used, *(0 for _ in totals)]
    return tuple(
        ResourceView(name=f"r{i}", numbered=True, unit=1, total=n, used=held[i], free=n - held[i])
        for i, n in enumerate(totals)
    )


def status(name: str, **jobs: int) -> StatusReply:
    """Return a scheduler at a glance."""
    return StatusReply(
        name=name,
        run="2026-11-21/03-06-00",
        folder="/state",
        pid=1,
        version="0.1.0",
        protocol=1,
        resources=resources(6, 2, used=(4,)),
        jobs={"total": 0, "running": 0, "pending": 0, **jobs},
    )
