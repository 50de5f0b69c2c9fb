"""With which Secrets a Deployment's pods pull their images."""

from collections.abc import Iterable

from controller.domain.objects import Deployment, Pod


def pull_secrets(deployment: Deployment, pods: Iterable[Pod]) -> tuple[str, ...]:
    """Names, each once: of the pod template, and of the pods, where those of a ServiceAccount stand
    too [164].
    """
    specs = (deployment.spec.template.spec, *(pod.spec for pod in pods))
    named = (secret.name for spec in specs for secret in spec.image_pull_secrets or ())
    return tuple(dict.fromkeys(filter(None, named)))
