"""Tests of the thin client and the warm process."""
