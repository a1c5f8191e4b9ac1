"""What is typed, and what it means."""

from __future__ import annotations

from pathlib import Path

import pytest

from hsched.cli import words
from hsched.errors import WrongUsage

TAKES_VALUE = {
    "-d": True,
    "--dep": True,
    "-e": True,
    "-err": True,
    "--err": True,
    "--priority": True,
    "-a": False,
    "--append": False,
}


@pytest.mark.parametrize(
    ("typed", "options", "slots", "command"),
    [
        (["1", "ls"], [], "1", ["ls"]),
        (["1", "ls", "-x", "--dep", "3"], [], "1", ["ls", "-x", "--dep", "3"]),
        (["1", "--dep", "3", "ls"], ["--dep", "3"], "1", ["ls"]),
        (["--dep", "3", "1", "ls"], ["--dep", "3"], "1", ["ls"]),
        (["--dep=3", "-a", "1", "-d4", "ls"], ["--dep=3", "-a", "-d4"], "1", ["ls"]),
        (["-ad", "4", "1", "ls"], ["-ad", "4"], "1", ["ls"]),
        (["1", "-err", "f", "ls"], ["-err", "f"], "1", ["ls"]),
        (["1", "-err=f", "ls"], ["-err=f"], "1", ["ls"]),
        (["-1", "ls"], [], "-1", ["ls"]),
        (["0,-1", "ls"], [], "0,-1", ["ls"]),
        (["-1,0", "ls"], [], "-1,0", ["ls"]),
        (["--priority", "-1", "-2", "ls"], ["--priority", "-1"], "-2", ["ls"]),
        (["1", "-1", "ls"], ["-1"], "1", ["ls"]),
        (["1", "--nonsense", "ls"], ["--nonsense"], "1", ["ls"]),
        (["1", "--", "-ls"], [], "1", ["-ls"]),
        (["1", "--", "ls", "--", "x"], [], "1", ["ls", "--", "x"]),
        (["--", "1", "ls"], [], "1", ["ls"]),
        (["--", "1", "--", "ls"], [], "1", ["ls"]),
        (["1", "-"], [], "1", ["-"]),
        (["", "ls"], [], "", ["ls"]),
        (["1", "", "ls"], [], "1", ["", "ls"]),
        (["1", "--dep"], ["--dep"], None, []),
        (["1", "-ad"], ["-ad"], None, []),
        (["1", "--dep", "--", "ls"], ["--dep", "--"], "1", ["ls"]),
        ([], [], None, []),
    ],
)
def test_options_end_where_the_command_begins(
    typed: list[str], options: list[str], slots: str | None, command: list[str]
) -> None:
    assert words.split_submission(typed, TAKES_VALUE) == (options, slots, command)


def test_several_words_are_an_argv_exactly() -> None:
    typed = ["prog", "a  b", "$x", "", "*", "\udcff\n"]
    assert words.argv_or_line(typed, None) == (tuple(typed), None)


@pytest.mark.parametrize("line", ["touch helloworld", "a|b", "echo $HOME", "(ls)", "a\nb", "ls *"])
def test_one_word_that_only_a_shell_understands_is_a_line(line: str) -> None:
    assert words.argv_or_line([line], None) == ((), line)


@pytest.mark.parametrize("word", ["ls", "./a-b_c.d", "/bin/true", "a=b", "naïve", "{}"])
def test_one_plain_word_is_a_program(word: str) -> None:
    assert words.argv_or_line([word], None) == ((word,), None)


def test_a_file_that_exists_is_a_program_whatever_it_is_called(tmp_path: Path) -> None:
    program = tmp_path / "my program (2)"
    program.touch()
    assert words.argv_or_line([str(program)], None) == ((str(program),), None)


def test_shell_says_so_explicitly() -> None:
    assert words.argv_or_line([], "ls") == ((), "ls")
    with pytest.raises(WrongUsage, match="either --shell LINE or COMMAND"):
        words.argv_or_line(["ls"], "ls")


@pytest.mark.parametrize(("typed", "line"), [([], None), ([""], None), ([], "")])
def test_there_must_be_a_command(typed: list[str], line: str | None) -> None:
    with pytest.raises(WrongUsage, match="COMMAND is missing or empty"):
        words.argv_or_line(typed, line)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (["7"], ("7",)),
        (["7,8", "9"], ("7", "8", "9")),
        (["afterok:7"], ("afterok:7",)),
        (["afterok:7,8"], ("afterok:7", "afterok:8")),
        (["afterok:7,after:8,9", "10"], ("afterok:7", "after:8", "after:9", "10")),
        (["7.3"], ("7.3",)),
        (["last,last~2"], ("last", "last~2")),
        (["afterok:last"], ("afterok:last",)),
        (["label:night"], ("label:night",)),
        (
            ["afterok:name:a:b,label:x,7"],
            ("afterok:name:a:b", "afterok:label:x", "afterok:7"),
        ),
        ([], ()),
    ],
)
def test_a_condition_holds_for_the_ids_after_it(typed: list[str], meant: tuple[str, ...]) -> None:
    assert words.dependencies(typed) == meant


@pytest.mark.parametrize(
    "typed",
    [
        *("next", "", "7,", ",7", "afterok:", "7.", ".7", "7.x", "-1", "٣", "--"),
        *("latest", "last~", "last~x", "name:", "afterok:label:"),
    ],
)
def test_what_is_no_id_may_be_an_empty_variable(typed: str) -> None:
    with pytest.raises(WrongUsage, match=r"is no job id; was the variable empty\?"):
        words.dependencies([typed])


def test_an_unknown_condition_is_told_from_a_wrong_id() -> None:
    for condition in ("onfire", "7", "", "after:afterok"):
        with pytest.raises(WrongUsage, match=f"`{condition}` is no condition; one of after, "):
            words.dependencies([f"{condition}:8"])


def test_a_variable_may_hold_anything_but_needs_a_name() -> None:
    assert words.environment(["A=1", "B=", "C=x=y z\n"]) == {"A": "1", "B": "", "C": "x=y z\n"}
    assert words.environment([]) is None
    for wrong in ("A", "=1", ""):
        with pytest.raises(WrongUsage, match="NAME=VALUE"):
            words.environment([wrong])


def test_export_lets_all_none_or_some_through() -> None:
    assert words.exported("ALL") is None
    assert words.exported("NONE") == ()
    assert words.exported("A,B") == ("A", "B")
    for wrong in ("", "A,,B", "A=1"):
        with pytest.raises(WrongUsage, match="--export"):
            words.exported(wrong)


def test_seconds_are_decimal_numbers() -> None:
    assert words.seconds("5") == 5.0
    assert words.seconds("0.5s") == 0.5
    for wrong in ("", "-1", "nan", "inf", "1e9", "5 s", "1_0"):
        with pytest.raises(WrongUsage, match="is no number of seconds"):
            words.seconds(wrong)


def test_signals_have_names_and_numbers() -> None:
    assert [words.signal_number(word) for word in ("INT", "sigint", "2")] == [2, 2, 2]
    for wrong in ("0", "99", "NONSENSE", "", "-9", "SIG"):
        with pytest.raises(WrongUsage, match="is no signal"):
            words.signal_number(wrong)


def test_statuses_are_numbers_with_commas() -> None:
    assert words.statuses("1,137") == (1, 137)
    assert words.statuses("") == ()
    for wrong in ("x", "1,", "256", "-1", "1 2"):
        with pytest.raises(WrongUsage, match="no list of exit statuses"):
            words.statuses(wrong)
