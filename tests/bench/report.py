"""What a benchmark hands back, and how that looks as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple


class Table(NamedTuple):
    """A table with a header; ``note`` says how it was measured."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


class Headline(NamedTuple):
    """One line of the short table: what it costs here, and what others cost in the same run."""

    what: str
    hsched: str
    others: str


@dataclass(slots=True)
class Report:
    """All that one benchmark has found; ``charts`` are SVG documents by file name."""

    title: str
    tables: list[Table] = field(default_factory=list)
    headlines: list[Headline] = field(default_factory=list)
    charts: dict[str, str] = field(default_factory=dict)


def markdown(table: Table) -> str:
    """Return a table as Markdown, its columns as wide as they need to be."""
    rows = [table.header, *table.rows]
    widths = [max(3, *(len(row[i]) for row in rows)) for i in range(len(table.header))]
    rule = [":" + "-" * (widths[0] - 1), *("-" * (width - 1) + ":" for width in widths[1:])]
    lines = [_line(table.header, widths), "| " + " | ".join(rule) + " |"]
    lines += [_line(row, widths) for row in table.rows]
    return "\n".join(lines)


def section(report: Report) -> str:
    """Return a report as a section of a Markdown document."""
    parts = [f"## {report.title}"]
    for table in report.tables:
        parts += [f"### {table.title}"] if len(report.tables) > 1 else []
        parts += [table.note] if table.note else []
        parts.append(markdown(table))
    parts += [f"![{report.title}]({name})" for name in report.charts]
    return "\n\n".join(parts)


def document(reports: Iterable[Report], machine: str, about: str) -> str:
    """Return the whole document: the short table first, then each report."""
    reports = list(reports)
    lines = tuple(tuple(line) for report in reports for line in report.headlines)
    short = markdown(Table("", ("", "hsched", "beside it"), lines))
    return (
        "\n\n".join(
            ["# What hsched costs", about, machine, "## In short", short, *map(section, reports)]
        )
        + "\n"
    )


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first = cells[0].ljust(widths[0])
    others = [cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True)]
    return "| " + " | ".join([first, *others]) + " |"
