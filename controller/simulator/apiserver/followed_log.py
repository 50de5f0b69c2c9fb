"""A log that is followed: what is written while somebody reads."""

from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from controller.base.clock import Clock
from controller.simulator.apiserver.lines import EndOfStream, Lines
from controller.simulator.apiserver.logs import LogCut

# A kubelet looks at the file at least so often, in seconds, whatever it was told of it
# [K cri-client/pkg/logs/logs.go, logForceCheckPeriod].
EVERY = 1.0


@dataclass(frozen=True)
class Rest:
    """What has been written since the last look."""

    text: str  # whole lines; empty for nothing
    ended: bool  # the container runs no more: this was the last of it


# One follower's next look.
Follower = Callable[[], Rest]
# (namespace, pod, container, previous) to a follower, from the end of what is served now.
FollowSource = Callable[[str, str, str, bool], Follower]


def nothing_follows(namespace: str, pod: str, container: str, previous: bool) -> Follower:
    """Of a server without containers."""
    return lambda: Rest("", ended=True)


async def follow(
    lines: Lines,
    response: web.StreamResponse,
    first: bytes,
    cut: LogCut,
    follower: Follower,
    clock: Clock,
) -> None:
    """Writes `first`, and then what comes: until the container ends, the limit of bytes is reached
    or the client goes.
    """
    part, ended = first, False
    try:
        while True:
            if part:
                await lines.write(part)
            if ended or cut.full:
                break
            rest = follower()
            part, ended = cut.more(rest.text), rest.ended
            if not part and not ended:
                await clock.sleep(EVERY)
        await response.write_eof()
    except (EndOfStream, ConnectionError):
        pass  # the client has gone, or a fault has ended the stream for it
