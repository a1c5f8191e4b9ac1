"""Who may ask: whoever has the token, from a page of this very server.  Pure.

A page of another site can make a browser send requests here, under a name of its own that
leads to loopback (DNS rebinding), so the names are checked as well.  The token stands in
the fragment of the address, which browsers send to nobody, and comes in a header that no
other page can set; there is no cookie that would come by itself.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping

#: Loopback by its own names; the port is that of a tunnel, where there is one.
_HOST = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:[0-9]{1,5})?", re.ASCII)

_POLICY = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    "img-src 'self' data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
)

#: What every answer says to the browser.
HEADERS = {
    "Content-Security-Policy": "; ".join(_POLICY),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}


def fault(path: str, headers: Mapping[str, str], token: str) -> tuple[int, str] | None:
    """Return the status and the reason to refuse a request, None where there is none."""
    host = headers.get("Host", "")
    if not _HOST.fullmatch(host):
        return 421, "this server is 127.0.0.1 and answers to no other name"
    origin = headers.get("Origin")
    if origin is not None and origin != f"http://{host}":
        return 403, "pages of other servers may not ask"
    if not path.startswith("/api/"):
        return None  # the empty page; what it shows comes from /api/
    if headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        return 403, "pages of other servers may not ask"
    given = headers.get("Authorization", "")
    if not hmac.compare_digest(given.encode(errors="replace"), f"Bearer {token}".encode()):
        return 401, "open the address that `hsched web` has printed, with its token"
    return None
