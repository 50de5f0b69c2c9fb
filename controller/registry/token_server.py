"""What a token server is asked, and who may be one [68]. No I/O."""

from yarl import URL

from controller.base.errors import Refused
from controller.base.loopback import is_loopback
from controller.registry.challenge import Bearer
from controller.registry.docker_config import Credential
from controller.registry.site import Site
from controller.registry.transport import Ask

_LONGEST_ANSWER = 256 * 1024  # bytes: a token with its frame is a few KB
_CLIENT_ID = "bootstrap-controller"  # the token specification wants a client to name itself


def check_realm(site: Site, demand: Bearer) -> None:
    """A registry may name any token server: that is the protocol. But it must not have us send a
    password in the clear, nor to what a sentence about it would not show. Raises Refused.
    """
    try:
        realm = URL(demand.realm)
    except ValueError:
        realm = URL()
    if realm.scheme not in ("http", "https") or not realm.host or realm.user or realm.password:
        raise Refused(f"{site.about}: the registry names a token server that is no URL of HTTP")
    base = site.endpoint.base
    if realm.scheme == "http" and base.scheme == "https" and not is_loopback(base.host):
        raise Refused(f"{site.about}: the registry names a token server without TLS")


def token_request(site: Site, demand: Bearer, credential: Credential | None) -> Ask:
    """With the login, if there is one: an identity token in a body, out of every URL."""
    scopes = demand.scope.split()  # one challenge can name several, parted by spaces
    realm = URL(demand.realm).with_fragment(None)
    if credential and credential.identity_token:
        form = {
            "grant_type": "refresh_token",
            "refresh_token": credential.identity_token,
            "service": demand.service,
            "scope": demand.scope,
            "client_id": _CLIENT_ID,
        }
        return Ask(site.about, "POST", realm, _LONGEST_ANSWER, form=form)
    query = [("service", demand.service)] if demand.service else []
    query += [("scope", scope) for scope in scopes] + [("client_id", _CLIENT_ID)]
    headers = {"Authorization": credential.basic()} if credential else {}
    return Ask(site.about, "GET", realm.extend_query(query), _LONGEST_ANSWER, headers=headers)
