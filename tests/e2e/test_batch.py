"""Many jobs by one command: --each, labels in a batch, --unique, and names of files."""

from __future__ import annotations

import pytest

from tests.e2e.shell import Shell


def each(sched: Shell, lines: str, *words: str) -> list[str]:
    """Submit a job for each line, and return the ids."""
    return sched.ok("hsubmit", "1", "--each", "-", *words, input=lines).split()


def test_a_job_for_each_shell_line_in_order(sched: Shell) -> None:
    (sched.folder / "lines").write_text("echo $((1+1)) >a\n\nexit 3\n")
    assert sched.ok("hsubmit", "1", "--each", "lines") == "1\n2"
    assert sched.wait("2")["exit_status"] == 3
    assert sched.written("a") == "2\n"


def test_a_line_is_one_argument_byte_for_byte(sched: Shell) -> None:
    line = "a  b'$x\udcff"
    (job,) = each(sched, f"{line}\n", "--out", "o", "--", "printf", "%s\n", "<{}>")
    sched.wait(job)
    assert sched.written("o") == f"<{line}>\n"


def test_nul_separated_lines_keep_their_newlines(sched: Shell) -> None:
    (job,) = each(sched, "a\nb\0", "-0", "--out", "o", "--", "printf", "%s\n", "{}")
    sched.wait(job)
    assert sched.written("o") == "a\nb\n"


def test_no_line_is_no_job_and_no_failure(sched: Shell) -> None:
    done = sched.run("hsubmit", "1", "--each", "-", input="\n\n")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "hsubmit: no line was given, and no job queued\n"
    assert sched.jobs() == []


def test_lines_wait_for_each_other_in_any_order(sched: Shell) -> None:
    last, first, failed, never = each(
        sched,
        "@ afterok:@first -- cat made >seen\n@first -- echo yes >made\n@bad -- exit 1\n"
        "@ afterok:@bad -- echo never\n",
        "--graph",
    )
    assert sched.wait(last)["outcome"] == "succeeded"
    assert sched.written("seen") == "yes\n"
    assert sched.job(last)["depends_on"][0]["id"] == first
    lost = sched.wait(never)
    assert lost["outcome"] == "dependency failed"
    assert f"job {failed} failed" in lost["reason"]


@pytest.mark.parametrize(
    ("lines", "words", "told"),
    [
        ("true\n@a afterok:@b -- x\n", ["--graph"], "no job of this batch has the label @b"),
        ("@a -- x\n@a -- y\n", ["--graph"], "label @a stands twice in the batch"),
        ("@a @b -- x\n@b @a -- y\n", ["--graph"], "would wait for itself"),
        ("x\n", ["echo"], "COMMAND has no {}"),
        ("x\n", ["gzip {}"], "--each needs COMMAND as several words"),
        ("x\n", ["--unique", "k"], "--each goes neither with --array nor with --unique"),
        ("x\0y\n", [], "a NUL byte"),
    ],
)
def test_all_or_none(sched: Shell, lines: str, words: list[str], told: str) -> None:
    done = sched.run("hsubmit", "1", "--each", "-", *words, input=lines)
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr
    assert sched.jobs() == []


def test_a_batch_survives_the_broker(sched: Shell) -> None:
    ids = each(sched, "".join(f"test {n} = {n}\n" for n in range(200)))
    sched.kill_broker()
    assert ids == [str(n) for n in range(1, 201)]
    assert [sched.wait(one)["outcome"] for one in (ids[0], ids[-1])] == ["succeeded"] * 2


def test_a_unique_key_is_queued_once_while_it_lives(sched: Shell) -> None:
    first = sched.submit("--unique", "backup", "1", "sleep", "1000")
    assert sched.submit("--unique", "backup", "1", "echo", "x") == first
    assert sched.submit("--unique", "other", "1", "true") != first
    assert [job["id"] for job in sched.jobs()].count(first) == 1
    sched.kill_broker()
    assert sched.submit("--unique", "backup", "1", "echo", "x") == first
    sched.ok("hkill", first)
    again = sched.submit("--unique", "backup", "1", "true")
    assert int(again) == int(first) + 2


def test_a_unique_key_finds_an_array(sched: Shell) -> None:
    first = sched.submit("--unique", "k", "--array", "0-3", "1", "sleep", "1000")
    assert sched.submit("--unique", "k", "1", "true") == first


def test_patterns_in_the_names_of_files(sched: Shell) -> None:
    job = sched.submit(
        *("--job-name", "a/b", "--out", "%n/%x/%j.out", "--err", "100%%-%j%z", "1"),
        "echo out; echo err >&2",
    )
    assert sched.wait(job)["outcome"] == "succeeded"
    out = sched.folder / "default/a_b" / f"{job}.out"
    assert sched.job(job)["out"] == str(out)
    assert out.read_text() == "out\n"
    assert (sched.folder / f"100%-{job}%z").read_text() == "err\n"


def test_a_folder_without_a_pattern_is_not_made(sched: Shell) -> None:
    job = sched.submit("--out", "missing/%z", "1", "true")
    assert sched.wait(job)["outcome"] == "spawn failed"
    assert not (sched.folder / "missing").exists()


def test_an_index_outside_of_an_array_is_refused(sched: Shell) -> None:
    done = sched.run("hsubmit", "1", "--out", "%a", "true")
    assert done.returncode == 2
    assert "%a in the name of a file" in done.stderr
