"""Lines of text for a screen: spans with a style, cut and padded by cells.  Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.cells import cell_len, set_cell_size

#: A piece of text and its style, as rich names them; an empty style is none.
Span = tuple[str, str]
Line = tuple[Span, ...]

_KIB = 1024


def line(text: str, style: str = "") -> Line:
    """Return a line of one span."""
    return ((text, style),)


def plain(spans: Line) -> str:
    """Return what a line says, without styles."""
    return "".join(text for text, _ in spans)


def fitted(spans: Iterable[Span], width: int, fill: str | None = None) -> Line:
    """Return the line cut to ``width`` cells; padded to it in the style ``fill``, if given."""
    found: list[Span] = []
    left = width
    for text, style in spans:
        size = cell_len(text)
        if size > left:
            found.append((set_cell_size(text, left), style))
            return tuple(found)
        found.append((text, style))
        left -= size
    if fill is not None and left:
        found.append((" " * left, fill))
    return tuple(found)


def shortened(text: str, width: int, mark: str = "…") -> str:
    """Return ``text`` in at most ``width`` cells; what is too long lacks its middle."""
    if cell_len(text) <= width:
        return text
    if width <= len(mark):
        return set_cell_size(text, max(0, width))
    keep = width - len(mark)
    head = set_cell_size(text, (keep + 1) // 2)
    tail = text
    while cell_len(tail) > keep // 2:
        tail = tail[max(1, (cell_len(tail) - keep // 2) // 2) :]
    return head + mark + tail


def padded(text: str, width: int, right: bool = False) -> str:
    """Return ``text`` in exactly ``width`` cells, blanks before it where ``right``."""
    size = cell_len(text)
    if size > width:
        return set_cell_size(text, width)
    return " " * (width - size) + text if right else text + " " * (width - size)


def widest(cells: Sequence[str]) -> int:
    """Return the cells that the widest of them takes; 0 where there is none."""
    return max(map(cell_len, cells), default=0)


def size(amount: float | None) -> str:
    """Return bytes in at most five characters: ``812K``, ``1.4G``; ``-`` for None."""
    if not amount:
        return "-" if amount is None else "0"
    value, units = float(amount), "KMGTP"
    for unit in units:
        value /= _KIB
        if value < 9.95:
            return f"{value:.1f}{unit}"
        if value < 999.5 or unit == units[-1]:
            break
    return f"{value:.0f}{unit}"


def span_of_time(seconds: float) -> str:
    """Return a length of time as a clock would: ``0:07``, ``1:02:03``, ``3d 04:05``."""
    minutes, second = divmod(max(0, int(seconds)), 60)
    hours, minute = divmod(minutes, 60)
    if hours >= 24:
        return f"{hours // 24}d {hours % 24:02}:{minute:02}"
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"
