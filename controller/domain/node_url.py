"""Where a node is asked (`--node-url`): a URL with places that the address of its pod fills."""

import re
from dataclasses import dataclass

from yarl import URL

from controller.base.errors import Unavailable
from controller.base.http_url import read_http_url
from controller.base.text import shown
from controller.domain.node_http import NodeAddress

PLACES = ("pod_ip", "port", "pod", "namespace", "service")
# Without one of these every Deployment would be answered by the same node.
_TELLING = frozenset({"pod_ip", "pod", "service"})

_PLACE = re.compile(r"\{([^{}]*)\}")
_REMEDY = "write a URL with " + ", ".join(f"{{{name}}}" for name in PLACES)
# Of IPv4: a name made of it, `{pod_ip}.example`, is a URL that no address of IPv6 makes.
_SAMPLE = NodeAddress("namespace", "pod", "192.0.2.1", 9650, "service")


@dataclass(frozen=True)
class NodeUrl:
    """Never one that a node cannot be asked at: raises ValueError that says what to write instead,
    and does not show the template, since somebody may have written a password into it.
    """

    template: str  # as `http://{pod_ip}:{port}`, with places of PLACES; may end in a slash

    def __post_init__(self) -> None:
        names = _PLACE.findall(self.template)
        if any(mark in _PLACE.sub("", self.template) for mark in "{}"):
            raise ValueError(f"its braces do not match: {_REMEDY}")
        for name in names:
            if name not in PLACES:
                raise ValueError(f"'{{{shown(name)}}}' is no placeholder: {_REMEDY}")
        try:
            read_http_url(self._filled(_SAMPLE))
        except ValueError as error:
            raise ValueError(f"{error}; {_REMEDY}") from None
        if _TELLING.isdisjoint(names):
            raise ValueError(
                "every Deployment would be answered by one node: write {pod_ip}, {pod} or"
                " {service} into it"
            )

    @classmethod
    def parse(cls, text: str) -> "NodeUrl":
        return cls(text.strip())

    def of(self, address: NodeAddress, path: str) -> URL:
        """path: begins with a slash. Raises Unavailable where the pod has no address yet, or one
        that makes no URL.
        """
        if not address.pod_ip and "{pod_ip}" in self.template:
            raise Unavailable(f"pod {shown(address.pod)} has no address yet")
        base = self._filled(address).rstrip("/")
        try:
            read_http_url(base)
        except ValueError as error:
            raise Unavailable(f"'{shown(base)}' is no URL to ask a node at") from error
        return URL(base + path)

    def _filled(self, address: NodeAddress) -> str:
        """An IPv6 address comes in brackets."""
        values = {
            "pod_ip": f"[{address.pod_ip}]" if ":" in address.pod_ip else address.pod_ip,
            "port": str(address.port),
            "pod": address.pod,
            "namespace": address.namespace,
            "service": address.service,
        }
        return _PLACE.sub(lambda place: values[place[1]], self.template)


# By address and not by the Service's name: the answer is then of this pod and no other, and
# avalanchego lets an address as Host pass its host check [94].
BY_ADDRESS = NodeUrl("http://{pod_ip}:{port}")
