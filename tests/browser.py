"""A real Chromium without a screen, driven through its pipe: no driver, no port, no download."""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

DEADLINE_S = 60.0
_PROGRAM = shutil.which("chromium") or shutil.which("google-chrome")


class Browser:
    """One browser with one page; what it logs and what it fails to load is kept."""

    def __init__(self, folder: Path) -> None:
        if _PROGRAM is None:
            pytest.skip("needs Chromium; .ci/run installs it")
        to_read, self._write = os.pipe()
        self._read, to_write = os.pipe()
        # Chromium reads its orders from descriptor 3 and answers on 4; moved by the shell,
        # because they must not meet what this process has there.
        line = f'exec 3<&{to_read} 4>&{to_write}; exec "$@"'
        words = [
            "--headless=new",
            "--no-sandbox",  # the tests of a container run as root
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--no-first-run",
            f"--user-data-dir={folder}",
            "--remote-debugging-pipe",
            "about:blank",
        ]
        self._log = open(folder / "log", "wb")  # noqa: SIM115 # until close
        self._process = subprocess.Popen(
            ["/bin/bash", "-c", line, "chromium", _PROGRAM, *words],
            pass_fds=(to_read, to_write),
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            env={**os.environ, "HOME": str(folder)},
            start_new_session=True,
        )
        os.close(to_read)
        os.close(to_write)
        self._buffer = b""
        self._number = 0
        self._session: str | None = None
        self.events: list[dict[str, Any]] = []
        self._attach()

    def _attach(self) -> None:
        targets = self.call("Target.getTargets")["targetInfos"]
        target = next(one["targetId"] for one in targets if one["type"] == "page")
        opened = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = opened["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Call a method of the DevTools protocol and return its result."""
        self._number += 1
        order: dict[str, Any] = {"id": self._number, "method": method, "params": params}
        if self._session:
            order["sessionId"] = self._session
        os.write(self._write, json.dumps(order).encode() + b"\0")
        deadline = time.monotonic() + DEADLINE_S
        while True:
            message = self._next(deadline, method)
            if message.get("id") == self._number:
                assert "error" not in message, (method, message)
                return dict(message["result"])
            self.events.append(message)

    def _next(self, deadline: float, what: str) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            left = deadline - time.monotonic()
            ready = left > 0 and select.select([self._read], [], [], left)[0]
            block = os.read(self._read, 1 << 16) if ready else b""
            assert block, f"no answer to {what}:\n{Path(self._log.name).read_text()[-3000:]}"
            self._buffer += block
        message, _, self._buffer = self._buffer.partition(b"\0")
        return dict(json.loads(message))

    def open(self, url: str) -> None:
        """Open a page and wait until it is loaded."""
        self.call("Page.navigate", url=url)
        self.until("document.readyState === 'complete' && location.href !== 'about:blank'")

    def run(self, script: str) -> Any:
        """Return the value of a JavaScript expression; a promise is awaited."""
        answer = self.call(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in answer, (script, answer)
        return answer["result"].get("value")

    def until(self, script: str) -> Any:
        """Wait until an expression is true, and return it."""
        deadline = time.monotonic() + DEADLINE_S
        while time.monotonic() < deadline:
            if found := self.run(script):
                return found
            time.sleep(0.05)
        text = self.run("document.documentElement.outerHTML")
        raise AssertionError(f"never: {script}\n{text[:6000]}\n{self.faults()}")

    def move(self, selector: str) -> None:
        """Move the pointer onto the first element that ``selector`` means."""
        x, y = self.run(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)});"
            " e.scrollIntoView({block: 'center'});"
            " const b = e.getBoundingClientRect();"
            " return [b.x + b.width / 2, b.y + b.height / 2]; })()"
        )
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def faults(self) -> list[str]:
        """Return what went wrong in the page: exceptions, refusals, errors."""
        found = []
        for event in self.events:
            params = event.get("params", {})
            if event["method"] == "Runtime.exceptionThrown":
                found.append(json.dumps(params["exceptionDetails"])[:500])
            elif event["method"] == "Log.entryAdded" and params["entry"]["level"] == "error":
                found.append(str(params["entry"]["text"]))
        return found

    def requested(self) -> list[str]:
        """Return the addresses that the page has asked for."""
        sent = [one for one in self.events if one["method"] == "Network.requestWillBeSent"]
        return [str(one["params"]["request"]["url"]) for one in sent]

    def close(self) -> None:
        """End it with all its processes."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        os.close(self._write)
        os.close(self._read)
        self._log.close()


@contextlib.contextmanager
def browser() -> Iterator[Browser]:
    """Start a browser in a folder of its own, and leave nothing of it."""
    folder = Path(tempfile.mkdtemp(prefix="b", dir="/tmp"))
    found = None
    try:
        found = Browser(folder)
        yield found
    finally:
        if found is not None:
            found.close()
        shutil.rmtree(folder, ignore_errors=True)
