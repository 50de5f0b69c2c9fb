"""Writes the lines of a stream, and plays what is to go wrong in it."""

from aiohttp import web

from controller.simulator.faults import Faults, Split, StreamFault, action_in_hand


class EndOfStream(Exception):
    """The stream is over: no more lines can be written."""


class Lines:
    """One streamed answer. `write` raises EndOfStream when a fault has ended it, or the client has
    gone.
    """

    def __init__(self, request: web.Request, response: web.StreamResponse, faults: Faults) -> None:
        self._request = request
        self._response = response
        self._faults = faults
        self._action = action_in_hand()
        self._written = 0

    async def write(self, line: bytes) -> None:
        """Writes one line, newline included."""
        try:
            await self._write(line)
        except ConnectionError:
            raise EndOfStream from None
        self._written += 1

    async def before_first(self) -> None:
        """Gives a fault that needs no line its turn."""
        action = self._action
        if isinstance(action, StreamFault) and action.kind == "silent" and action.after == 0:
            await self._stay_silent()

    async def _write(self, line: bytes) -> None:
        match self._action:
            case Split(size=size):
                for start in range(0, len(line), size):
                    await self._response.write(line[start : start + size])
            case StreamFault() as fault if self._written >= fault.after:
                await self._spoil(fault, line)
            case _:
                await self._response.write(line)

    async def _spoil(self, fault: StreamFault, line: bytes) -> None:
        match fault.kind:
            case "garbage":
                self._action = None
                await self._response.write(fault.garbage)
            case "silent":
                await self._stay_silent()
            case "close":
                await self._response.write(line[: len(line) // 2])
                raise EndOfStream
            case _:
                await self._response.write(line[: len(line) // 2])
                if self._request.transport is not None:
                    self._request.transport.close()
                raise EndOfStream

    async def _stay_silent(self) -> None:
        await self._faults.hang()
        raise EndOfStream
