"""What keys send, as names.  Pure."""

from __future__ import annotations

import codecs

#: What terminals send for the keys that are no characters.
_NAMES = {
    "[A": "up",
    "[B": "down",
    "[5~": "page up",
    "[6~": "page down",
    "[H": "home",
    "[1~": "home",
    "[7~": "home",
    "[F": "end",
    "[4~": "end",
    "[8~": "end",
    "OA": "up",
    "OB": "down",
    "OH": "home",
    "OF": "end",
}
_CHARACTERS = {"\r": "enter", "\n": "enter", "\x7f": "back", "\b": "back"}


class Keys:
    """Takes bytes as they come, which may part a sequence anywhere."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._begun = ""

    @property
    def is_open(self) -> bool:
        """Whether what came last may be Escape, or the begin of another key."""
        return bool(self._begun)

    def feed(self, data: bytes) -> list[str]:
        """Return the keys that are whole by now; those without a meaning are left out."""
        found = []
        for character in self._decoder.decode(data):
            if (key := self._next(character)) is not None:
                found.append(key)
        return found

    def flush(self) -> list[str]:
        """Return what was begun, after some time in which nothing came."""
        begun, self._begun = self._begun, ""
        return ["escape"] if begun == "\x1b" else []

    def _next(self, character: str) -> str | None:
        if not self._begun and character != "\x1b":
            return _CHARACTERS.get(character, character)
        if character == "\x1b":
            again, self._begun = self._begun == "\x1b", "\x1b"
            return "escape" if again else None
        self._begun += character
        inside = self._begun[1:]
        if inside in ("[", "O") or (inside[0] == "[" and not "@" <= character <= "~"):
            return None
        self._begun = ""
        return _NAMES.get(inside)
