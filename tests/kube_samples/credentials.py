"""Credentials that are given outright."""

from controller.kube.login.credentials import Endpoint


class GivenCredentials:
    """An address and, if need be, a token that never changes: for servers of the tests."""

    def __init__(self, url: str, token: str | None = None, namespace: str = "default") -> None:
        self._endpoint = Endpoint(url.rstrip("/"))
        self._header = f"Bearer {token}" if token else None
        self._namespace = namespace

    @property
    def endpoint(self) -> Endpoint:
        return self._endpoint

    @property
    def namespace(self) -> str:
        return self._namespace

    async def authorization(self) -> str | None:
        return self._header

    async def renew(self, used: str | None) -> bool:
        return False
