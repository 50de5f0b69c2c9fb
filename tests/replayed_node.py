"""A recorded scene as a node that can be asked at any second of its life, and beyond its end.

Of each question the first answer of each shape is recorded, and the last one. Between two of them
the node went on looking at itself, so the time stamps of checks move on as the next recorded
document allows: where that one has the same stamps, the checks stood still.
"""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from controller.domain.node_http import DoorReply, NodeAddress, NodeRequest, NodeStarting
from tests.fakes import EPOCH
from tests.scenes import Answered, Scene, scene
from tests.told_door import ToldDoor

_HEALTH = "/ext/health"
_METRICS = "/ext/metrics"
_BOOTSTRAPPING = b"API call rejected because chain is not done bootstrapping\n"
_NOWHERE = DoorReply(404, b"404 page not found\n")
# Where a scene's recorder asked nothing but health: the same network, bootstrapped.
_ELSEWHERE = "after-kill"
_NETWORKS = {"88888": "network-88888", "local": "local"}
_FAILED = re.compile(r"^(\w+_(?:failed|requested)(?:\{[^}\n]*\})?) ([0-9.e+]+)$", re.MULTILINE)


def every(found: Scene) -> float:
    """Seconds between two rounds of checks."""
    flag = next(f for f in found.about["flags"] if f.startswith("--health-check-frequency="))
    return float(flag.partition("=")[2].removesuffix("s"))


def asked_to_end(found: Scene) -> float | None:
    """Second of the SIGTERM; None where the process ended by itself."""
    if found.exit_code:
        return None
    noted = [at for at, what in found.notes if what == "SIGTERM sent"]
    return noted[0] if noted else float(found.about["seconds"])


@cache
def beginning(found: Scene) -> datetime:
    """When its process began, by its log; EPOCH where that says no time."""
    times = [time for time, _ in _timed(found.log) if time is not None]
    return min(times, default=EPOCH)


def log_until(found: Scene, second: float) -> bytes:
    """What the process had said by then. A line without a time belongs to the one before it."""
    begun, said = beginning(found), []
    for time, line in _timed(found.log):
        if time is not None and (time - begun).total_seconds() > second:
            break
        said.append(line)
    return b"".join(said)


def _timed(log: bytes) -> list[tuple[datetime | None, bytes]]:
    return [(_time_of(line), line) for line in log.splitlines(keepends=True)]


def _time_of(line: bytes) -> datetime | None:
    stamp = re.match(rb"\[(\d\d-\d\d)\|([\d:.]+)\]", line)
    if stamp is not None:
        text = f"2026-{stamp[1].decode()}T{stamp[2].decode()}"
    elif (stamp := re.search(rb'"timestamp":"(20[\dT:.-]+)Z"', line[:200])) is not None:
        text = stamp[1].decode()
    else:
        return None
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


