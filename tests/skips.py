"""A pytest plugin: with ``--forbid-skips``, a skipped test fails the run.

``tests/allowed_skips.txt`` lists the exceptions: the id of a test, or of all in
a file or class, then the reason.  What is skipped without standing there is
named at the end, and the exit status is 1.
"""

from __future__ import annotations

from pathlib import Path

import pytest

ALLOWED = Path(__file__).with_name("allowed_skips.txt")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that the continuous integration gives."""
    parser.addoption(
        "--forbid-skips",
        action="store_true",
        help=f"fail when a test is skipped that {ALLOWED.name} does not allow",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Watch the run, if asked."""
    if config.getoption("--forbid-skips"):
        config.pluginmanager.register(SkipWatch(read_allowed(ALLOWED)), "skip-watch")


def read_allowed(path: Path) -> tuple[str, ...]:
    """Return the ids that may be skipped.

    Raises:
        pytest.UsageError: an id stands without a reason.
    """
    lines = [line.strip() for line in path.read_text().splitlines()]
    entries = [line.split(maxsplit=1) for line in lines if line and not line.startswith("#")]
    for entry in entries:
        if len(entry) == 1:
            raise pytest.UsageError(f"{path}: {entry[0]} has no reason")
    return tuple(test for test, _ in entries)


class SkipWatch:
    """Remembers what was skipped and not allowed."""

    def __init__(self, allowed: tuple[str, ...]) -> None:
        self._allowed = allowed
        self._forbidden: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a skipped test; an expected failure is none."""
        if report.skipped and not hasattr(report, "wasxfail"):
            self._note(report.nodeid)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note a file that skips itself."""
        if report.skipped:
            self._note(report.nodeid)

    def _note(self, test: str) -> None:
        inside = tuple(allowed + mark for allowed in self._allowed for mark in ("::", "["))
        if test not in self._allowed and not test.startswith(inside):
            self._forbidden.append(test)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Turn a success into a failure."""
        if self._forbidden and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Name them."""
        for test in self._forbidden:
            terminalreporter.write_line(f"FORBIDDEN SKIP {test}: {ALLOWED.name} does not list it")
