"""The plan: NUL-terminated fields ``key=value``, the first of them ``plan=1``."""

from __future__ import annotations

import errno
import os

from .files import Failed


class Plan:
    """The fields of a plan; a key that a newer broker has invented is passed over."""

    def __init__(self, data: bytes) -> None:
        fields = data.split(b"\0")
        if fields[0] != b"plan=1" or fields.pop():
            raise Failed("plan", errno.EINVAL)
        pairs = [field.partition(b"=")[::2] for field in fields]
        self._value = dict(pairs)
        self.argv = [value for key, value in pairs if key == b"arg"]
        self.shell = self.get(b"shell")
        if not self.argv and self.shell is None:
            raise Failed("plan", errno.EINVAL)
        variables = [value.partition(b"=")[::2] for key, value in pairs if key == b"env"]
        slots = [value.partition(b"=")[::2] for key, value in pairs if key == b"slot"]
        self.env: dict[bytes, bytes] = {}
        for name, value in variables + slots:
            self.env.setdefault(name, value)  # the first of a name counts, as for getenv
        limits = [value.split(b":") for key, value in pairs if key == b"limit"]
        self.limits = [(int(number), int(soft), int(hard)) for number, soft, hard in limits]
        self.umask = int(self._value.get(b"umask", b"-1"), 8)
        self.grace = int(self._value.get(b"grace", b"5000")) / 1000
        self.mkdirs = self.get(b"mkdirs") == b"1"
        self.leave = self.get(b"leave") == b"1"
        self.cgroup = self.get(b"cgroup")
        self.write_flags = os.O_WRONLY | os.O_CREAT | os.O_NOCTTY
        self.write_flags |= os.O_APPEND if self.get(b"append") == b"1" else os.O_TRUNC

    def get(self, key: bytes) -> bytes | None:
        """Return the value of ``key``, if it was given."""
        return self._value.get(key)
