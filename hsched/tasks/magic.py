"""``${run_dir}`` and its kin: found, checked, and turned into what a shell or Python replaces.

Magic is ``${name}`` and ``${env:NAME}``.  What a shell alone understands, such as
``${x:-1}``, is left to it, and ``$${`` stands for ``${`` as it is.  The values come with
the start of the task, in its environment, so here names of variables take their places;
whatever a value holds is then one piece of a word, and never a piece of the shell's grammar.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterator, Mapping
from shlex import quote

from hsched.errors import WrongUsage

#: The variables that a task finds its values in.
VARIABLES = {
    "run_dir": "HSCHED_RUN_DIR",
    "task_name": "HSCHED_TASK_NAME",
    "fullname": "HSCHED_FULLNAME",
    "fullpath": "HSCHED_FULLPATH",
    "device_ids": "HSCHED_DEVICE_IDS",
}

#: Compiled when it is used, which is seldom: that takes longer than to import all of this.
_MAGIC = r"(?P<literal>\$\$\{)|\$\{(?P<name>[A-Za-z_][\w.]*(?::(?![-+=?])[^{}]*)?)\}"
_VARIABLE = r"[A-Za-z_]\w*"

#: In a name nothing is left to a shell, and the key of a list is whatever an option is called.
_IN_NAME = r"(?P<literal>\$\$\{)|\$\{(?P<name>[^{}]*)\}"

#: What hsched itself puts into the environment of a job, at its start.
_OURS = ("HSCHED_", "QUEUE", "CUDA_", "OMP_")


def _magic() -> re.Pattern[str]:
    return re.compile(_MAGIC, re.A)  # which remembers it


def variable(name: str) -> str:
    """Return the environment variable that ``${name}`` stands for.

    Raises:
        WrongUsage: it stands for none.
    """
    if name.startswith("env:") and re.fullmatch(_VARIABLE, name[4:], re.A):
        return name[4:]
    if name not in VARIABLES:
        known = ", ".join(f"${{{one}}}" for one in (*VARIABLES, "env:VAR"))
        raise WrongUsage(
            f"${{{name}}} is no magic variable; there are {known}, and $${{{name}}} stands "
            f"for ${{{name}}} as it is"
        )
    return VARIABLES[name]


def used_in(text: str) -> bool:
    """Return whether ``text`` holds magic, or the sign that stands for none."""
    return "${" in text and _magic().search(text) is not None


def check(text: str, environment: Container[str]) -> None:
    """Check all magic in ``text`` for a task that starts with ``environment``.

    Raises:
        WrongUsage: it is unknown, or names a variable that will not be there.
    """
    for found in _magic().finditer(text) if "${" in text else ():
        name = found["name"]
        if name is None or (wanted := variable(name)) in environment:
            continue
        if not wanted.startswith(_OURS):
            raise WrongUsage(f"${{{name}}}: the environment has no variable {wanted}")


def replaced(text: str, environment: Mapping[str, str]) -> str:
    """Return ``text`` with its magic replaced from the environment of a task that runs."""
    if "${" not in text:
        return text

    def value(found: re.Match[str]) -> str:
        return "${" if found["name"] is None else environment.get(variable(found["name"]), "")

    return _magic().sub(value, text)


def quoted(word: str) -> str:
    """Return one argument for a shell line: its magic is replaced there, all else is exact."""
    if not used_in(word):
        return quote(word)
    return "".join(
        (f'"${{{piece}}}"' if is_variable else quote(piece)) for is_variable, piece in _pieces(word)
    )


def _pieces(word: str) -> Iterator[tuple[bool, str]]:
    """Yield the parts of ``word``: whether it is a variable, and its name or the text."""
    end = 0
    literal = ""
    for found in _magic().finditer(word):
        literal += word[end : found.start()]
        end = found.end()
        if found["name"] is None:
            literal += "${"
            continue
        if literal:
            yield False, literal
        literal = ""
        yield True, variable(found["name"])
    if literal + word[end:]:
        yield False, literal + word[end:]


def shell_line(line: str) -> str:
    """Return a line for the shell in which magic is replaced wherever it stands in quotes.

    Outside of quotes a value is still one word; within single quotes, where a shell
    replaces nothing, the quotes are left for the value's sake.
    """
    return _requoted(line) if used_in(line) else line


def _requoted(line: str) -> str:
    result: list[str] = []
    quote_now = ""
    position = 0
    while position < len(line):
        character = line[position]
        found = _magic().match(line, position) if character == "$" else None
        if found is not None:
            name = found["name"]
            result.append(_within(quote_now, name and variable(name)))
            position = found.end()
            continue
        if character == "\\" and quote_now != "'":
            result.append(line[position : position + 2])
            position += 2
            continue
        if character in "'\"" and quote_now in ("", character):
            quote_now = "" if quote_now else character
        result.append(character)
        position += 1
    return "".join(result)


def _within(quote_now: str, name: str | None) -> str:
    """Return a variable, or ``${`` as it is, as it must stand within these quotes."""
    if name is None:
        return "${" if quote_now == "'" else r"\${"
    reference = f"${{{name}}}"
    if quote_now == '"':
        return reference
    return f"'\"{reference}\"'" if quote_now else f'"{reference}"'


def filled(text: str, values: Mapping[str, str], also: Callable[[str], str | None]) -> str:
    """Return a task's name with its ``${...}`` replaced, from ``values`` or by ``also``.

    Raises:
        WrongUsage: one is neither here nor there.
    """

    def value(found: re.Match[str]) -> str:
        name = found["name"]
        if name is None:
            return "${"
        given = values.get(name)
        given = also(name) if given is None else given
        if given is None:
            known = ", ".join(f"${{{one}}}" for one in (*values, "env:VAR"))
            raise WrongUsage(f"${{{name}}} cannot stand in the name of a task; there are {known}")
        return given.replace("/", "_")

    return re.sub(_IN_NAME, value, text) if "${" in text else text
