"""Which Deployment made the pod that this process runs in."""

from controller.base.errors import SettingsFault
from controller.base.text import shown
from controller.domain import names
from controller.domain.objects import Deployment, Pod
from controller.kube.api.client import KubeClient
from controller.kube.api.resources import PODS
from controller.kube.pod_owner import deployment_of
from controller.kube.watch.listing import list_all
from controller.kube.watch.selection import Selection
from controller.kube.writer import DeploymentWriter

_ONLY = "the monitor looks after the Deployment whose pod it runs in"


async def own_deployment(client: KubeClient, namespace: str, pod: str) -> Deployment:
    """The pod is found by a list with its name, so that no other right on pods is needed than the
    watch needs. Raises SettingsFault where the pod belongs to no labelled Deployment, and what
    `KubeClient.fetch` raises.
    """
    listing = await list_all(client, PODS, Selection(namespace, "", pod))
    found = next(iter(listing.objects), None)
    where = f"{shown(namespace)}/{shown(pod)}"
    if found is None:
        raise SettingsFault(
            [
                f"there is no pod {where}: give POD_NAME and POD_NAMESPACE by the downward API, as"
                " k8s/targets/components/monitor does"
            ]
        )
    key = deployment_of(found)
    if key is None:
        raise SettingsFault([f"pod {where} {_owned_by(found)}: {_ONLY}; make it a Deployment's"])
    deployment = await DeploymentWriter(client).read(key)
    if deployment is None:
        raise SettingsFault([f"the Deployment {key} of pod {where} is not there any more"])
    if deployment.metadata.label(names.TEST) != "true":
        raise SettingsFault(
            [f'the Deployment {key} has no label {names.TEST}: "true": write it there, or take the'
             " monitor out of its pod"]
        )  # fmt: skip
    return deployment


def _owned_by(pod: Pod) -> str:
    owners = [o for o in pod.metadata.owner_references or () if o.controller is not False]
    if not owners:
        return "belongs to nothing"
    owner = owners[0]
    word = "which no Deployment made" if owner.kind == "ReplicaSet" else "which is no Deployment"
    return f"belongs to the {shown(owner.kind, 40)} {shown(owner.name, 63)}, {word}"
