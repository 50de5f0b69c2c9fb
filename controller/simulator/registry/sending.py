"""How a manifest is sent, and what goes wrong on demand."""

import gzip

from aiohttp import web

from controller.simulator.faults import action_in_hand
from controller.simulator.registry.actions import (
    HugeBody,
    LongHeaders,
    NoHead,
    Packed,
    SignedSchema1,
    WithoutDigest,
    WrongDigest,
)
from controller.simulator.registry.quota import PullQuota
from controller.simulator.registry.simulated_build import Blob

_PIECE = bytes(1 << 16)
_SCHEMA_1 = "application/vnd.docker.distribution.manifest.v1+prettyjws"


async def send_manifest(request: web.Request, blob: Blob, quota: PullQuota) -> web.StreamResponse:
    """With its digest and what is left of the quota, or what the action in hand makes of it."""
    action = action_in_hand()
    headers = {
        "Content-Type": blob.media_type,
        "Docker-Content-Digest": blob.digest,
        "ETag": f'"{blob.digest}"',
        "Docker-Distribution-Api-Version": "registry/2.0",
    }
    if isinstance(action, WithoutDigest):
        del headers["Docker-Content-Digest"]
    if request.method == "GET":
        quota.count()
    headers |= quota.headers()
    if request.headers.get("If-None-Match", "").strip('"') == blob.digest:
        return web.Response(status=304, headers=headers)
    if isinstance(action, HugeBody):
        return await _send_much(request, action.size, headers)
    if isinstance(action, LongHeaders):
        headers["Link"] = "<" + "x" * action.size + ">"
    if isinstance(action, NoHead) and request.method == "HEAD":
        return web.Response(status=action.status)
    raw = blob.raw + b"\n" if isinstance(action, WrongDigest) else blob.raw
    if isinstance(action, SignedSchema1):
        headers["Content-Type"] = _SCHEMA_1
        raw = b'{"schemaVersion":1,"fsLayers":[],"signatures":[{}]}'
    if isinstance(action, Packed):
        headers["Content-Encoding"], raw = "gzip", gzip.compress(raw)
    if request.method == "HEAD":
        return web.Response(headers=headers | {"Content-Length": str(len(raw))})
    return web.Response(body=raw, headers=headers)


async def _send_much(
    request: web.Request, size: int, headers: dict[str, str]
) -> web.StreamResponse:
    response = web.StreamResponse(headers=headers)
    await response.prepare(request)
    if request.method == "HEAD":
        return response
    try:
        for _ in range(0, size, len(_PIECE)):
            await response.write(_PIECE)
        await response.write_eof()
    except ConnectionError:
        pass  # the client has had enough, as it should
    return response
