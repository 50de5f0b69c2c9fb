"""Who asks and what they may: bearer tokens and a table of rights, both optional."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from controller.simulator.apiserver.resources import BY_PLURAL, Object, Resource
from controller.simulator.apiserver.statuses import StatusError

# Whom requests without any token are taken for while no tokens are set.
ADMIN = "system:admin"


@dataclass(frozen=True)
class Access:
    """One request as authorization sees it."""

    user: str
    verb: str
    group: str
    resource: str  # plural, with `/subresource` if any
    namespace: str = ""
    name: str = ""  # of the one object; empty for several, and for one that is not there yet


Rights = Callable[[Access], bool]


# Verb and resource, everywhere; or verb, resource and the one namespace whose Role gives it, which
# gives nothing on nodes and whatever else has none.
Grant = tuple[str, str] | tuple[str, str, str]


def rights_table(table: Mapping[str, Iterable[Grant]]) -> Rights:
    """Rights from user to grants; `*` stands for all, and a user who is not in the table may do
    everything. A right on pods is none on `pods/log`, which `*/log` gives as well.
    """
    allowed = {user: frozenset(grants) for user, grants in table.items()}

    def allows(access: Access) -> bool:
        grants = allowed.get(access.user)
        if grants is None:
            return True
        _, slash, subresource = access.resource.partition("/")
        resources = {access.resource, "*", f"*/{subresource}" if slash else "*"}
        return any(
            grant[0] in {access.verb, "*"}
            and grant[1] in resources
            and (len(grant) == 2 or grant[2] == access.namespace)
            for grant in grants
        )

    return allows


class Gate:
    """Answers 401 and 403. Both attributes may be changed while the server runs.

    tokens: bearer token to user name; None lets everybody in as the administrator.
    """

    def __init__(
        self, tokens: Mapping[str, str] | None = None, rights: Rights | None = None
    ) -> None:
        self.tokens = tokens
        self.rights = rights

    def __repr__(self) -> str:
        return f"Gate(users={sorted(set((self.tokens or {}).values()))})"

    def user(self, authorization: str) -> str:
        """The user of an Authorization header; StatusError 401 (recording 52)."""
        if self.tokens is None:
            return ADMIN
        scheme, _, token = authorization.partition(" ")
        user = self.tokens.get(token.strip()) if scheme.lower() == "bearer" else None
        if user is None:
            raise StatusError(401, "Unauthorized", "Unauthorized")
        return user

    def allows(self, access: Access) -> bool:
        return self.rights is None or self.rights(access)

    def check(self, access: Access, resource: Resource | None) -> None:
        """StatusError 403 with the sentence of recordings 49-51."""
        if self.allows(access):
            return
        plural = access.resource.partition("/")[0]
        qualified = f"{plural}.{access.group}" if access.group else plural
        named = f'{qualified} "{access.name}"' if access.name else qualified
        namespaced = resource.namespaced if resource else bool(access.namespace)
        where = (
            f'in the namespace "{access.namespace}"'
            if namespaced and access.namespace
            else "at the cluster scope"
        )
        details: Object = {"name": access.name} if access.name else {}
        if access.group:
            details["group"] = access.group
        details["kind"] = plural
        raise StatusError(
            403,
            "Forbidden",
            f'{named} is forbidden: User "{access.user}" cannot {access.verb} resource '
            f'"{access.resource}" in API group "{access.group}" {where}',
            details,
        )

    def review(self, user: str, body: Object) -> Object:
        """A SelfSubjectAccessReview, answered (recording 53)."""
        spec = body.get("spec") or {}
        asked = spec.get("resourceAttributes") or {}
        resource = asked.get("resource", "")
        if asked.get("subresource"):
            resource += f"/{asked['subresource']}"
        group = asked.get("group")
        if group is None and resource in BY_PLURAL:
            group = ""
        access = Access(
            user,
            asked.get("verb", ""),
            group or "",
            resource,
            asked.get("namespace", ""),
            asked.get("name", ""),
        )
        return {
            "kind": "SelfSubjectAccessReview",
            "apiVersion": "authorization.k8s.io/v1",
            "metadata": {},
            "spec": spec,
            "status": {"allowed": self.allows(access)},
        }
