"""Rights as Roles give them: rules, bindings, and the names that a rule may be limited to."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from controller.simulator.apiserver.auth import Access, Rights
from controller.simulator.apiserver.resources import Object

_ALL = "*"


@dataclass(frozen=True)
class Rule:
    """One rule, and where it holds [K pkg/apis/rbac/v1/evaluation_helpers.go]."""

    verbs: frozenset[str]
    groups: frozenset[str]  # empty text for core
    resources: frozenset[str]  # plural, with `/subresource` if any
    # Names of objects; empty: all. A rule with names gives nothing on what is asked without one:
    # a create never has one, a list or a watch only by `fieldSelector=metadata.name=NAME`.
    names: frozenset[str] = frozenset()
    namespace: str = ""  # of the binding; empty: everywhere

    @classmethod
    def read(cls, rule: Object, namespace: str = "") -> "Rule":
        """Of a Role's `rules`."""
        return cls(
            frozenset(rule["verbs"]),
            frozenset(rule["apiGroups"]),
            frozenset(rule["resources"]),
            frozenset(rule.get("resourceNames") or ()),
            namespace,
        )

    def allows(self, access: Access) -> bool:
        _, slash, subresource = access.resource.partition("/")
        resources = {access.resource, _ALL, f"*/{subresource}" if slash else _ALL}
        return (
            not self.verbs.isdisjoint({access.verb, _ALL})
            and not self.groups.isdisjoint({access.group, _ALL})
            and not self.resources.isdisjoint(resources)
            and (not self.names or access.name in self.names)
            and self.namespace in {"", access.namespace}
        )


def account_user(namespace: str, name: str) -> str:
    """The user name of a ServiceAccount."""
    return f"system:serviceaccount:{namespace}:{name}"


def bound_rules(objects: Iterable[Object]) -> dict[str, list[Rule]]:
    """The rules of each ServiceAccount that a binding among these manifests names, by user name.
    A Role that is not among them is a KeyError.
    """
    objects = list(objects)
    roles = {
        (o["kind"], o["metadata"].get("namespace", ""), o["metadata"]["name"]): o["rules"]
        for o in objects
        if o["kind"] in {"Role", "ClusterRole"}
    }
    found: dict[str, list[Rule]] = {}
    for binding in objects:
        if binding["kind"] not in {"RoleBinding", "ClusterRoleBinding"}:
            continue
        reference, namespace = binding["roleRef"], binding["metadata"].get("namespace", "")
        home = namespace if reference["kind"] == "Role" else ""
        rules = [
            Rule.read(rule, namespace) for rule in roles[reference["kind"], home, reference["name"]]
        ]
        for subject in binding.get("subjects") or ():
            if subject["kind"] == "ServiceAccount":
                user = account_user(subject.get("namespace") or namespace, subject["name"])
                found.setdefault(user, []).extend(rules)
    return found


def role_rights(rules: Mapping[str, Iterable[Rule]]) -> Rights:
    """By user name; who is not in the table may do everything, as with `rights_table`."""
    table = {user: tuple(found) for user, found in rules.items()}

    def allows(access: Access) -> bool:
        found = table.get(access.user)
        return found is None or any(rule.allows(access) for rule in found)

    return allows
