"""The server: a page, its live state, and the few things that it may ask for."""

from __future__ import annotations

import asyncio
import contextlib
import re
import secrets
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from importlib.resources import files

from aiohttp import web

from hsched.client import AsyncClient
from hsched.errors import HschedError, NoSuchJob, NotRunning
from hsched.timeline import Options, draw, lay_out
from hsched.timeline.history import Past
from hsched.timeline.schedule import Schedule
from hsched.web import guard
from hsched.web.live import Live

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_STATIC = {
    "app.js": ("hsched.web", "static/app.js", "text/javascript"),
    "stream.js": ("hsched.web", "static/stream.js", "text/javascript"),
    "app.css": ("hsched.web", "static/app.css", "text/css"),
    "timeline.css": ("hsched.timeline", "timeline.css", "text/css"),
}

#: Nothing else is an id: no name, no range and no word that would mean many jobs.
_ID = re.compile(r"[0-9]{1,12}(\.[0-9]{1,12})?", re.ASCII)

#: So many of the last lines of a log are shown first, and so far back a timeline goes.
_LAST_LINES, _LONGEST_S = 1000, 31 * 86400.0

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_MOST_BYTES = 4096


class Server:
    """Answers for one scheduler, to whoever has ``token``."""

    def __init__(self, client: AsyncClient, live: Live, token: str) -> None:
        self._client, self._live, self._token = client, live, token
        self._past = Past(client)

    def application(self) -> web.Application:
        """Return what aiohttp runs."""
        app = web.Application(middlewares=[self._guarded], client_max_size=_MOST_BYTES)
        app.on_response_prepare.append(_add_headers)
        app.router.add_get("/", self._page)
        app.router.add_get("/static/{name}", self._static)
        app.router.add_get("/api/events", self._events)
        app.router.add_get("/api/timeline", self._timeline)
        app.router.add_get("/api/jobs/{id}/log", self._log)
        app.router.add_post("/api/jobs/{id}/{verb:hold|release|kill}", self._act)
        return app

    @web.middleware
    async def _guarded(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuse who may not ask, and tell errors as JSON."""
        if found := guard.fault(request.path, request.headers, self._token):
            return web.json_response({"error": found[1]}, status=found[0])
        try:
            return await handler(request)
        except NoSuchJob as error:
            return web.json_response({"error": str(error)}, status=404)
        except NotRunning as error:
            return web.json_response({"error": str(error)}, status=503)
        except HschedError as error:
            return web.json_response({"error": str(error)}, status=409)

    async def _page(self, _request: web.Request) -> web.Response:
        return web.Response(
            text=_asset("hsched.web", "static/index.html"), content_type="text/html"
        )

    async def _static(self, request: web.Request) -> web.Response:
        found = _STATIC.get(request.match_info["name"])
        if found is None:
            raise web.HTTPNotFound
        package, path, kind = found
        return web.Response(text=_asset(package, path), content_type=kind)

    async def _events(self, request: web.Request) -> web.StreamResponse:
        """Send the state now, and again whenever it is another."""
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        version = 0
        with contextlib.suppress(ConnectionResetError):
            while True:
                version, text = await self._live.after(version)
                await response.write(f"id: {version}\ndata: {text}\n\n".encode())
        return response

    async def _timeline(self, request: web.Request) -> web.Response:
        try:
            last = float(request.query.get("last", "3600"))
        except ValueError:
            last = 0.0
        if not 0 < last <= _LONGEST_S:
            raise web.HTTPBadRequest
        schedule = await self._past.read(last)
        text = await asyncio.to_thread(_drawn, schedule, last)
        return web.Response(text=text, content_type="image/svg+xml")

    async def _log(self, request: web.Request) -> web.StreamResponse:
        """Send what a job has written, and what it goes on to write, until it is done."""
        err = request.query.get("err") == "1"
        return await _stream(
            request, self._client.log(_id(request), err=err, follow=True, last=_LAST_LINES)
        )

    async def _act(self, request: web.Request) -> web.Response:
        words, verb = [_id(request)], request.match_info["verb"]
        if verb == "hold":
            ids = await self._client.hold(words)
        elif verb == "release":
            ids = await self._client.release(words)
        else:
            ids = await self._client.kill(words, wait=False)
        self._live.look()
        return web.json_response({"ids": ids})


async def serve(scheduler: str | None, port: int, say: Callable[[str], None]) -> int:
    """Serve on loopback until a signal ends it, and return that; ``say`` gets the address.

    Raises:
        NotRunning: there is no scheduler of this name.
        OSError: the port is taken.
    """
    loop = asyncio.get_running_loop()
    over: asyncio.Future[int] = loop.create_future()
    async with AsyncClient(scheduler) as client:
        await client.status()  # where none runs, that is said at once
        live, token = Live(client), secrets.token_urlsafe(32)
        runner = web.AppRunner(
            Server(client, live, token).application(),
            access_log=None,
            handler_cancellation=True,
            shutdown_timeout=0.5,
        )
        await runner.setup()
        following = asyncio.ensure_future(live.follow())
        try:
            await web.TCPSite(runner, "127.0.0.1", port).start()
            for number in _ENDING:
                loop.add_signal_handler(number, _end, over, number)
            say(f"http://127.0.0.1:{runner.addresses[0][1]}/#token={token}")
            following.add_done_callback(lambda _: _end(over, 0))
            ended = await over
            if not ended:  # it ends by itself only where it has failed
                following.result()
            return ended
        finally:
            following.cancel()
            await asyncio.wait({following})
            await runner.cleanup()


def _end(over: asyncio.Future[int], number: int) -> None:
    if not over.done():
        over.set_result(number)


async def _stream(request: web.Request, blocks: AsyncIterator[bytes]) -> web.StreamResponse:
    """Send blocks as they come; what goes wrong is said after them."""
    response = web.StreamResponse(headers={"Content-Type": "text/plain; charset=utf-8"})
    # Headers go out at once: nothing may have been written for hours.
    await response.prepare(request)
    try:
        async for block in blocks:
            await response.write(block)
    except HschedError as error:
        await response.write(f"[hsched: {error}]\n".encode(errors="replace"))
    except ConnectionResetError:
        pass
    return response


async def _add_headers(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(guard.HEADERS)


def _id(request: web.Request) -> str:
    found = request.match_info["id"]
    if not _ID.fullmatch(found):
        raise NoSuchJob(f"{found[:40]!r} is no job id")
    return found


def _drawn(schedule: Schedule, last: float) -> str:
    zone = datetime.now().astimezone().tzinfo
    assert zone is not None, "astimezone gives one"
    return draw(lay_out(schedule, Options(last, zone)), style=False)


def _asset(package: str, path: str) -> str:
    return files(package).joinpath(path).read_text("utf-8")
