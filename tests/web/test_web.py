"""`hsched web` in a real Chromium, with real brokers and real jobs."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from tests.browser import Browser, browser
from tests.e2e.shell import BIN, Shell

EVIL = "<script>document.title='caught'</script><img src=x onerror=document.title='caught'>"


class Web:
    """The command, and requests to it that no browser would send."""

    def __init__(self, shell: Shell) -> None:
        self.errors = shell.home / "web.err"
        with self.errors.open("wb") as errors:
            self.process = subprocess.Popen(
                [BIN / "hsched", "web"],
                cwd=shell.folder,
                env=shell.env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        assert self.process.stdout is not None
        self.address = self.process.stdout.readline().strip()
        parts = urlsplit(self.address)
        assert parts.hostname == "127.0.0.1", self.errors.read_text()
        self.port = parts.port or 0
        self.token = parts.fragment.removeprefix("token=")

    def ask(self, path: str, method: str = "GET", **headers: str) -> tuple[int, str]:
        """Return the status and text of an answer; headers are those given and no others."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        with contextlib.closing(connection):
            connection.putrequest(method, path, skip_host=True)
            for name, value in {"Host": f"127.0.0.1:{self.port}", **headers}.items():
                connection.putheader(name.replace("_", "-"), value)
            connection.endheaders()
            answer = connection.getresponse()
            return answer.status, answer.read().decode()

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture(scope="module")
def desk() -> Iterator[Shell]:
    terminal = Shell()
    try:
        terminal.ok("hstart", "cores=4,gpus=2,mem=32G")
        yield terminal
    finally:
        terminal.close()


@pytest.fixture(scope="module")
def web(desk: Shell) -> Iterator[Web]:
    found = Web(desk)
    try:
        yield found
    finally:
        found.close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as found:
        yield found


@pytest.fixture
def page(desk: Shell, web: Web, chromium: Browser) -> Browser:
    """The page, with nothing in the queue."""
    desk.run("hkill", "--all")
    chromium.open("about:blank#")
    chromium.call("Page.navigate", url=web.address)
    chromium.until("document.getElementById('counts')?.textContent === '0 running, 0 pending'")
    chromium.events.clear()
    return chromium


def text(job: str) -> str:
    return f"(document.querySelector('tr[data-job=\"{job}\"]')?.textContent ?? '')"


def click(page: Browser, verb: str, job: str) -> None:
    page.until(
        f"(b => b && (b.click(), true))(document.querySelector('[data-key=\"{verb} {job}\"]'))"
    )


def test_what_happens_is_seen_as_it_happens(desk: Shell, page: Browser) -> None:
    first = desk.submit("2,1,8", "--job-name", "train", "sleep", "1000")
    page.until(f"{text(first)}.includes('running')")
    page.until("document.querySelectorAll('.slot:not(.free)').length === 3")
    assert "8G of 32G" in page.run("document.getElementById('slots').textContent")
    second = desk.submit("3", "sleep", "1001")
    page.until(f"{text(second)}.includes('slots: needs 3 cores')")
    desk.ok("hhold", second)
    page.until(f"{text(second)}.includes('held')")
    desk.ok("hnslots", "drain", "cores:3")
    page.until("document.querySelectorAll('.slot.drained').length === 1")
    desk.ok("hnslots", "undrain", "cores:3")
    desk.ok("hkill", first)
    page.until(f"{text(first)}.includes('cancelled')")
    page.until("document.querySelectorAll('.slot:not(.free)').length === 0")
    assert page.faults() == []


def test_buttons_hold_release_and_kill_with_a_second_click(desk: Shell, page: Browser) -> None:
    first, second = desk.submit("4", "sleep", "1000"), desk.submit("4", "sleep", "1001")
    click(page, "hold", second)
    page.until(f"{text(second)}.includes('held')")
    assert desk.job(second)["reason"] == "held"
    click(page, "release", second)
    page.until(f"{text(second)}.includes('pending')")
    click(page, "kill", first)
    page.until(f"{text(first)}.includes('really?')")
    assert desk.job(first)["state"] == "running"
    click(page, "kill", first)
    assert desk.wait(first)["outcome"] == "cancelled"
    page.until(f"{text(second)}.includes('running')")


def test_a_log_is_followed_and_the_timeline_drawn(desk: Shell, page: Browser) -> None:
    job = desk.submit(
        "1", "echo first; while ! [ -e go ]; do sleep 0.1; done; echo last; echo bad >&2"
    )
    click(page, "log", job)
    log = "document.getElementById('log-text').textContent"
    page.until(f"{log} === 'first\\n'")
    (desk.folder / "go").touch()
    page.until(f"{log} === 'first\\nlast\\n'")
    page.run("document.getElementById('log-err').click()")
    page.until(f"{log} === 'bad\\n'")
    page.run("document.querySelector('summary').click()")
    page.until(f"document.querySelector('.timeline [data-job=\"{job}\"]') !== null")
    page.run("document.querySelector('summary').click()")
    assert page.faults() == []


def test_what_a_job_is_called_and_writes_is_text(desk: Shell, page: Browser) -> None:
    job = desk.submit("1", "--job-name", EVIL, "printf", "%s\\n", EVIL)
    desk.wait(job)
    page.until(f"{text(job)}.includes('succeeded') && {text(job)}.includes('<script>document')")
    live = desk.submit("1", "--job-name", EVIL, "sh", "-c", "sleep 1000", EVIL)
    page.until(f"{text(live)}.includes('<script>document')")
    click(page, "log", job)
    page.until("document.getElementById('log-text').textContent.includes('<script>document')")
    page.run("document.querySelector('summary').click()")
    page.until(f"document.querySelector('.timeline [data-job=\"{live}\"]') !== null")
    page.run("document.querySelector('summary').click()")
    assert page.run("document.title") == "hsched: default"
    assert page.run("document.querySelectorAll('body script, body img').length") == 0
    assert page.faults() == []


