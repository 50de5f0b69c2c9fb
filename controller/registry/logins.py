"""Logins from the file of credentials: which one is sent, which never again, and what is said of
that.
"""

from controller.base.errors import NoAccess
from controller.base.text import shown
from controller.registry.docker_config import Credential, CredentialFile
from controller.registry.said import quoted
from controller.registry.site import Site

_REJECTED_KEPT = 1000  # more than there are repositories; one that is forgotten is tried once more


class Logins:
    """Each try with a login that is not taken counts as a failed one, and many of them lock the
    whole address out, HEADs too [70]: so none is sent twice, until the file changes.

    401 speaks of the login, at all of the registry. 403 speaks of what it may read, or says that it
    has expired [155]: another repository may be open to it.
    """

    def __init__(self, file: CredentialFile) -> None:
        self._file = file
        # host, repository or empty for all of them, and version of the file, to what is said of it
        self._rejected: dict[tuple[str, str, int], str] = {}

    def find(self, site: Site) -> Credential | None:
        """The login for the repository; None if there is none. Raises NoAccess for one that was
        rejected, and Refused where the file cannot be used.
        """
        host = site.endpoint.host
        credential = self._file.find(host, site.path)
        if credential is not None:
            for path in ("", site.path):
                if sentence := self._rejected.get((host, path, credential.version)):
                    raise NoAccess(f"{site.about}: {sentence}")
        return credential

    def reject(self, site: Site, credential: Credential, status: int, said: str) -> NoAccess:
        """The error after a login that was answered with that status. said: by who answered."""
        host, is_all = site.endpoint.host, status == 401
        where = "" if is_all else f" for this repository ({status})"
        sentence = (
            f"the credentials for {host} in {shown(self._file.path)} are not accepted{where}; they"
            f" are not tried again until the file changes{quoted(said)}"
        )
        kept = {key: told for key, told in self._rejected.items() if key[2] == credential.version}
        kept[host, "" if is_all else site.path, credential.version] = sentence
        self._rejected = dict(list(kept.items())[-_REJECTED_KEPT:])
        return NoAccess(f"{site.about}: {sentence}")

    def wanted(self, site: Site) -> NoAccess:
        """The error where a login is demanded, and there is none."""
        host = site.endpoint.host
        return NoAccess(
            f"{site.about}: {host} wants a user and a password, and no login was sent:"
            f" {self._file.absence(host, site.path)}"
        )

    def no_access(self, site: Site, credential: Credential | None, said: str) -> NoAccess:
        """Registries do not tell the two apart, so that nobody learns what exists [69]. credential:
        the login that was sent, None for nobody's.
        """
        host = site.endpoint.host
        if credential is None:
            login = f"no login was sent: {self._file.absence(host, site.path)}"
        else:
            login = f"the login for {host} in {shown(self._file.path)} was sent"
        return NoAccess(f"{site.about}: no access, or no such repository; {login}{quoted(said)}")
