"""With which Secrets a Deployment's pods pull: its own, and those of its ServiceAccount."""

import msgspec

from controller.domain.objects import Deployment, Pod
from controller.domain.pods.pull_secrets import pull_secrets


def pod_with(*names: str) -> Pod:
    """As the API server completes it from its ServiceAccount."""
    spec = {"imagePullSecrets": [{"name": name} for name in names]}
    return msgspec.convert({"spec": spec}, Pod)


def deployment_with(secrets: object) -> Deployment:
    template = {"spec": {"imagePullSecrets": secrets}}
    return msgspec.convert({"spec": {"template": template}}, Deployment)


def test_of_template_and_pods() -> None:
    """Is each named once, those that only the pods have too?"""
    deployment = deployment_with([{"name": "own"}, {}, {"name": "own"}])

    assert pull_secrets(deployment, [pod_with("account", "own"), pod_with()]) == ("own", "account")


def test_of_none() -> None:
    """Is nothing found where nothing is written?"""
    assert pull_secrets(deployment_with(None), [Pod()]) == ()
