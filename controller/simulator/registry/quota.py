"""Pull limits: what is counted, and the two shapes of 429 [75-78]."""

from dataclasses import dataclass

import orjson
from aiohttp import web

_PULLS = (
    "You have reached your unauthenticated pull rate limit."
    " https://www.docker.com/increase-rate-limit"
)


@dataclass
class PullQuota:
    """May be changed while the registry runs."""

    limit: int | None = 100  # pulls in a window; None for a registry without limits
    remaining: int = 100
    window: int = 21_600  # seconds
    source: str = "203.0.113.7"  # of the addresses that are kept for documentation
    abused: bool = False  # everybody gets the abuse limit's plain 429, HEAD too
    # Seconds to say with a 429; None for nothing (what Docker Hub's registry says is not known
    # [78]).
    retry_after: int | None = None

    def headers(self) -> dict[str, str]:
        if self.limit is None:
            return {}
        return {
            "ratelimit-limit": f"{self.limit};w={self.window}",
            "ratelimit-remaining": f"{self.remaining};w={self.window}",
            "docker-ratelimit-source": self.source,
        }

    def refuse(self, method: str) -> web.Response | None:
        """The 429, if this request meets a limit; a HEAD never meets the pull limit [76]."""
        again = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        if self.abused:
            return web.Response(status=429, text="Too Many Requests\n", headers=again)
        if method == "HEAD" or self.limit is None or self.remaining > 0:
            return None
        body = orjson.dumps({"errors": [{"code": "TOOMANYREQUESTS", "message": _PULLS}]})
        headers = self.headers() | again | {"Content-Type": "application/json"}
        return web.Response(status=429, body=body, headers=headers)

    def count(self) -> None:
        """One GET of a manifest was answered."""
        if self.limit is not None:
            self.remaining = max(0, self.remaining - 1)
