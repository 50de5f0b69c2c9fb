"""The questions beside health: GET, and JSON-RPC by POST."""

from collections.abc import Sequence
from typing import Any

import msgspec
import orjson

from controller.base.errors import Trouble
from controller.base.undecodable import UNDECODABLE
from controller.domain.node_http import Door, NodeAddress, NodeRequest

_TIME_LIMIT = 5.0  # seconds: a node that hangs at all of them still has a look a minute
_LONGEST_RESULT = 1 << 20  # bytes: versions of a dozen VMs, or a block with the hashes in it


class _Reply(msgspec.Struct):
    """Of JSON-RPC: the one or the other."""

    result: Any = None  # of any shape
    error: Any = None  # None: there is none


class Questions:
    """Asks one node at one look. time_limit: seconds of one request, five at most.

    None is every answer that is not there. Trouble is one too: health has just shown that the node
    is, and its answer must stand.
    """

    def __init__(self, door: Door, address: NodeAddress, time_limit: float) -> None:
        self._door = door
        self._address = address
        self._time_limit = min(_TIME_LIMIT, time_limit)

    async def get(self, path: str, *, limit: int) -> bytes | None:
        """The body of a 200. limit: bytes."""
        return await self._fetch(NodeRequest(path, limit, self._time_limit))

    async def call(self, path: str, method: str, params: Sequence[object] | None = None) -> object:
        """The result of a JSON-RPC call, of any shape. params: a list where the API wants one, as
        the C-chain's does even for none.
        """
        request: dict[str, object] = {
            "jsonrpc": "2.0",
            "id": 1,
            "method": method,
            "params": {} if params is None else params,
        }
        asked = NodeRequest(path, _LONGEST_RESULT, self._time_limit, orjson.dumps(request))
        try:
            reply = msgspec.json.decode(await self._fetch(asked) or b"", type=_Reply)
        except UNDECODABLE:
            return None
        return reply.result if reply.error is None else None

    async def _fetch(self, request: NodeRequest) -> bytes | None:
        try:
            reply = await self._door.fetch(self._address, request)
        except Trouble:
            return None
        return reply.body if reply.status == 200 else None
