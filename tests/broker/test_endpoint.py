"""The endpoint: what the broker hears while it hears nothing else."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import zmq

from hsched.broker.endpoint import Endpoint


@pytest.fixture
def endpoint(tmp_path: Path) -> Iterator[Endpoint]:
    opened = Endpoint(str(tmp_path / "socket"))
    yield opened
    opened.close()


def test_who_waits_for_a_message_is_woken_by_it(endpoint: Endpoint) -> None:
    def ask() -> None:
        with zmq.Context() as context, context.socket(zmq.DEALER) as client:
            client.connect(endpoint.address)
            client.send(b"hello")

    asking = threading.Thread(target=ask)
    asking.start()
    assert endpoint.wait(60.0)
    assert endpoint.readable
    asking.join()


def test_who_waits_in_vain_is_told(endpoint: Endpoint) -> None:
    assert not endpoint.wait(0.001)
