"""A TCP address in place of the socket file, and the CURVE keys without which there is none.

Nothing goes over TCP in clear, and who may speak with a scheduler there is who has a key.
On loopback the keys are made when they are needed; for other addresses `hsched keys` makes
them.  A file of keys is readable by its owner alone.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any, NamedTuple

from hsched import paths
from hsched.errors import HschedError, NotPermitted, WrongUsage

DEFAULT_PORT = 7653

#: The client whose keys lie beside those of the server.
OURS = "owner"

_HIGHEST_PORT = 65535


class Tcp(NamedTuple):
    """Where a scheduler listens, or is reached."""

    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can speak with it."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @property
    def is_v6(self) -> bool:
        """Whether the host is an address of IPv6."""
        return ":" in self.host

    @property
    def endpoint(self) -> str:
        """The address as ZeroMQ writes it."""
        return f"tcp://{self}"

    def __str__(self) -> str:
        host = f"[{self.host}]" if self.is_v6 else self.host
        return f"{host}:{self.port}"


class Pair(NamedTuple):
    """A public key and its secret, in Z85."""

    public: str
    secret: str


class Keys(NamedTuple):
    """The keys of a scheduler, as far as we know them, and those of its clients by name.

    On a client's machine there is no secret of the server, and only one client.
    """

    server: Pair
    clients: Mapping[str, Pair]

    def own(self) -> Pair:
        """Return the keys that we speak with.

        Raises:
            NotPermitted: there are none.
        """
        if not self.clients:
            raise NotPermitted("there is no key of a client; `hsched keys` makes one")
        return self.clients.get(OURS) or next(iter(self.clients.values()))

    def name_of(self, public: str) -> str | None:
        """Return whose key that is, None where it is nobody's."""
        return next((name for name, pair in self.clients.items() if pair.public == public), None)


def address(environment: Mapping[str, str] = os.environ) -> Tcp | None:
    """Return the address in ``HSCHED_HOST`` and ``HSCHED_PORT``, None where neither is set.

    Raises:
        WrongUsage: they are no address.
    """
    host, port = environment.get("HSCHED_HOST", ""), environment.get("HSCHED_PORT", "")
    return parse(host, port) if host or port else None


def parse(host: str, port: str) -> Tcp:
    """Return the address; the machine itself and port 7653 where one is not given.

    Raises:
        WrongUsage: they are no address.
    """
    host = host.strip("[]") or "127.0.0.1"
    if not host.replace(":", "").replace(".", "").replace("-", "").isalnum():
        raise WrongUsage(f"HSCHED_HOST `{host}` is no host")
    port = port or str(DEFAULT_PORT)
    if not (port.isascii() and port.isdigit() and 0 < int(port[:9]) <= _HIGHEST_PORT):
        raise WrongUsage(f"HSCHED_PORT `{port}` is no port: 1 to {_HIGHEST_PORT}")
    return Tcp("127.0.0.1" if host == "localhost" else host, int(port))


def key_file(tcp: Tcp) -> str:
    """Return the path of the keys for an address: loopback has its own."""
    return os.path.join(paths.home(), "loopback.keys" if tcp.is_loopback else "network.keys")


def keys_for(tcp: Tcp) -> Keys:
    """Return the keys for an address; those of loopback are made where there are none.

    Raises:
        NotPermitted: there are none, or others may read them.
    """
    path = key_file(tcp)
    if not os.path.exists(path):
        if not tcp.is_loopback:
            raise NotPermitted(
                f"{tcp} is no loopback address and there are no keys for it ({path}); make them "
                "with `hsched keys`, or install those of the scheduler with `hsched keys --install`"
            )
        make(path)
    return read(path)


def make(path: str) -> Keys:
    """Make new keys at ``path``, unless some are there by then, and return those that are.

    Raises:
        HschedError: this ZeroMQ knows no CURVE, or the file cannot be written.
    """
    return write(path, Keys(new_pair(), {OURS: new_pair()}), replace=False)


def new_pair() -> Pair:
    """Return fresh keys.

    Raises:
        HschedError: this ZeroMQ knows no CURVE.
    """
    import zmq  # for few, and slow to import

    if not zmq.has("curve"):
        raise HschedError("this ZeroMQ was built without CURVE; nothing is sent over TCP in clear")
    public, secret = zmq.curve_keypair()
    return Pair(public.decode(), secret.decode())


def write(path: str, keys: Keys, *, replace: bool) -> Keys:
    """Write keys for their owner alone; with ``replace`` in place of others.

    Returns:
        The keys that are there now: another process may have been faster.

    Raises:
        HschedError: the file cannot be written.
    """
    fresh = f"{path}.{os.getpid()}"
    content = {
        "server": keys.server._asdict(),
        "clients": {name: pair._asdict() for name, pair in keys.clients.items()},
    }
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            json.dump(content, file, indent=1)
            os.fchmod(descriptor, 0o600)
        try:
            (os.replace if replace else os.link)(fresh, path)
        except FileExistsError:
            pass
        finally:
            if not replace:
                os.unlink(fresh)
    except OSError as error:
        raise HschedError(f"{path}: {error.strerror}; the keys cannot be kept") from error
    return read(path)


def read(path: str) -> Keys:
    """Return the keys at ``path``.

    Raises:
        NotPermitted: others own the file, or may read it.
        HschedError: it holds no keys.
    """
    try:
        with open(path, "rb") as file:
            found = os.fstat(file.fileno())
            if found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) & 0o077:
                raise NotPermitted(f"{path}: keys are for their owner alone; chmod 600 it")
            return parsed(json.load(file))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise HschedError(f"{path} holds no keys ({error!r})") from error
    except OSError as error:
        raise HschedError(f"{path}: {error.strerror}") from error


def parsed(content: Any) -> Keys:
    """Return the keys that JSON spells.

    Raises:
        ValueError, KeyError, TypeError: it spells none.
    """
    clients = {str(name): _pair(pair) for name, pair in content["clients"].items()}
    return Keys(_pair(content["server"]), clients)


def _pair(content: Any) -> Pair:
    public, secret = content["public"], content["secret"]
    if len(public) != 40 or len(secret) not in (0, 40):
        raise ValueError("a key has 40 characters")
    return Pair(str(public), str(secret))
