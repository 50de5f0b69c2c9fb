"""The helpers of tests/redis_servers.py: do they misbehave as they promise?"""

from pathlib import Path

import pytest
import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from tests.flaky_proxy import FlakyProxy
from tests.redis_servers import redis_server


async def test_lost_reply_is_of_an_executed_request(tmp_path: Path) -> None:
    """Is the request executed whose reply the proxy loses, and the next one answered?"""
    with redis_server(tmp_path) as server:
        async with FlakyProxy(server.port).running() as proxy:
            client = redis.asyncio.Redis(port=proxy.port, retry=Retry(NoBackoff(), 0), protocol=2)
            proxy.lose_next_replies(1)
            with pytest.raises(redis.ConnectionError):
                await client.incr("n")
            assert await client.incr("n") == 2
            assert proxy.lost == 1
            await client.aclose()


async def test_each_first_reply_is_lost(tmp_path: Path) -> None:
    """Is each command executed twice, a transaction as well, when first replies are lost?"""
    with redis_server(tmp_path) as server:
        async with FlakyProxy(server.port).running() as proxy:
            client = redis.asyncio.Redis(port=proxy.port, retry=Retry(NoBackoff(), 1), protocol=2)
            proxy.lose_first_replies()
            assert await client.incr("n") == 2
            async with client.pipeline(transaction=True) as pipe:
                pipe.incr("n").incr("m")
                assert await pipe.execute() == [4, 2]
            await client.aclose()


def test_server_keeps_its_port_and_forgets_what_it_did_not_save(tmp_path: Path) -> None:
    """Does a server that was killed come back at the same address with its last dump?"""
    with redis_server(tmp_path) as server:
        url = server.url
        server.admin.set("saved", "1")
        server.admin.save()
        server.admin.set("lost", "1")
        server.stop(kill=True)
        server.start()
        assert server.url == url
        assert server.admin.keys() == ["saved"]
