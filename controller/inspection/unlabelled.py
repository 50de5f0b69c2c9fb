"""Why a name finds no labelled Deployment: one that is there lacks the label, or there is none."""

from collections.abc import Iterable

from controller.base.errors import BootstrapError
from controller.base.text import shown
from controller.domain import names
from controller.domain.manifest.labels import places_without_label
from controller.inspection.nearest import not_here
from controller.kube.api.client import KubeClient
from controller.kube.writer import DeploymentWriter
from controller.process.wiring import Wiring


async def why_not_found(
    wiring: Wiring, client: KubeClient, name: str, labelled: Iterable[str]
) -> str:
    """A sentence. name: `[NAMESPACE/]NAME`. labelled: keys of those that are here, of which the
    nearest are offered. A right to read it may be missing: then no more is said than that none is
    labelled.
    """
    namespace, _, own = name.rpartition("/")
    watched = [each for each in wiring.watched(client) if each]
    for home in [namespace] if namespace else watched or [client.namespace]:
        try:
            found = await DeploymentWriter(client).read(f"{home}/{own}")
        except BootstrapError:
            continue
        if found is None:
            continue
        places = places_without_label(found, None)
        if places:
            return (
                f"Deployment {shown(found.metadata.key)} is there without the label {names.TEST}:"
                f' "true" in {", and in ".join(places)}; `preview` says what would be made of it'
            )
        selector = wiring.settings.cluster.selector
        return f"Deployment {shown(found.metadata.key)} is there, and not selected by {selector}"
    return not_here(name, labelled)
