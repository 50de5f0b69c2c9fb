"""One collection as the API server offers it: a list of now, and a watch from a position."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Generic, TypeVar

from controller.base.clock import Clock
from controller.base.errors import Unavailable
from controller.kube.api.call import Call
from controller.kube.api.client import KubeClient, Stream
from controller.kube.api.resources import Operation, Resource
from controller.kube.watch.decoding import ObjectDecoder, WatchEvent
from controller.kube.watch.lines import LineSplitter
from controller.kube.watch.listing import Listing, list_all
from controller.kube.watch.selection import Selection
from controller.kube.watch.silence import SilenceTimer

T = TypeVar("T")


@dataclass(frozen=True)
class StreamTimes:
    """Seconds."""

    # a bookmark comes about each minute [13], on a quiet cluster later, so a stream without a byte
    # for this long may be half dead [16], and another one costs little
    silence: float = 90.0
    grace: float = 30.0  # the server ends a watch at its timeout; it may be this late [33]


class ListAndWatch(Generic[T]):
    """See the module."""

    def __init__(
        self,
        client: KubeClient,
        resource: Resource[T],
        selection: Selection,
        clock: Clock,
        times: StreamTimes | None = None,
    ) -> None:
        self._client = client
        self._resource = resource
        self._selection = selection
        self._clock = clock
        self._times = times or StreamTimes()
        self._decoder = ObjectDecoder(resource.type)

    def __str__(self) -> str:
        return f"{self._resource.plural} in {self.namespace or 'all namespaces'}"

    @property
    def plural(self) -> str:
        return self._resource.plural

    @property
    def namespace(self) -> str:
        return self._selection.namespace

    async def listing(self) -> Listing[T]:
        """Raises what `list_all` raises."""
        return await list_all(self._client, self._resource, self._selection)

    async def watch(
        self, resource_version: str, timeout: float
    ) -> AsyncGenerator[list[WatchEvent[T]], None]:
        """Events after that position, as they come together; first of all an empty list: the
        watch stands [16]. Ends when the server ends it cleanly, or ignores `timeout` (seconds).

        Raises Unavailable where the stream broke or fell silent, and what `KubeClient.stream`
        raises. To be closed by its user (`contextlib.aclosing`).
        """
        operation = self._resource.operation("watch", self.namespace, self._selection.name)
        query = (
            ("watch", "true"),
            *self._selection.query(),
            ("resourceVersion", resource_version),
            ("allowWatchBookmarks", "true"),
            ("timeoutSeconds", str(max(1, round(timeout)))),
        )
        call = Call(operation, "GET", self._resource.path(self.namespace), query)
        end = self._clock.monotonic() + timeout + self._times.grace
        splitter = LineSplitter()
        async with self._client.stream(call) as stream:
            timer = SilenceTimer(self._clock, self._times.silence, end)
            yield []
            with timer.ending(stream.abort):
                while chunk := await self._heard(stream, timer, operation):
                    if lines := splitter.feed(chunk):
                        yield self._decoder.events(lines)

    async def _heard(self, stream: Stream, timer: SilenceTimer, operation: Operation) -> bytes:
        """The next bytes; empty at its end, the one that the server forgot included."""
        try:
            chunk = await stream.read()
        except Unavailable:
            if timer.over:
                return b""
            if timer.silent:
                seconds = f"{self._times.silence:g} seconds"
                raise Unavailable(f"the stream was silent for {seconds}, to {operation}") from None
            raise
        timer.heard()
        return b"" if timer.over else chunk
