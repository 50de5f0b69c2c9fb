"""Which Deployment a Pod belongs to; pure."""

from controller.domain.objects import Pod

TEMPLATE_HASH = "pod-template-hash"  # the label that the Deployment controller gives


def deployment_of(pod: Pod) -> str | None:
    """`namespace/name` of the Deployment, or None for a pod that no Deployment made.

    A Deployment's ReplicaSet is named after it, a dash, and the hash that its pods have as a
    label; so ReplicaSets need be neither read nor watched.
    """
    hash_ = pod.metadata.label(TEMPLATE_HASH)
    if not hash_:
        return None
    for owner in pod.metadata.owner_references or ():
        if owner.kind == "ReplicaSet" and owner.controller is not False:
            name = owner.name.removesuffix("-" + hash_)
            if name and name != owner.name:
                return f"{pod.metadata.namespace}/{name}"
    return None
