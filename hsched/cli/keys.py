"""``hsched keys``: who may speak with a scheduler over TCP."""

from __future__ import annotations

import json
import os

import click

from hsched import network, paths
from hsched.cli.common import Command, put, run
from hsched.errors import HschedError, Refused, WrongUsage
from hsched.network import Keys, Pair
from hsched.wire.message import raw


@click.command(
    "hsched keys",
    cls=Command,
    examples=(
        "hsched keys",
        "hsched keys laptop | ssh laptop hsched keys --install -",
        "hsched keys --remove laptop",
    ),
)
@click.argument("client", required=False, metavar="[CLIENT]")
@click.option(
    "--install", metavar="FILE", help="Keep the keys that CLIENT was given; - is standard input."
)
@click.option("--remove", metavar="CLIENT", help="Forget a client: its key opens nothing more.")
def command(client: str | None, install: str | None, remove: str | None) -> None:
    """Make the keys that schedulers need on other addresses than loopback, and list them.

    With CLIENT, print the keys for one more client, for another machine; whoever has them
    can do all that you can with your schedulers.
    """
    if sum(one is not None for one in (client, install, remove)) > 1:
        raise WrongUsage("give one of CLIENT, --install and --remove")
    path = os.path.join(paths.home(), "network.keys")
    if install is not None:
        put([_install(path, install)])
    elif remove is not None:
        put([_remove(path, remove)])
    elif client is not None:
        put([_bundle(path, client)])
    else:
        keys = network.read(path) if os.path.exists(path) else network.make(path)
        put([f"keys of {len(keys.clients)} clients in {path}"])
        put(f"{name} {pair.public}" for name, pair in keys.clients.items())


def _bundle(path: str, client: str) -> str:
    """Return the keys for ``client``, who is known from now on, as JSON."""
    if not client.isprintable() or " " in client:
        raise WrongUsage(f"client {client!r}: one word")
    keys = network.read(path) if os.path.exists(path) else network.make(path)
    if not keys.server.secret:
        raise Refused(f"{path} has the keys of a client; only the scheduler's own makes more")
    if client not in keys.clients:
        pairs = {**keys.clients, client: network.new_pair()}
        keys = network.write(path, Keys(keys.server, pairs), replace=True)
    theirs = Keys(Pair(keys.server.public, ""), {client: keys.clients[client]})
    return json.dumps(
        {
            "server": theirs.server._asdict(),
            "clients": {client: theirs.clients[client]._asdict()},
        }
    )


def _install(path: str, source: str) -> str:
    """Keep the keys in a file; they take the place of no others."""
    if os.path.exists(path):
        raise Refused(f"{path}: there are keys already; move them away first")
    with open(0 if source == "-" else raw(source), "rb", closefd=source != "-") as file:
        content = file.read(1 << 16)
    try:
        keys = network.parsed(json.loads(content))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise HschedError(f"{source} holds no keys ({error!r})") from error
    network.write(path, keys, replace=False)
    return f"keys of {', '.join(keys.clients)} in {path}"


def _remove(path: str, client: str) -> str:
    keys = network.read(path)
    if client not in keys.clients:
        raise Refused(f"there is no client {client}; there are {', '.join(keys.clients)}")
    pairs = {name: pair for name, pair in keys.clients.items() if name != client}
    network.write(path, Keys(keys.server, pairs), replace=True)
    return f"removed {client}; connections that it has go on until they end"


def main() -> None:
    """Be the program."""
    run(command)
