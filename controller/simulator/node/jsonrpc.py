"""JSON-RPC 2.0 as the two servers inside avalanchego speak it: 200 whatever the call says, and the
result carries it [87, scene full].
"""

from collections.abc import Callable
from typing import Any

import orjson
from aiohttp import web

_LARGEST_BODY = 1 << 20  # bytes; no call of ours is larger
_NOTHING = {"jsonrpc": "", "method": "", "params": None, "id": None}  # what was read of a bad call

Call = Callable[[str, Any], Any]  # method and params to the result


class CallError(Exception):
    """The text of an error that a method answers with."""


def json_reply(document: Any, content_type: str, status: int = 200) -> web.Response:
    """JSON with a newline at its end, as Go's encoder leaves it."""
    headers = {"Content-Type": content_type}
    return web.Response(body=orjson.dumps(document) + b"\n", status=status, headers=headers)


async def node_answer(request: web.Request, call: Call) -> web.Response:
    """Of the node, P and X. call: LookupError for an unknown method, CallError for a refusal."""
    reply = "application/json; charset=utf-8"
    if request.method != "POST":
        text = f"rpc: POST method required, received {request.method}"
        return web.Response(status=405, text=text)
    raw = await request.content.read(_LARGEST_BODY)
    try:
        number, method, params = _read(raw)
    except ValueError:
        why = "unexpected EOF" if raw else "EOF"
        error = {"code": -32700, "message": why, "data": _NOTHING}
        return json_reply({"jsonrpc": "2.0", "error": error, "id": None}, reply)
    try:
        result = call(method, params or {})
    except LookupError:
        service, _, name = method.partition(".")
        error = _refused(f'rpc: can\'t find method "{service}.{name[:1].upper()}{name[1:]}"')
    except CallError as refusal:
        error = _refused(str(refusal))
    else:
        return json_reply({"jsonrpc": "2.0", "result": result, "id": number}, reply)
    return json_reply({"jsonrpc": "2.0", "error": error, "id": number}, reply)


async def evm_answer(request: web.Request, call: Call) -> web.Response:
    """Of C. call: LookupError for an unknown method, ValueError for a bad number."""
    if request.method != "POST":
        return web.Response()
    raw = await request.content.read(_LARGEST_BODY)
    try:
        number, method, params = _read(raw)
    except ValueError:
        return _evm({"code": -32700, "message": "parse error"}, None)
    try:
        result = call(method, params or [])
    except LookupError:
        text = f"the method {method} does not exist/is not available"
        return _evm({"code": -32601, "message": text}, number)
    except ValueError:
        text = "invalid argument 0: hex string without 0x prefix"
        return _evm({"code": -32602, "message": text}, number)
    return json_reply({"jsonrpc": "2.0", "id": number, "result": result}, "application/json")


def _read(raw: bytes) -> tuple[Any, str, Any]:
    """Id, method and params. Raises ValueError."""
    document = orjson.loads(raw)
    if not isinstance(document, dict) or not isinstance(document.get("method"), str):
        raise ValueError("not a call")  # noqa: TRY004 as for what is no JSON
    return document.get("id"), document["method"], document.get("params")


def _refused(message: str) -> dict[str, Any]:
    return {"code": -32000, "message": message, "data": None}


def _evm(error: dict[str, Any], number: Any) -> web.Response:
    return json_reply({"jsonrpc": "2.0", "id": number, "error": error}, "application/json")
