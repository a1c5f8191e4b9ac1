"""Docs that repeat the code must repeat it truly."""

from __future__ import annotations

from pathlib import Path

from hsched.core.transitions import render

ROOT = Path(__file__).parents[1]


def test_the_table_of_a_jobs_life_is_that_of_the_core() -> None:
    text = (ROOT / "docs/architecture.md").read_text()
    _, _, rest = text.partition("render() -->\n```\n")
    table, _, _ = rest.partition("```\n<!-- end -->")
    assert table.rstrip("\n") == render()
