"""Names of tasks are names of folders, and nothing else."""

from __future__ import annotations

import pytest

from hsched.core.names import fault_of_part, fault_of_whole


@pytest.mark.parametrize("name", ["train", "lr=0.1", "ä b", "7", "x" * 255, "..."])
def test_what_can_be_a_folder_can_be_a_name(name: str) -> None:
    assert not fault_of_part(name)
    assert not fault_of_whole(name)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "empty"),
        ("a/b", "slash"),
        ("..", "another folder"),
        (".", "another folder"),
        ("a\0b", "control"),
        ("a\nb", "control"),
        ("x" * 300, "300 bytes"),
        ("ä" * 150, "300 bytes"),
        ("\ud800", "no text"),
        ("stdout.log", "log"),
    ],
)
def test_what_cannot_be_one_is_told(name: str, why: str) -> None:
    assert why in fault_of_part(name)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("group/../../etc", "another folder"),
        ("group//task", "empty"),
        ("/etc", "empty"),
        ("a/" * 150 + "b", "with its groups"),
        ("records/7-1", "already"),
        ("7.out", "already"),
        ("7.3.err/x", "already"),
    ],
)
def test_a_full_name_stays_in_the_runs_folder(name: str, why: str) -> None:
    assert why in fault_of_whole(name)