class ReplayedNode(ToldDoor):
    """Implements the port `Door`. began: when this process of the node began. now: by the wall. At
    `until`, a second of the scene, it stands: what was so then stays so. cut: what becomes of a
    body on its way.
    """

    def __init__(
        self,
        found: Scene,
        began: datetime,
        now: Callable[[], datetime],
        *,
        until: float | None = None,
        cut: Callable[[bytes], bytes] = bytes,
    ) -> None:
        self._scene = found
        self._began = began
        self._now = now
        self._until = until
        self._cut = cut
        self._listens = next((a.at for a in found.answers if a.status), float("inf"))

    @property
    def second(self) -> float:
        """Of the scene."""
        return (self._now() - self._began).total_seconds()

    async def fetch(self, address: NodeAddress, request: NodeRequest) -> DoorReply:
        if self.second < self._listens:
            raise NodeStarting(f"nobody listens yet on port {address.port}")
        reply = self._reply(request)
        return DoorReply(reply.status, self._cut(reply.body)[: request.limit])

    def _reply(self, request: NodeRequest) -> DoorReply:
        if request.path == _METRICS:
            page = metrics_at(self._scene, self.second, since=self._listens)
            return _NOWHERE if page is None else DoorReply(200, page.encode())
        asked = json.loads(request.body) if request.body else {}
        rpc, params = asked.get("method", ""), asked.get("params")
        if rpc == "info.getNetworkName":
            return _result({"networkName": _network(self._scene)})
        mine = [
            a
            for a in self._scene.answers
            if (a.path, a.rpc) == (request.path, rpc) and a.params in (None, params)
        ]
        known = [a for a in mine if a.status and a.at <= self._moment and not self._is_over(a)]
        if not known:
            return self._unrecorded(request.path, rpc, mine)
        last = known[-1]
        body = last.body.encode()
        if request.path.startswith(_HEALTH):
            body = self._refreshed(last, mine)
        return DoorReply(last.status or 0, body)

    @property
    def _moment(self) -> float:
        return self.second if self._until is None else min(self.second, self._until)

    def _is_over(self, answered: Answered) -> bool:
        """Whether it was given on the way down, which a node that is held on does not go."""
        return self._until is not None and "shuttingDown" in answered.body

    def _unrecorded(self, path: str, rpc: str, later: list[Answered]) -> DoorReply:
        """Of what was not asked so early, or not in this scene."""
        if rpc.startswith("info."):
            told = [a for a in later or scene(_ELSEWHERE).answers if a.rpc == rpc and a.status]
            return DoorReply(200, told[0].body.encode())
        if later or not rpc:
            return DoorReply(503, _BOOTSTRAPPING)
        told = [a for a in scene(_ELSEWHERE).answers if (a.path, a.rpc) == (path, rpc)]
        return DoorReply(200, told[-1].body.encode()) if told else _NOWHERE

    def _refreshed(self, last: Answered, mine: list[Answered]) -> bytes:
        """The document with the stamps of now."""
        try:
            document: dict[str, Any] = json.loads(last.body)
            checks: dict[str, Any] = document["checks"]
        except (ValueError, KeyError):
            return last.body.encode()
        frequency = every(self._scene)
        passed = timedelta(seconds=(self.second - last.at) // frequency * frequency)
        following = next((a for a in mine if a.status and a.at > last.at), None)
        stood = _stood(self._scene, mine[-1])
        # On beyond the end of a scene whose checks moved to its end, nothing says how far they go.
        known = following is not None and (stood or self.second < following.at)
        then = stamps(following) if following is not None and known else None
        if then is None and stood:
            passed = timedelta()
        offset = self._began - beginning(self._scene)
        for name, time in stamps(last).items():
            moved = time + passed
            if then is not None and name in then:
                moved = max(time, min(moved, then[name]))
            checks[name]["timestamp"] = (moved + offset).isoformat().replace("+00:00", "Z")
        return json.dumps(document).encode()


def stamps(answered: Answered) -> dict[str, datetime]:
    """When each check of a health document ran last; of those that have run."""
    try:
        checks: dict[str, Any] = json.loads(answered.body)["checks"]
    except (ValueError, KeyError):
        return {}
    read = {name: check.get("timestamp", "0001") for name, check in checks.items()}
    return {
        name: datetime.fromisoformat(text[:19]).replace(tzinfo=UTC)
        + timedelta(seconds=float("0." + (re.sub(r"\D", "", text[19:]) or "0")))
        for name, text in read.items()
        if not text.startswith("0001")
    }


def _stood(found: Scene, last: Answered) -> bool:
    """Whether the checks had stood still for long when the last document came."""
    newest = max(stamps(last).values(), default=None)
    if newest is None:
        return True
    ran = (newest - beginning(found)).total_seconds()
    return last.at - ran > 2.5 * every(found)


def metrics_at(found: Scene, second: float, *, since: float) -> str | None:
    """The page of that second; None before the first. since: when the process began to listen; what
    was there before is another's. Requests that fail, and are sent again, go on at their pace.
    """
    pages = [(at, page) for at, page in found.metrics.items() if at >= int(since)]
    before = [i for i, (at, _) in enumerate(pages) if at <= second]
    if not before:
        return None
    at, page = pages[before[-1]]
    if len(pages) < 2:
        return page
    (first, a), (then, b) = (
        pages[before[-1] : before[-1] + 2] if second < pages[-1][0] else pages[-2:]
    )
    one, other = dict(_FAILED.findall(a)), dict(_FAILED.findall(b))

    def grown(sample: re.Match[str]) -> str:
        pace = (float(other.get(sample[1], 0)) - float(one.get(sample[1], 0))) / (then - first)
        return f"{sample[1]} {float(sample[2]) + max(0.0, pace) * (second - at):.0f}"

    return _FAILED.sub(grown, page)


def _network(found: Scene) -> str:
    flag = next(f for f in found.about["flags"] if f.startswith("--network-id="))
    return _NETWORKS[flag.partition("=")[2]]


def _result(result: object) -> DoorReply:
    return DoorReply(200, json.dumps({"jsonrpc": "2.0", "result": result, "id": 1}).encode())
