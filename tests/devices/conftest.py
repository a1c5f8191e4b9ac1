"""The terminals of the tests of whole commands."""

from __future__ import annotations

from tests.e2e.conftest import shell

__all__ = ["shell"]
