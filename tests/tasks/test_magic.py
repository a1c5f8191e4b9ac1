"""${...}: replaced where it stands, exactly, whatever the quotes around it and the value."""

from __future__ import annotations

import os
import subprocess

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hsched.errors import WrongUsage
from hsched.tasks import magic

NASTY = "a b'\"$(touch x);`id`\\*"
VALUES = {
    "HSCHED_RUN_DIR": NASTY,
    "HSCHED_TASK_NAME": "train",
    "HSCHED_FULLNAME": "g/train",
    "HSCHED_FULLPATH": f"{NASTY}/g/train",
    "HSCHED_DEVICE_IDS": "0,2",
    "WHO": "me",
}


def said(line: str) -> list[str]:
    """Return the arguments that a shell gives to a program for ``line``."""
    shown = subprocess.run(
        ["/bin/sh", "-c", line], env={**os.environ, **VALUES}, capture_output=True, check=True
    )
    return shown.stdout.decode().split("\0")[:-1]


SHOW = "printf '%s\\0'"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("${run_dir}", [NASTY]),
        ('"${run_dir}/x"', [f"{NASTY}/x"]),
        ("'${run_dir}/x y'", [f"{NASTY}/x y"]),
        ("a=${task_name}b c", ["a=trainb", "c"]),
        ("'it'\\''s ${fullname}'", ["it's g/train"]),
        ("${env:WHO} ${device_ids}", ["me", "0,2"]),
        ("'$${run_dir}' \"$${run_dir}\" $${x}", ["${run_dir}", "${run_dir}", "${x}"]),
        ('${WHO2:-none} "${WHO2:+set}"', ["none", ""]),
    ],
)
def test_a_shell_line_has_the_values_within_and_without_quotes(line: str, words: list[str]) -> None:
    assert said(f"{SHOW} {magic.shell_line(line)}") == words


@pytest.mark.parametrize("line", ["echo $HOME", "echo ${x%.c} ${#x} ${x:-1}", "awk '{print $1}'"])
def test_what_only_a_shell_understands_is_left_as_it_is(line: str) -> None:
    magic.check(line, {})
    assert magic.shell_line(line) == line


@settings(max_examples=25, deadline=None)
@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20))
@example("hydra.run.dir=${run_dir}/${task_name}")
@example("$${a} '${fullname}' \"")
def test_an_argument_arrives_as_it_is_but_for_magic(word: str) -> None:
    if any(found["name"] for found in magic._magic().finditer(word)):
        magic.check(word, VALUES)
    assert said(f"{SHOW} {magic.quoted(word)}") == [magic.replaced(word, VALUES)]


@pytest.mark.parametrize(
    "text", ["${nope}", "x${hydra:run}y", "${env:NO_SUCH}", "${env:a b}", "${a.b}"]
)
def test_what_is_unknown_is_refused(text: str) -> None:
    with pytest.raises(WrongUsage):
        magic.check(text, {"HOME"})


def test_the_error_names_it_and_says_what_there_is() -> None:
    with pytest.raises(WrongUsage, match=r"\$\{nope\} is no magic variable.*\$\{run_dir\}"):
        magic.check("${nope}", {})
    magic.check("${env:HOME} ${env:HSCHED_ATTEMPT}", {"HOME"})


def test_names_are_filled_and_hold_no_slash() -> None:
    values = {"lr": "0.1", "data": "a/b"}
    assert magic.filled("t-${lr}-${data}", values, lambda name: None) == "t-0.1-a_b"
    with pytest.raises(WrongUsage, match="cannot stand in the name"):
        magic.filled("${task_name}", values, lambda name: None)


def test_a_name_holds_any_key_of_a_list_and_nothing_unknown() -> None:
    values = {"learning-rate": "0.1", "0": "a"}
    assert magic.filled("$${x}-${learning-rate}-${0}", values, lambda name: None) == "${x}-0.1-a"
    for text in ("${learning_rate}", "${x:-1}", "${}", "${1}"):
        with pytest.raises(WrongUsage, match=r"there are \$\{learning-rate\}, \$\{0\}"):
            magic.filled(text, values, lambda name: None)
