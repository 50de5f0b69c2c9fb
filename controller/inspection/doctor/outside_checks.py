"""`doctor`: store, registry and Datadog's agent, each asked from here."""

import asyncio
import socket
from collections.abc import Iterable

from controller.base.clock import Clock
from controller.base.durations import format_duration
from controller.base.errors import BootstrapError
from controller.base.text import shown
from controller.domain.objects import Deployment
from controller.domain.reference import Repository
from controller.engine.ports import Registry
from controller.inspection.deployments import inspected
from controller.inspection.doctor.finding import Finding, Topic
from controller.inspection.store_ownership import check_ours
from controller.process.wiring import Wiring
from controller.settings.values import DogStatsd
from store import is_memory
from store.api import StateStore, StoreMisused

STORE, REGISTRY, DATADOG = Topic("store"), "registry", Topic("datadog")
REACH_STORE = (
    "look at --store (BOOTSTRAP_STORE); from a laptop it needs a port-forward, see docs/redis.md"
)
LOW = 0.1  # part of the pull limit that is left: below it, yellow
_ANSWER = 0.3  # seconds after which a refused datagram is known


async def store(wiring: Wiring, deployments: Iterable[Deployment]) -> list[Finding]:
    """Raises what the store raises, and SettingsFault for one that cannot be opened."""
    chosen = wiring.settings.store
    if is_memory(chosen.url):
        return [
            STORE.yellow(
                "none is named: claims and history are what the Deployments' records remember",
                "name the controller's with --store (BOOTSTRAP_STORE)",
            )
        ]
    found = await wiring.store()
    return await looked_at(found, chosen.shown_url, deployments)


async def looked_at(
    found: StateStore, url: str, deployments: Iterable[Deployment]
) -> list[Finding]:
    """Raises what the store raises."""
    lines = []
    all_inspected = [inspected(each) for each in deployments]
    has_records = any(each.record is not None for each in all_inspected)
    if await found.meta() is None and not has_records:
        lines.append(STORE.green(f"{url} answers; it is empty, and so are the records"))
    else:
        try:
            await check_ours(found, all_inspected)
        except StoreMisused as error:
            lines.append(STORE.red(f"{url}: {error}", "name the controller's with --store, -n"))
        else:
            lines.append(STORE.green(f"{url} answers, and has the copies of these Deployments"))
    lines += [
        STORE.red(sentence, "set it so, and in its configuration file too; see docs/redis.md")
        for sentence in await found.inspect()
    ]
    return lines


async def registry(registry: Registry, followed: tuple[Repository, str]) -> list[Finding]:
    """A HEAD of one followed tag, which costs no pull [76]. Raises what the registry raises."""
    repository, tag = followed
    topic = Topic(REGISTRY, f"{repository}:{tag}")
    try:
        digest = await registry.head(repository, tag)
    except BootstrapError as error:
        why = shown(error, 400)
        todo = "look at the image, --registry, --registry-auth and --registry-ca, and the network"
        return [topic.red(f"cannot be asked from here: {why}", todo)]
    quota = registry.quota(repository)
    if quota is None:
        return [topic.green(f"points to {digest}; it tells of no pull limit")]
    left = (
        f"points to {digest}; {quota.remaining} of {quota.limit} pulls in"
        f" {format_duration(float(quota.window))} are left to this address"
    )
    if quota.remaining <= 0:
        return [topic.red(left, "log in with --registry-auth, or wait")]
    if quota.remaining < LOW * quota.limit:
        return [topic.yellow(left, "log in with --registry-auth: the limit is higher then")]
    return [topic.green(left)]


async def datadog(agent: DogStatsd | None, clock: Clock) -> list[Finding]:
    """Raises OSError where the agent's socket takes nothing."""
    if agent is None:
        return [DATADOG.green("off: no agent is set (--dogstatsd), and none is told")]
    if agent.socket_path:
        await asyncio.to_thread(_connect_unix, agent.socket_path)
        return [DATADOG.green(f"{agent}: somebody listens at the socket")]
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(agent.host, agent.port, type=socket.SOCK_DGRAM)
    family, _, _, _, address = found[0]
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.connect(address)
        sock.send(b"")
        await clock.sleep(_ANSWER)
        sock.send(b"")  # what came back to the first is told at the second
    return [DATADOG.green(f"{agent}: nothing refuses a datagram; UDP tells no more than that")]


def _connect_unix(path: str) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.settimeout(1.0)
        sock.connect(path)
