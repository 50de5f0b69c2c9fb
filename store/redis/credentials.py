"""Who we are to a server: asked anew at each new connection, for passwords are rotated."""

from collections.abc import Callable

from redis.credentials import CredentialProvider

# Passwords that were tried last: no sentence may hold one of them.
_REMEMBERED = 4


class Credentials(CredentialProvider):
    """user: empty for the default one. password: reads it; raises OSError or ValueError while it
    cannot be read, as in the middle of a rotation: then the last one stands.
    """

    def __init__(self, user: str, password: Callable[[], str]) -> None:
        self._user = user
        self._password = password
        self._tried: list[str] = []
        self._current()

    def get_credentials(self) -> tuple[str] | tuple[str, str]:
        password = self._current()
        return (self._user, password) if self._user else (password,)

    async def get_credentials_async(self) -> tuple[str] | tuple[str, str]:
        return self.get_credentials()

    def secrets(self) -> list[str]:
        return list(self._tried)

    def _current(self) -> str:
        try:
            password = self._password()
        except (OSError, ValueError):
            password = ""
        if password and password not in self._tried[-1:]:
            self._tried = [*self._tried, password][-_REMEMBERED:]
        return self._tried[-1] if self._tried else ""