def test_the_page_asks_nobody_else_and_the_token_stays_out_of_addresses(
    web: Web, page: Browser
) -> None:
    page.call("Page.reload")
    page.until("document.getElementById('counts')?.textContent === '0 running, 0 pending'")
    asked = [one for one in page.requested() if not one.startswith("data:")]
    assert asked
    assert all(one.startswith(f"http://127.0.0.1:{web.port}/") for one in asked)
    assert not any(web.token in one for one in asked)


def test_without_the_token_the_page_says_what_to_open(web: Web, chromium: Browser) -> None:
    chromium.open("about:blank#")
    chromium.call("Page.navigate", url=f"http://127.0.0.1:{web.port}/#token=wrong")
    chromium.until("document.getElementById('trouble')?.textContent.includes('has printed')")
    assert chromium.run("document.getElementById('jobs').children.length") == 0


def test_a_page_of_another_origin_gets_nothing(web: Web, chromium: Browser) -> None:
    """Another name that leads here, and another port: both as a hostile page would have them."""
    chromium.open("about:blank#")
    chromium.call("Page.navigate", url=f"http://localhost:{web.port}/#token={web.token}")
    chromium.until("document.getElementById('counts')?.textContent.includes('running')")
    asked = (
        f"fetch('http://127.0.0.1:{web.port}/api/events', {{headers: {{Authorization:"
        f" 'Bearer {web.token}'}}}}).then(() => 'answered', () => 'refused')"
    )
    assert chromium.run(asked) == "refused"


def test_requests_that_no_page_of_ours_sends_are_refused(desk: Shell, web: Web) -> None:
    job = desk.submit("1", "sleep", "1000")
    good = {"Authorization": f"Bearer {web.token}"}
    kill = f"/api/jobs/{job}/kill"
    assert web.ask("/api/events")[0] == 401
    assert web.ask(f"/api/events?token={web.token}")[0] == 401
    assert web.ask(kill, "POST", Cookie=f"token={web.token}")[0] == 401
    assert web.ask("/", Host="evil.example")[0] == 421
    assert web.ask(kill, "POST", **good, Host=f"evil.example:{web.port}")[0] == 421
    assert web.ask(kill, "POST", **good, Origin="http://evil.example")[0] == 403
    assert web.ask(kill, "POST", **good, Sec_Fetch_Site="cross-site")[0] == 403
    assert web.ask(kill, **good)[0] == 405
    for word in ("--all", "name:x", "1-9", "last", "%2e%2e"):
        assert web.ask(f"/api/jobs/{word}/kill", "POST", **good)[0] == 404, word
    assert web.ask("/static/..%2fserver.py")[0] == 404
    assert web.ask("/api/timeline?last=1e999", **good)[0] == 400
    assert web.ask("/api/jobs/999/hold", "POST", **good)[0] == 404
    status, told = web.ask(f"/api/jobs/{job}/release", "POST", **good)
    assert (status, "pending" in json.loads(told)["error"]) == (409, True)
    assert desk.job(job)["state"] == "running"
    assert web.ask(kill, "POST", **good, Origin=f"http://127.0.0.1:{web.port}")[0] == 200
    assert desk.wait(job)["outcome"] == "cancelled"
    assert web.errors.read_text() == ""


def test_it_goes_on_when_the_scheduler_has_gone_and_come_back(desk: Shell, page: Browser) -> None:
    job = desk.submit("1", "sleep", "1000")
    page.until(f"{text(job)}.includes('running')")
    desk.kill_broker()
    desk.ok("hjobs")  # brings it back
    other = desk.submit("1", "sleep", "1001")
    page.until(f"{text(other)}.includes('running') && {text(job)}.includes('running')")
    desk.ok("hstop", "--force")
    page.until("document.getElementById('trouble').textContent.includes('has stopped')")
    assert page.run("document.getElementById('jobs').children.length") == 0
    desk.ok("hstart", "cores=4,gpus=2,mem=32G")
    again = desk.submit("1", "sleep", "1002")
    page.until(f"{text(again)}.includes('sleep 1002') && {text(again)}.includes('running')")
    assert page.run("document.getElementById('trouble').hidden")


def test_ctrl_c_ends_it_and_the_page_says_so(desk: Shell, chromium: Browser) -> None:
    other = Web(desk)
    try:
        chromium.open("about:blank#")
        chromium.call("Page.navigate", url=other.address)
        chromium.until("document.getElementById('counts')?.textContent.includes('running')")
        os.kill(other.process.pid, signal.SIGINT)
        assert other.process.wait(60) == -signal.SIGINT
        chromium.until("document.getElementById('trouble').textContent.includes('hsched web')")
        assert other.errors.read_text() == ""
    finally:
        other.close()


def test_what_is_missing_or_wrong_is_said_in_one_line(desk: Shell, web: Web) -> None:
    nobody = desk.run("hsched", "web", "-n", "nobody")
    assert (nobody.returncode, nobody.stderr.count("\n")) == (1, 1)
    assert "start it with `hstart -n nobody`" in nobody.stderr
    taken = desk.run("hsched", "web", "--port", str(web.port))
    assert (taken.returncode, taken.stderr.count("\n")) == (1, 1)
    assert "address already in use" in taken.stderr
    (desk.folder / "aiohttp.py").write_text("raise ModuleNotFoundError(name='aiohttp')")
    lacking = desk.run("hsched", "web", env={"PYTHONPATH": str(desk.folder)})
    assert lacking.returncode == 1
    assert lacking.stderr == (
        "hsched web: it needs aiohttp, which is not installed: pip install 'hsched[web]'\n"
    )
