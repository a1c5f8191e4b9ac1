"""Thin and plain commands side by side: the same bytes, the same status."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.thin.conftest import Installation, Terminal

#: Shell lines, run in this order by one scheduler for each kind.
LINES = (
    "hsubmit --help; hjobs --help; hkill -h; hnslots --help; hstatus --help",
    "hhold --help; hrelease --help; hupdate --help",
    "for c in hsubmit hjobs hkill hnslots hstatus hhold hrelease hupdate; do $c --version; done",
    "hnslots; hnslots free; hnslots used",
    "hnslots --json",
    "hstatus",
    "hstatus --name nobody",
    "hjobs",
    "hjobs --json",
    "hjobs 99",
    "hjobs --no-such-option",
    "hjobs --state asleep",
    "hsubmit",
    "hsubmit 1",
    "hsubmit 99 true",
    "hsubmit 1 --dep '' true",
    "hsubmit 1 --dep 7 true",
    "hsubmit --hold 1 --job-name 'two words' sh -c 'echo \"$1\"' sh '*'",
    'id=$(hsubmit --hold 1 true) && echo "<$id>"',
    "echo `hsubmit --hold 1 true` `hsubmit --hold 1 true`",
    "printf 'true\\nfalse\\n' | hsubmit --hold 1 --each -",
    "printf 'a b\\0c\\n\\0' | hsubmit --hold 1 -0 --each - echo {}",
    "printf 'true\\n' >lines; hsubmit --hold 1 --each lines",
    "printf '%s\\n' '@a -- true' '@b afterok:@a -- false' | hsubmit --hold 1 --graph --each -",
    "hsubmit --hold 1 --each - </dev/null",
    "hsubmit --hold 1 --each nowhere",
    "hsubmit --hold 1 --array 0-3%2 true",
    "hsubmit --hold 1 true $(printf '\\377\\342\\202\\254')",
    "hsubmit --hold 1 true '' \"$(printf 'a\\nb')\" 'é'",
    "hjobs",
    "hjobs pending --why",
    "hjobs --json | tr , '\\n' | grep -v _at",
    "hupdate 1 --priority 5; hjobs 1",
    "hupdate 1 --slots 77; hupdate 77 --priority 1; hupdate",
    "hupdate 1 --time 1h; hrelease 1 && while hjobs 1 >/dev/null 2>&1; do sleep 0.05; done",
    "hrelease 77; hhold 77; hhold 2",
    "hrelease 2 && while hjobs 2 >/dev/null 2>&1; do sleep 0.05; done; hhold 2",
    "hkill 3",
    "hkill 77; hkill; hkill --state done --all",
    "hkill two; hkill 'name:two words'",
    "hjobs --all | cut -c1-20",
    "hnslots set 3; hnslots set 2; hnslots set nothing",
    "hnslots drain cores:0; hnslots undrain cores:0",
    # Streams: together, missing, full, closed early, written in order.
    "hjobs 99 2>&1; hjobs 99 2>/dev/null; hjobs >/dev/null",
    "hjobs --all 2>&1 >/dev/full; hsubmit --help >/dev/full",
    "hjobs --all >&-; hjobs 99 2>&-; hjobs <&-",
    "(hjobs --all; echo $? >status) | true; cat status",
    "(hsubmit --help; echo $? >status) | head -c 1; cat status",
    "(hjobs --all --json; echo $? >status) | :; cat status",
    "(echo before; hnslots; echo after) | cat",
    "hnslots 3>&1 4</dev/null 9>file; cat file",
    # What a process inherits.
    "umask 077; hsubmit --hold 1 true >made; stat -c %a made",
    "umask 027; id=$(hsubmit 0 --out seen --err /dev/null 'umask; pwd; ulimit -n; ulimit -f');"
    "while hjobs $id >/dev/null 2>&1; do sleep 0.05; done; cat seen",
    "ulimit -n 77; ulimit -f 5000; id=$(hsubmit 0 --out seen 'ulimit -n; ulimit -f; ulimit -Hn');"
    "while hjobs $id >/dev/null 2>&1; do sleep 0.05; done; cat seen",
    "mkdir -p 'sub folder' && cd 'sub folder' && id=$(hsubmit 0 --out ../seen pwd) && cd .. &&"
    "while hjobs $id >/dev/null 2>&1; do sleep 0.05; done; cat seen",
    "mkdir gone && cd gone && rmdir ../gone && hnslots; hsubmit 0 true",
    "A=1 B='x y' id=$(A='é\t' hsubmit 0 --out seen 'env | grep -v _ID= | grep -v HOSTNAME');"
    "while hjobs $id >/dev/null 2>&1; do sleep 0.05; done; sort seen | grep -v ^OLDPWD",
    "TZ=Asia/Tokyo hjobs --all | grep -c +09:00",
    "env -i $(command -v hnslots)",
    "HSCHED_NAME=nobody hnslots; HSCHED_HOME=/nonexistent hjobs; HOME= hjobs",
    "(trap '' INT HUP; id=$(hsubmit 0 --out seen 'kill -INT $$; echo here');"
    "while hjobs $id >/dev/null 2>&1; do sleep 0.05; done; cat seen)",
    "hjobs --all | wc -l; hjobs --last 2 | wc -l",
    "hkill --all; hjobs",
)

TIME = re.compile(r"\d{4}-\d\d-\d\d[T/]\d\d[:-]\d\d[:-]\d\d(\+\d\d:\d\d)?")


@pytest.fixture(scope="module")
def pair(installation: Installation) -> Iterator[tuple[Terminal, Terminal]]:
    """A scheduler for thin commands and one for plain ones."""
    thin, plain = Terminal(installation), Terminal(installation)
    try:
        thin.start("2")
        plain.env["HSCHED_THIN"] = "0"
        plain.ok("hstart", "2")
        thin.plain_commands()
        yield thin, plain
    finally:
        thin.close()
        plain.close()


def seen(terminal: Terminal, line: str) -> tuple[str, str, int]:
    """Return what a shell line printed and its status, less what must differ."""
    done = terminal.run("/bin/sh", "-c", line)
    out, err = (
        TIME.sub("TIME", text).replace(str(terminal.home), "HOME")
        for text in (done.stdout, done.stderr)
    )
    return out.replace("HSCHED_THIN=0\n", ""), err, done.returncode


@pytest.mark.parametrize("line", LINES)
def test_a_line_does_the_same(pair: tuple[Terminal, Terminal], line: str) -> None:
    thin, plain = pair
    assert seen(thin, line) == seen(plain, line)


def test_hardly_any_of_them_needed_python_itself(pair: tuple[Terminal, Terminal]) -> None:
    thin, _ = pair
    counted = thin.plain_commands()
    assert len(counted) <= 8, counted
