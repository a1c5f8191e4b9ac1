"""Who may ask: pure."""

from __future__ import annotations

import pytest

from hsched.web.guard import HEADERS, fault

TOKEN = "t" * 43
GOOD = {"Host": "127.0.0.1:8765", "Authorization": f"Bearer {TOKEN}"}


@pytest.mark.parametrize("host", ["127.0.0.1:8765", "localhost:9000", "[::1]:80", "127.0.0.1"])
def test_who_has_the_token_may_ask_also_through_a_tunnel(host: str) -> None:
    given = {**GOOD, "Host": host, "Origin": f"http://{host}", "Sec-Fetch-Site": "same-origin"}
    assert fault("/api/events", given, TOKEN) is None


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8765",
        "127.0.0.1.evil.example",
        "localhost.evil:1",
        "",
        "0.0.0.0",
        "127.0.0.1:8765@evil.example",
        "localhost:8765\u0660",
    ],
)
@pytest.mark.parametrize("path", ["/", "/static/app.js", "/api/events"])
def test_another_name_for_loopback_is_refused(path: str, host: str) -> None:
    found = fault(path, {**GOOD, "Host": host}, TOKEN)
    assert found is not None
    assert found[0] == 421


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "http://localhost:8765", "https://127.0.0.1:8765", "null"]
)
def test_another_origin_is_refused_also_with_the_token(origin: str) -> None:
    found = fault("/api/jobs/1/kill", {**GOOD, "Origin": origin}, TOKEN)
    assert found is not None
    assert found[0] == 403


def test_a_request_that_the_browser_says_is_from_elsewhere_is_refused() -> None:
    for site in ("cross-site", "same-site", "none"):
        assert fault("/api/events", {**GOOD, "Sec-Fetch-Site": site}, TOKEN)
    assert fault("/", {"Host": "localhost:1", "Sec-Fetch-Site": "none"}, TOKEN) is None


@pytest.mark.parametrize(
    "given", ["", "Bearer", f"Bearer {TOKEN}x", TOKEN, "Bearer \u00e9", "Bearer \udc80"]
)
def test_without_the_very_token_nothing_is_told(given: str) -> None:
    found = fault("/api/events", {**GOOD, "Authorization": given}, TOKEN)
    assert found is not None
    assert found[0] == 401
    assert "hsched web" in found[1]


def test_scripts_and_styles_come_from_here_alone() -> None:
    policy = HEADERS["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
