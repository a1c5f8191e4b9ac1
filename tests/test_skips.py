"""No test is skipped in silence."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import skips

SKIPPED = "import pytest\ndef test_it(): pytest.skip('tired')\n"


def allow(monkeypatch: pytest.MonkeyPatch, path: Path, lines: str) -> None:
    path.write_text(lines)
    monkeypatch.setattr(skips, "ALLOWED", path)


@pytest.mark.parametrize(
    ("allowed", "status"),
    [("", 1), ("test_it.py no time", 0), ("test_it.py::test_it no time", 0), ("test_i bad", 1)],
)
def test_a_skip_needs_leave(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, allowed: str, status: int
) -> None:
    pytester.makepyfile(test_it=SKIPPED)
    allow(monkeypatch, pytester.path / "allowed.txt", allowed)
    assert pytester.inline_run("--forbid-skips", plugins=[skips]).ret == status


def test_a_file_that_skips_itself_needs_leave(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makepyfile(
        test_it="import pytest\npytest.skip('tired', allow_module_level=True)\n",
        test_that="def test_that(): pass\n",
    )
    allow(monkeypatch, pytester.path / "allowed.txt", "")
    assert pytester.inline_run("--forbid-skips", plugins=[skips]).ret == 1


def test_without_the_option_a_skip_is_none(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_it=SKIPPED)
    assert pytester.inline_run(plugins=[skips]).ret == 0


def test_an_expected_failure_is_no_skip(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makepyfile(test_it="import pytest\n@pytest.mark.xfail\ndef test_it(): assert 0\n")
    allow(monkeypatch, pytester.path / "allowed.txt", "# nothing\n\n")
    assert pytester.inline_run("--forbid-skips", plugins=[skips]).ret == 0


def test_an_exception_needs_a_reason(tmp_path: Path) -> None:
    (tmp_path / "allowed.txt").write_text("tests/test_it.py\n")
    with pytest.raises(pytest.UsageError, match=r"tests/test_it\.py has no reason"):
        skips.read_allowed(tmp_path / "allowed.txt")


def test_the_list_can_be_read() -> None:
    assert isinstance(skips.read_allowed(skips.ALLOWED), tuple)
