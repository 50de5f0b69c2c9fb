"""What a node answers that is ready, or is not."""

from datetime import UTC, datetime
from typing import Any

import orjson


def health(ready: bool) -> bytes:
    """The document of health and of readiness."""
    check: dict[str, Any] = {"timestamp": datetime.now(UTC).isoformat(), "duration": 1000}
    if ready:
        check["message"] = []
    else:
        check |= {"message": ["P", "C"], "error": "subnets not bootstrapped"}
    return orjson.dumps({"checks": {"bootstrapped": check}, "healthy": ready})


def told(asked: dict[str, Any]) -> bytes:
    """An answer of its API."""
    results = {
        "info.getNodeVersion": {"version": "avalanchego/1.14.0", "gitCommit": "a1" * 20},
        "info.getNetworkName": {"networkName": "fuji"},
    }
    result = results.get(asked.get("method", ""), {})
    return orjson.dumps({"jsonrpc": "2.0", "id": asked.get("id"), "result": result})
