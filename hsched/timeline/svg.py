"""A timeline written down as SVG; all that looks like something is in ``timeline.css``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import escape
from importlib.resources import files

from hsched.timeline.layout import Group, Timeline
from hsched.timeline.levels import Level
from hsched.timeline.pieces import Merged, Piece
from hsched.timeline.waits import Wait

#: What no XML may hold, however it is written: control characters and lone surrogates.
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_HATCHES = (
    '<defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" '
    'patternTransform="rotate(45)"><path class="hatch" d="M0 0V6"/></pattern></defs>'
)
_LINE_PX = 15


def draw(picture: Timeline, style: bool = True) -> str:
    """Return an SVG document; without ``style`` one that the page around it has to style."""
    width, height = picture.width, picture.height + _LINE_PX * len(picture.notes)
    css = f"<style>{asset('timeline.css')}</style>\n" if style else ""
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="timeline" role="img" '
        f'aria-label="{text(picture.title)}" viewBox="0 0 {width} {height:g}" '
        f'width="{width}" height="{height:g}">\n{css}{_HATCHES}\n'
        '<rect class="paper" width="100%" height="100%"/>\n'
    )
    return head + "\n".join(_parts(picture)) + "\n</svg>\n"


def text(value: str) -> str:
    """Return ``value`` as it stands in XML, in an attribute as well."""
    return escape(_FORBIDDEN.sub("\ufffd", value), quote=True)


def asset(name: str) -> str:
    """Return the text of a file that comes with this package."""
    return files("hsched.timeline").joinpath(name).read_text("utf-8")


def _parts(picture: Timeline) -> Iterator[str]:
    yield f'<text class="title" x="{picture.left:g}" y="22">{text(picture.title)}</text>'
    yield from _legend(picture)
    for left, right in picture.off:
        height = picture.bottom - picture.top
        yield (
            f'<rect class="off" x="{left:.1f}" y="{picture.top:g}" width="{right - left:.1f}" '
            f'height="{height:g}"><title>the scheduler was stopped</title></rect>'
        )
    for tick in picture.ticks:
        kind = "day" if tick.is_day else "grid"
        yield f'<path class="{kind}" d="M{tick.x:.1f} {picture.top:g}V{picture.bottom + 6:g}"/>'
        yield f'<text class="mid" x="{tick.x:.1f}" y="{picture.bottom + 20:g}">{tick.label}</text>'
    for group in picture.groups:
        yield from _group(picture, group)
    yield from map(_merged, picture.merged)
    for piece in picture.pieces:
        yield from _piece(piece)
    for level in picture.levels:
        yield from _level(picture, level)
    yield from _waits(picture)
    for number, note in enumerate(picture.notes):
        y = picture.bottom + 46 + number * _LINE_PX
        yield f'<text class="note" x="{picture.left:g}" y="{y:g}">{text(note)}</text>'


def _legend(picture: Timeline) -> Iterator[str]:
    """Yield samples of what occurs."""
    pieces = picture.pieces
    samples = [
        ("c0", "a job, coloured by name", bool(pieces)),
        ("c0 live", "runs", any(piece.live for piece in pieces)),
        ("c0 failed", "\u2717 did not succeed", any(piece.failed for piece in pieces)),
        ("hatched", "\u2016 suspended", any(piece.suspended for piece in pieces)),
        ("wait", "waits", bool(picture.waits)),
        ("merged", "short jobs, merged", bool(picture.merged)),
        ("off", "scheduler stopped", bool(picture.off)),
    ]
    x = picture.left
    for kind, label, occurs in samples:
        if occurs:
            yield f'<rect class="{kind}" x="{x:g}" y="34" width="22" height="12"/>'
            if "failed" in kind:
                yield f'<path class="end" d="M{x + 20.5:g} 34v12"/>'
            yield f'<text x="{x + 28:g}" y="44">{label}</text>'
            x += 28 + 7 * len(label) + 18


def _group(picture: Timeline, group: Group) -> Iterator[str]:
    left, right = picture.left, picture.right
    yield f'<text class="name" x="{left:g}" y="{group.top - 5:g}">{text(group.name)}</text>'
    for row in group.rows:
        kind = "row drained" if row.drained else "row"
        yield (
            f'<rect class="{kind}" x="{left:g}" y="{row.top:g}" width="{right - left:g}" '
            f'height="{row.height:g}"/>'
        )
        if row.label:
            y = row.top + row.height / 2 + 4
            kind = "index struck" if row.drained else "index"
            yield f'<text class="{kind}" x="{left - 7:g}" y="{y:g}">{row.label}</text>'


def _piece(piece: Piece) -> Iterator[str]:
    kind = f"job c{piece.colour}" + (" live" if piece.live else "")
    box = f'x="{piece.x:.1f}" y="{piece.y:g}" width="{piece.width:.1f}" height="{piece.height:g}"'
    yield f'<g class="piece" data-job="{text(piece.job)}"><title>{text(piece.tip)}</title>'
    yield f'<rect class="{kind}" {box}/>'
    if piece.suspended:
        yield f'<rect class="hatched" {box}/>'
    if piece.failed:
        thin = piece.width < 8
        kind = "end thin" if thin else "end"
        x = piece.x + piece.width - (1.0 if thin else 1.5)
        yield f'<path class="{kind}" d="M{x:.1f} {piece.y + 1:g}v{piece.height - 2:g}"/>'
    if piece.label:
        x, y = piece.x + piece.width / 2, piece.y + piece.height / 2 + 3.8
        small = " small" if piece.height < 12 else ""
        yield (
            f'<text class="label l{piece.colour}{small}" x="{x:.1f}" y="{y:.1f}">'
            f"{text(piece.label)}</text>"
        )
    yield "</g>"


def _merged(merged: Merged) -> str:
    bottom = merged.y + merged.height
    path = [f"M{merged.x:g} {bottom:g}"]
    for number, share in enumerate(merged.heights):
        # What ran at all is seen, however short it was.
        top = bottom - max(1.5, share * (merged.height - 1))
        path.append(f"V{top:.1f}H{merged.x + (number + 1) * merged.step:g}")
    path.append(f"V{bottom:g}Z")
    return f'<path class="merged" d="{"".join(path)}"><title>{text(merged.tip)}</title></path>'


def _level(picture: Timeline, level: Level) -> Iterator[str]:
    left, right = picture.left, picture.right
    yield f'<text class="name" x="{left:g}" y="{level.top - 5:g}">{text(level.label)}</text>'
    yield (
        f'<rect class="row" x="{left:g}" y="{level.top:g}" width="{right - left:g}" '
        f'height="{level.height:g}"/>'
    )
    yield (
        f'<path class="{level.kind}" d="{_outline(level)}"><title>{text(level.tip)}</title></path>'
    )
    yield f'<text class="index" x="{left - 7:g}" y="{level.top + 10:g}">{text(level.most)}</text>'
    yield f'<text class="index" x="{left - 7:g}" y="{level.bottom:g}">0</text>'


def _outline(level: Level) -> str:
    path = [f"M{level.left:g} {level.bottom:g}"]
    before = 0.0
    for column, share in enumerate(level.heights):
        if share != before:
            path.append(f"H{level.left + column:g}V{level.bottom - level.height * share:.1f}")
            before = share
    return "".join([*path, f"H{level.left + len(level.heights):g}V{level.bottom:g}Z"])


def _waits(picture: Timeline) -> Iterator[str]:
    waits: Sequence[Wait] = picture.waits
    if waits:
        y = picture.waits_top - 5
        yield f'<text class="name" x="{picture.left:g}" y="{y:g}">jobs that wait</text>'
    for wait in waits:
        kind = "wait" + (" tried" if wait.tried else "")
        yield f'<g class="piece" data-job="{text(wait.job)}"><title>{text(wait.tip)}</title>'
        yield (
            f'<rect class="{kind}" x="{wait.x:.1f}" y="{wait.top:g}" width="{wait.width:.1f}" '
            f'height="{wait.height:g}"/>'
        )
        if wait.label:
            y = wait.top + wait.height - 1.6
            yield (f'<text class="waiter" x="{wait.x + 3:.1f}" y="{y:g}">{text(wait.label)}</text>')
        yield "</g>"
