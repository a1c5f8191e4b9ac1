"""What all commands share: options, one line for each error, exit status.

A command ends with 0, with the status that its error carries, or by the signal
that interrupted it, so that a shell's loop around it ends as well.
"""

from __future__ import annotations

import contextlib
import functools
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import IO, Any, NoReturn, TypeVar

import click

from hsched import __version__
from hsched.errors import HschedError
from hsched.wire.message import raw, text

F = TypeVar("F", bound=Callable[..., Any])

#: How a command ends that has said all; a child of the warm process tells its status first.
leave: Callable[[int], NoReturn] = os._exit

STATES = ("pending", "starting", "running", "stopping", "done")


class Failure(click.ClickException):
    """A command that could not do it: one line on stderr, and an exit status."""

    def __init__(self, program: str, message: str, status: int) -> None:
        super().__init__(message)
        self.program = program
        self.exit_code = status  # type: ignore[misc] # click reads it from the instance

    def show(self, file: IO[Any] | None = None) -> None:
        """Write the line; control bytes in it are escaped, so it stays one."""
        from hsched.cli.render import printable  # not needed where all goes well

        click.echo(f"{self.program}: {printable(self.message)}", file=file, err=True)


class Option(click.Option):
    """An option whose value is worked out once for all times that it is not typed.

    For a process that is one command after the other: most options are not typed, and to
    come to their defaults is most of what parsing costs.  A default must not change, then,
    and no environment variable stand for it.
    """

    _untyped: tuple[Any, bool, Any] | None = None

    def handle_parse_result(
        self, ctx: click.Context, opts: Mapping[str, Any], args: list[str]
    ) -> tuple[Any, list[str]]:
        """Put the value into ``ctx.params``, and return it."""
        if self.name in opts or ctx.default_map:
            return super().handle_parse_result(ctx, opts, args)
        if self._untyped is None:
            value, args = super().handle_parse_result(ctx, opts, args)
            self._untyped = value, self.name in ctx.params, ctx.params.get(self.name)
            return value, args
        value, is_shown, shown = self._untyped
        if is_shown:
            ctx.params[self.name] = shown
        return value, args


option = functools.partial(click.option, cls=Option)


class Command(click.Command):
    """One of the h* commands, with ``examples`` of how it is typed."""

    def __init__(self, name: str, *, examples: Sequence[str], **settings: Any) -> None:
        settings.setdefault("context_settings", {"help_option_names": ["-h", "--help"]})
        super().__init__(name, **settings)
        self.program = name
        self.examples = tuple(examples)
        self._parser: Any = None
        click.version_option(__version__, message="%(prog)s (hsched) %(version)s")(self)

    def make_context(
        self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any
    ) -> click.Context:
        """Parse ``args``; what is wrong with them is told in one line."""
        named = self.program if parent is None else info_name
        if extra.get("resilient_parsing"):  # a shell asks what may follow
            from hsched.cli.offers import arm

            arm(self, self.program)
        with _one_line(self.program):
            return super().make_context(named, args, parent, **extra)

    def make_parser(self, ctx: click.Context) -> Any:
        """Return what takes words apart; it is made once, and keeps nothing of them."""
        if self._parser is None:
            self._parser = super().make_parser(ctx)
        self._parser.ctx = ctx
        return self._parser

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; the number it returns is its exit status."""
        with _one_line(self.program):
            status = super().invoke(ctx)
            sys.stdout.flush()
        ctx.exit(status or 0)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples below the options."""
        with formatter.section("Examples"):
            for example in self.examples:
                formatter.write(f"  {example}\n")


def run(command: Command) -> None:
    """Be the program ``command``, on the words that were typed."""
    if sys.stdout is None:  # closed by the caller; a socket must not come to be stdout
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 # it stays open to the end
    try:
        command.main([text(os.fsencode(word)) for word in sys.argv[1:]], command.program)
    except SystemExit as end:
        # Everything is flushed and closed, and taking the interpreter apart costs 6 ms.
        leave(end.code if isinstance(end.code, int) else 1)


def scheduler_option(function: F) -> F:
    """Add ``-n/--name``: which scheduler."""
    return option(
        "-n",
        "--name",
        "scheduler",
        metavar="NAME",
        help="Speak with the scheduler NAME; by default HSCHED_NAME, or `default`.",
    )(function)


def json_option(function: F) -> F:
    """Add ``--json``."""
    return option("--json", "as_json", is_flag=True, help="Print a list of objects for scripts.")(
        function
    )


def state_option(function: F) -> F:
    """Add ``--state``, which narrows a choice of jobs."""
    return option(
        "--state",
        "states",
        multiple=True,
        type=click.Choice(STATES),
        metavar="STATE",
        help="Only jobs that are pending, starting, running, stopping or done; repeatable.",
    )(function)


def reads(function: Callable[[Any], Any]) -> Callable[[click.Context, click.Parameter, Any], Any]:
    """Return the click callback that passes a given value through ``function``."""

    def _callback(context: click.Context, parameter: click.Parameter, value: Any) -> Any:
        return None if value is None else function(value)

    return _callback


def put(lines: Iterable[str]) -> None:
    """Write lines to stdout, as the very bytes that they stand for."""
    out = sys.stdout.buffer
    out.writelines(raw(line) + b"\n" for line in lines)
    out.flush()


def complain(program: str, error: HschedError) -> int:
    """Say one error of several on stderr, and return its exit status."""
    Failure(program, str(error), error.exit_status).show()
    return error.exit_status


def on_terminal() -> bool:
    """Return whether a person looks at stdout, on a terminal that can do more than print."""
    return sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def colour_is_forced() -> bool:
    """Return whether CLICOLOR_FORCE asks for colour also where nobody seems to look."""
    forced = os.environ.get("CLICOLOR_FORCE", "0") not in ("", "0")
    return forced and not os.environ.get("NO_COLOR")


def for_people() -> bool:
    """Return whether to print tables for people, and not lines for scripts."""
    return on_terminal() or colour_is_forced()


@contextlib.contextmanager
def _one_line(program: str) -> Iterator[None]:
    """Turn every error that a user can cause into a :class:`Failure`."""
    try:
        yield
    except HschedError as error:
        raise Failure(program, str(error), error.exit_status) from error
    except click.UsageError as error:
        hint = f"{error.format_message().rstrip('.')}; see `{program} --help`"
        raise Failure(program, hint, error.exit_code) from error
    except BrokenPipeError:
        _die_of("SIGPIPE")
    except KeyboardInterrupt:
        _die_of("SIGINT")
    except OSError as error:
        where = f"{os.fsdecode(error.filename)}: " if error.filename else ""
        raise Failure(program, f"{where}{error.strerror or error}", 1) from error


def _die_of(name: str) -> None:
    """End as if the signal had met its default action, which is what shells look at."""
    import signal  # enumerates all signals, which is slow, and is needed here alone

    number = signal.Signals[name]
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
