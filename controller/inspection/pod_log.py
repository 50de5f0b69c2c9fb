"""The log of the pod that a Deployment has now, as it comes."""

import codecs
from collections.abc import AsyncIterator
from dataclasses import dataclass

from controller.base.errors import NotFound
from controller.base.text import shown_lines
from controller.domain.manifest.request import node_container_name
from controller.domain.objects import Pod
from controller.inspection.deployments import Inspection
from controller.kube.api.call import Call
from controller.kube.api.resources import PODS, Operation


@dataclass(frozen=True)
class LogWanted:
    """Which log."""

    container: str  # empty: the node's
    previous: bool  # of the container before its last restart
    follow: bool  # go on as it grows
    tail: int | None  # only so many of its last lines; None: all of it


async def pod_log(i: Inspection, key: str, wanted: LogWanted) -> AsyncIterator[str]:
    """Text as it comes, made fit for a terminal. Raises NotFound where the Deployment has no pod,
    and what `KubeClient.stream` raises: Forbidden names the right `get` on `pods/log`.
    """
    deployment, pod = i.cluster.deployment(key), _newest(list(i.cluster.pods(key)))
    if deployment is None or pod is None:
        raise NotFound(
            f"{key} has no pod now: `explain` says why, `evidence` has an ended run's log"
        )
    namespace, name = pod.metadata.namespace, pod.metadata.name
    query = [("container", wanted.container or node_container_name(deployment))]
    query += [("previous", "true")] if wanted.previous else []
    query += [("follow", "true")] if wanted.follow else []
    query += [("tailLines", str(wanted.tail))] if wanted.tail is not None else []
    call = Call(
        Operation("get", "pods/log", namespace, name),
        "GET",
        f"{PODS.path(namespace, name)}/log",
        tuple(query),
    )
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    async with i.client.stream(call) as stream:
        while part := await stream.read():
            yield shown_lines(decoder.decode(part))
    yield decoder.decode(b"", final=True)


def _newest(pods: list[Pod]) -> Pod | None:
    """Of those that do not end, if there are any."""

    def order(pod: Pod) -> tuple[bool, float]:
        made = pod.metadata.creation_timestamp
        return (not pod.terminating, made.timestamp() if made else 0.0)

    return max(pods, key=order, default=None)
