"""One request to the API server, and its whole answer."""

from dataclasses import dataclass, field

from controller.kube.api.errors import refusal
from controller.kube.api.resources import Operation

READ_TIMEOUT = 30.0  # seconds; the server itself gives a request 60 [15]
# The server caps a patch at 34 seconds itself [15]: waiting a little longer hears its own answer.
WRITE_TIMEOUT = 40.0
# A page of 500 objects of 5 KB is 3 MB; etcd bounds one object at 1.5 MiB.
BODY_LIMIT = 64 * 1024 * 1024

JSON = "application/json"
JSON_PATCH = "application/json-patch+json"


@dataclass(frozen=True)
class Call:
    """One request."""

    operation: Operation  # what it is for, in sentences and metrics
    method: str
    path: str  # begins with a slash, encoded already
    query: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    content_type: str = JSON  # of the body
    timeout: float = READ_TIMEOUT  # seconds for all of it
    limit: int = BODY_LIMIT  # bytes of the answer's body
    # a Host header for a server behind the API server's proxy; None for the API server itself
    host: str | None = None

    @property
    def is_write(self) -> bool:
        return self.method not in {"GET", "HEAD"}


@dataclass(frozen=True)
class RawReply:
    """An answer, read to its end."""

    status: int
    content_type: str
    retry_after: float | None  # seconds; None if it did not say
    body: bytes = field(repr=False)

    def expect(self, operation: Operation) -> bytes:
        """The body of a 2xx; raises for every other status what that means."""
        if 200 <= self.status < 300:
            return self.body
        raise refusal(self.status, self.body, operation, self.retry_after)
