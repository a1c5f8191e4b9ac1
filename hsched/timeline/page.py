"""A timeline as one HTML file, which needs nothing else and no network."""

from __future__ import annotations

from hsched.timeline.layout import Timeline
from hsched.timeline.svg import asset, draw, text

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"


def page(picture: Timeline) -> str:
    """Return an HTML document with the picture in it, and tips where the pointer is."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{text(picture.title)}</title>\n"
        f"<style>\n{asset('timeline.css')}{asset('page.css')}</style>\n</head>\n<body>\n"
        f"{draw(picture, style=False)}"
        '<p id="tip" role="status" hidden></p>\n'
        f"<script>\n{asset('tips.js')}</script>\n</body>\n</html>\n"
    )
