"""Filters such as ``status==done and priority>1``: a small language, parsed and never run.

    either  = both { "or" both }          both   = one { "and" one }
    one     = "not" one | "(" either ")" | ATTRIBUTE COMPARISON VALUE
    COMPARISON is == = != < <= > >= or =~ (a regular expression matches all of it)

A value is a word, a number, or text in quotes.  What has no value fits `!=` alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Mapping

from hsched.errors import WrongUsage
from hsched.tasks.status import Value

Filter = Callable[[Callable[[str], Value]], bool]

_TOKEN = re.compile(
    r"""\s*(?:(?P<comparison>==|!=|<=|>=|=~|<|>|=)|(?P<bracket>[()])
    |"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<word>[^\s()<>=!~"']+))""",
    re.X,
)
_KEYWORDS = ("and", "or", "not")
_MAX_DEPTH = 50

#: So many characters of a filter are quoted by an error.
_SHOWN = 80

_ORDER: Mapping[str, Callable[[int], bool]] = {
    "==": lambda sign: sign == 0,
    "=": lambda sign: sign == 0,
    "!=": lambda sign: sign != 0,
    "<": lambda sign: sign < 0,
    "<=": lambda sign: sign <= 0,
    ">": lambda sign: sign > 0,
    ">=": lambda sign: sign >= 0,
}


def parse(text: str, attributes: Container[str]) -> Filter:
    """Return the function that says whether something fits ``text``; it gets the look-up.

    Raises:
        WrongUsage: it is no filter, or names an attribute that there is not.
    """
    parser = _Parser(text, attributes)
    found = parser.either(0)
    parser.end()
    return found


class _Parser:
    def __init__(self, text: str, attributes: Container[str]) -> None:
        self._text, self._attributes = text, attributes
        self._tokens = self._split()
        self._next = 0

    def either(self, depth: int) -> Filter:
        terms = [self._both(depth)]
        while self._take("word", "or"):
            terms.append(self._both(depth))
        return lambda look: any(term(look) for term in terms)

    def end(self) -> None:
        if self._next < len(self._tokens):
            raise self._wrong(f"`{self._tokens[self._next][1]}` is too much")

    def _both(self, depth: int) -> Filter:
        terms = [self._one(depth)]
        while self._take("word", "and"):
            terms.append(self._one(depth))
        return lambda look: all(term(look) for term in terms)

    def _one(self, depth: int) -> Filter:
        if depth > _MAX_DEPTH:
            raise self._wrong("it is nested too deeply")
        if self._take("word", "not"):
            inner = self._one(depth + 1)
            return lambda look: not inner(look)
        if self._take("bracket", "("):
            inner = self.either(depth + 1)
            if not self._take("bracket", ")"):
                raise self._wrong("a `)` is missing")
            return inner
        return self._comparison()

    def _comparison(self) -> Filter:
        name = self._need("word", "an attribute such as status")
        if name not in self._attributes:
            raise self._wrong(f"a task has no attribute `{name}`")
        sign = self._need("comparison", f"a comparison such as == after `{name}`")
        kind, value = self._tokens[self._next] if self._next < len(self._tokens) else ("", "")
        if kind not in ("word", "text") or (kind == "word" and value in _KEYWORDS):
            raise self._wrong(f"a value is missing after `{name} {sign}`")
        self._next += 1
        if sign == "=~":
            pattern = self._pattern(value)
            return lambda look: pattern.fullmatch(str(look(name) or "")) is not None
        test = _ORDER[sign]
        return lambda look: _compared(look(name), value, test)

    def _pattern(self, value: str) -> re.Pattern[str]:
        try:
            return re.compile(value)
        except re.error as error:
            raise self._wrong(f"`{value}` is no regular expression ({error})") from None

    def _need(self, kind: str, what: str) -> str:
        if self._next >= len(self._tokens) or self._tokens[self._next][0] != kind:
            raise self._wrong(f"{what} is missing")
        self._next += 1
        return self._tokens[self._next - 1][1]

    def _take(self, kind: str, value: str) -> bool:
        is_there = self._next < len(self._tokens) and self._tokens[self._next] == (kind, value)
        self._next += is_there
        return is_there

    def _split(self) -> list[tuple[str, str]]:
        tokens: list[tuple[str, str]] = []
        position = 0
        text = self._text.rstrip()
        while position < len(text):
            found = _TOKEN.match(text, position)
            if found is None:
                raise self._wrong(f"`{text[position:].strip()[:20]}` is none of it")
            kind = found.lastgroup or ""
            tokens.append(("text" if kind in ("double", "single") else kind, found[kind]))
            position = found.end()
        return tokens

    def _wrong(self, why: str) -> WrongUsage:
        shown = self._text if len(self._text) <= _SHOWN else f"{self._text[:_SHOWN]}..."
        return WrongUsage(f"filter `{shown}`: {why}")


def _compared(found: Value, wanted: str, test: Callable[[int], bool]) -> bool:
    """Compare as numbers where both are, else as text; what is not there only differs."""
    if found is None:
        return test(-1) and test(1)
    if isinstance(found, (int, float)):
        number = _number(wanted)
        if number is None:
            return test(-1) and test(1)
        return test((found > number) - (found < number))
    return test((found > wanted) - (found < wanted))


def _number(word: str) -> float | None:
    try:
        return float(word)
    except ValueError:
        return None
