"""The API server of the row `storm`, a process of its own: `python -m tests.bench.storm_server N`
prints its URL. Events are sent when somebody asks for them: POST /storm/COUNT changes the first
COUNT Deployments, once more from the beginning where there are fewer.
"""

import asyncio
import sys
from collections import Counter
from datetime import UTC, datetime

from aiohttp import web
from loguru import logger

from controller.base.clock import SystemClock
from tests.bench.population import population
from tests.bench.quiet_api import QuietApi

# Of all processes of one run alike: records tell of times, and are compared with them.
NOW = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)


async def serve(count: int) -> None:
    people = await population(count, "at rest", NOW, keep_raw=True)
    api = QuietApi(people, SystemClock(), Counter())

    async def storm(request: web.Request) -> web.Response:
        versions = await api.storm(int(request.match_info["count"]))
        return web.json_response(versions)

    app = web.Application()
    app.add_routes([*api.routes(), web.post("/storm/{count}", storm)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}", flush=True)  # noqa: T201
    await asyncio.Event().wait()


if __name__ == "__main__":
    logger.remove()  # what the engine says that makes the Deployments
    asyncio.run(serve(int(sys.argv[1])))
