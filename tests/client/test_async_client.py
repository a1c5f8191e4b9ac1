"""The client for asyncio does what the other does, and lets other coroutines run."""

from __future__ import annotations

import asyncio
import inspect
import os
import signal
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

import hsched
from hsched import AsyncClient, Client, JobSpec
from hsched.errors import NoAnswer, NoSuchJob, NotRunning, Refused
from tests.e2e.shell import DEADLINE_S, Shell

Story = Callable[[AsyncClient], Coroutine[Any, Any, None]]


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shell]:
    """A terminal with a scheduler of 2 cores, which is this process' own as well."""
    terminal = Shell()
    monkeypatch.setenv("HOME", str(terminal.home))
    try:
        terminal.ok("hstart", "2")
        yield terminal
    finally:
        terminal.close()


def play(story: Story) -> None:
    """Run a coroutine with a client."""

    async def whole() -> None:
        async with AsyncClient() as client:
            await asyncio.wait_for(story(client), DEADLINE_S)

    asyncio.run(whole())


def sleeper() -> JobSpec:
    return JobSpec(slots="1", argv=("sleep", "1000"))


def public(cls: type) -> dict[str, list[str]]:
    """Return the methods of a class, and what each is called with."""
    found = inspect.getmembers(cls, inspect.isfunction)
    return {n: list(inspect.signature(f).parameters) for n, f in found if not n.startswith("_")}


def test_both_clients_have_the_same_methods_with_the_same_parameters() -> None:
    assert public(AsyncClient) == public(Client)
    assert public(hsched.AsyncJob) == {**public(hsched.Job), "outcome": ["self"]}


def test_jobs_are_submitted_waited_for_listed_and_changed(desk: Shell) -> None:
    async def story(client: AsyncClient) -> None:
        failing = await client.submit(JobSpec(slots="1", argv=("sh", "-c", "exit 3")))
        assert (await failing.wait(DEADLINE_S)).exit_status == 3
        assert await failing.outcome() == "failed"
        jobs = await client.submit_batch([sleeper()] * 3)
        ids = [job.id for job in jobs]
        assert await client.hold(ids[2:]) == ids[2:]
        assert await client.update(ids[2:], priority=7) == ids[2:]
        assert [j.priority async for j in client.jobs()] == [0, 0, 7]
        assert not await client.wait(ids, any_of=True, timeout=0.01)
        with pytest.raises(NoAnswer):
            await jobs[0].wait(0.01)
        with pytest.raises(NoSuchJob):
            await client.kill(["99"])
        assert await client.kill(ids) == ids
        assert [await job.outcome() for job in jobs] == ["cancelled"] * 3
        (again,) = await client.rerun([failing.id])
        assert (await again.wait(DEADLINE_S)).outcome == "failed"
        assert (await client.set_slots("3"))[0].total == 3
        assert (await client.drain_slots(["cores:2"]))[0].drained == (2,)
        assert [one.total for one in await client.slots()] == [3]
        assert (await client.status()).pid == desk.broker_pid()

    play(story)


def test_many_coroutines_share_a_client_while_one_waits(desk: Shell) -> None:
    async def story(client: AsyncClient) -> None:
        long = await client.submit(sleeper())
        waiting = asyncio.create_task(long.wait())
        true = JobSpec(slots="1", argv=("true",))
        jobs = await asyncio.gather(*(client.submit(true) for _ in range(10)))
        assert len({job.id for job in jobs}) == 10
        ended = await asyncio.gather(*(job.wait(DEADLINE_S) for job in jobs))
        assert {one.outcome for one in ended} == {"succeeded"}
        assert not waiting.done()
        cancelled = asyncio.create_task(client.status())
        await asyncio.sleep(0)
        cancelled.cancel()
        assert (await client.status()).jobs["running"] == 1, "answers are not mixed up"
        await client.kill([long.id])
        assert (await waiting).outcome == "cancelled"

    play(story)


def test_it_outlives_a_killed_broker(desk: Shell) -> None:
    async def story(client: AsyncClient) -> None:
        job = await client.submit(JobSpec(slots="1", shell="until test -e go; do sleep .02; done"))
        waiting = asyncio.create_task(job.wait())
        await client.status()
        await asyncio.to_thread(desk.kill_broker)
        await asyncio.to_thread((Path(os.getcwd()) / "go").touch)
        assert (await waiting).outcome == "succeeded"

    before = os.getcwd()
    os.chdir(desk.folder)
    try:
        play(story)
    finally:
        os.chdir(before)


def test_logs_are_followed_and_history_is_read_after_the_end(desk: Shell) -> None:
    async def story(client: AsyncClient) -> None:
        shell = "echo one; read line <line; echo $line"
        os.mkfifo(desk.folder / "line")
        spec = JobSpec(slots="1", shell=f"cd {desk.folder}; {shell}")
        job = await client.submit(spec)
        seen = b""
        async for block in client.log(job.id, follow=True):
            if not seen:
                await asyncio.to_thread((desk.folder / "line").write_text, "two\n")
            seen += block
        assert seen == b"one\ntwo\n"
        assert [b async for b in client.log(job.id, last=1)] == [b"two\n"]
        await client.submit_batch([JobSpec(slots="1", name="two", argv=("true",))] * 2)
        with pytest.raises(Refused, match=f"several jobs; name one, such as {int(job.id) + 1}"):
            await anext(client.log("name:two"))
        assert await client.stop(force=True) == str((desk.state / "default/current").resolve())
        assert (await anext(client.jobs(scope="all"))).id == job.id
        assert len(await client.runs()) == 1
        with pytest.raises(NotRunning, match="hstart"):
            await client.status()

    play(story)


def test_what_is_done_is_told_also_where_the_scheduler_has_stopped(desk: Shell) -> None:
    async def story(client: AsyncClient) -> None:
        job = await client.submit(JobSpec(slots="1", argv=("true",)))
        held = await client.submit(JobSpec(slots="1", argv=("true",), hold=True))
        assert await client.wait([job.id], timeout=DEADLINE_S)
        await client.drain()
        assert await client.wait([job.id], timeout=DEADLINE_S)
        assert await client.wait([job.id, held.id], any_of=True, timeout=DEADLINE_S)
        with pytest.raises(NotRunning):
            await client.wait([job.id, held.id], timeout=DEADLINE_S)

    play(story)
    with Client() as client:
        assert client.wait(["1"], timeout=DEADLINE_S)
        with pytest.raises(NotRunning):
            client.wait(["1", "2"], timeout=DEADLINE_S)


def test_a_wait_ends_in_time_where_the_broker_does_not_greet(desk: Shell) -> None:
    async def story(client: AsyncClient) -> None:
        assert not await client.wait(["1"], timeout=0.1)

    job = desk.submit("1", "sleep", "999")
    os.kill(desk.broker_pid(), signal.SIGSTOP)
    try:
        with Client() as client:
            assert not client.wait([job], timeout=0.1)
        play(story)
    finally:
        os.kill(desk.broker_pid(), signal.SIGCONT)
