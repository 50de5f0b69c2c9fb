"""What else reads a watch: each function reads so many events from the replay server's watch, and
keeps the objects in a dict.
"""

import asyncio
import contextlib
import tempfile
from collections.abc import Awaitable, Callable, Iterator

import aiohttp
import orjson

_KUBECONFIG = """\
apiVersion: v1
kind: Config
current-context: replay
clusters: [{{name: replay, cluster: {{server: "{url}"}}}}]
users: [{{name: replay, user: {{token: t}}}}]
contexts: [{{name: replay, context: {{cluster: replay, user: replay, namespace: bench}}}}]
"""
_PATH = "/apis/apps/v1/namespaces/bench/deployments?watch=true"

Reader = Callable[[str, int], Awaitable[None]]


async def nothing(url: str, count: int) -> None:
    """Reads the bytes and does nothing with them: what the server can send."""
    left = count * 5500
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port), limit=2**20)
    writer.write(f"GET {_PATH} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    while left > 0:
        left -= len(await reader.read(2**18))
    writer.close()


async def plain_aiohttp(url: str, count: int) -> None:
    """aiohttp, its lines, orjson, a dict."""
    cache = {}
    timeout = aiohttp.ClientTimeout(total=None)
    async with (
        aiohttp.ClientSession(timeout=timeout, read_bufsize=2**20) as session,
        session.get(url + _PATH) as response,
    ):
        async for line in response.content:
            found = orjson.loads(line)["object"]
            cache[found["metadata"]["namespace"], found["metadata"]["name"]] = found
            count -= 1
            if not count:
                return


async def lightkube(url: str, count: int) -> None:
    from lightkube import AsyncClient, KubeConfig
    from lightkube.resources.apps_v1 import Deployment

    with _kubeconfig(url) as path:
        client = AsyncClient(KubeConfig.from_file(path), namespace="bench")
    cache = {}
    async with contextlib.aclosing(client.watch(Deployment)) as stream:
        async for _, found in stream:
            cache[found.metadata.namespace, found.metadata.name] = found
            count -= 1
            if not count:
                return


async def kr8s(url: str, count: int) -> None:
    import kr8s.asyncio
    from kr8s.asyncio.objects import Deployment

    with _kubeconfig(url) as path:
        api = await kr8s.asyncio.api(kubeconfig=path, namespace="bench")
    cache = {}
    async with contextlib.aclosing(api.async_watch(Deployment, namespace="bench")) as stream:
        async for _, found in stream:
            cache[found.namespace, found.name] = found
            count -= 1
            if not count:
                return


async def kubernetes_asyncio(url: str, count: int) -> None:
    from kubernetes_asyncio import client, watch

    cache = {}
    configuration = client.Configuration(host=url)
    async with client.ApiClient(configuration) as api, watch.Watch() as stream:
        listing = client.AppsV1Api(api).list_namespaced_deployment
        async for event in stream.stream(listing, "bench"):
            found = event["object"]
            cache[found.metadata.namespace, found.metadata.name] = found
            count -= 1
            if not count:
                return


@contextlib.contextmanager
def _kubeconfig(url: str) -> Iterator[str]:
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write(_KUBECONFIG.format(url=url))
        file.flush()
        yield file.name


# Name to reader, and to how many events it can read in a few tenths of a second.
PEERS: dict[str, tuple[Reader, int]] = {
    "aiohttp, orjson and a dict": (plain_aiohttp, 519 * 20),
    "lightkube": (lightkube, 519 * 12),
    "kubernetes-asyncio": (kubernetes_asyncio, 519),
    "kr8s": (kr8s, 173),
}
