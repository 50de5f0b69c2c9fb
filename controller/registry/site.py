"""One repository at one registry, and what is sent there."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from controller.registry.docker_config import Credential
from controller.registry.hosts import Endpoint
from controller.registry.rate_limits import Gate


@dataclass(frozen=True)
class Site:
    """One repository at one registry."""

    endpoint: Endpoint  # of the registry, or of the mirror that is asked in its stead
    path: str  # of the repository
    about: str  # its canonical name, for sentences
    gate: Gate  # of who is asked


@dataclass(frozen=True)
class Leave:
    """What is sent with a request so that it is answered."""

    # Authorization, or nothing where nothing is demanded, or nobody knows yet that it is
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    is_kept: bool = False  # a token that was fetched for an earlier request: it may be of no use
    # the login that is sent, or that the token was fetched with; None: nobody's
    credential: Credential | None = None

    @property
    def is_login(self) -> bool:
        """Whether user and password go with the request itself, and not to a token server."""
        return self.credential is not None and self.sends(self.credential.basic())

    def sends(self, authorization: str) -> bool:
        return self.headers.get("Authorization") == authorization

    def secrets(self) -> Iterator[str]:
        """What must not come back in a sentence."""
        yield from (value.partition(" ")[2] for value in self.headers.values())
        yield from secrets_of(self.credential)


def secrets_of(credential: Credential | None) -> Iterator[str]:
    if credential is not None:
        yield credential.basic().partition(" ")[2]
        yield from filter(None, (credential.password, credential.identity_token))
