"""At which address the node's HTTP server listens: whether anybody outside its pod can ask it."""

from controller.base.loopback import is_loopback
from controller.base.text import shown
from controller.domain.manifest.node_flags import NodeFlags
from controller.domain.objects import Container

_FLAG = "http-host"
_CONFIG_FILES = ("config-file", "config-file-content")
_NOBODY = "nobody can reach the node from outside its pod"
# Names that a kubelet writes into every pod's /etc/hosts for its loopback.
_NAMES = {"localhost", "ip6-localhost", "ip6-loopback"}  # with a dot at their end, too


def why_out_of_reach(container: Container) -> str:
    """A sentence where the node listens on its pod's loopback for certain; empty where it does not,
    or where the manifest does not tell. Nothing said is 127.0.0.1 [96].
    """
    flags = NodeFlags.of(container)
    said = flags.said(_FLAG)
    if said is None:
        # A file comes after flags and variables, and before the default.
        in_file = any(flags.said(name) for name in _CONFIG_FILES)
        return "" if in_file else f"{_NOBODY}: set AVAGO_HTTP_HOST to 0.0.0.0 in its container"
    if said.hidden or not _is_loopback(said.value):
        return ""
    listens = f"{_NOBODY}: it listens on {shown(said.value, 60)}"
    if said.place.startswith("--"):  # a variable beside it would change nothing
        return f"{listens}; write {said.place}=0.0.0.0 in its container's command"
    return f"{listens}; set {said.place} to 0.0.0.0 in its container"


def _is_loopback(host: str) -> bool:
    """An empty host, as only a flag can say it, is every address [96]."""
    return host.lower().removesuffix(".") in _NAMES or is_loopback(host)
