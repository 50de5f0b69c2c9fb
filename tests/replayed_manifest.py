"""The Deployment that a recorded scene would have, from its flags and variables."""

from msgspec.structs import replace as with_fields

from controller.domain.objects import Deployment
from tests.machine_objects import bare, deployment, node_container, variables
from tests.scenes import Scene

# Of the recorder's machine
_RECORDERS = ("--http-port=", "--staking-port=", "--public-ip=", "--genesis-file=")
_MENDED = {"--partial-sync-primary-network=yes": "--partial-sync-primary-network=false"}
_LEFT_OUT = {
    ("bool-yes", "AVAGO_PARTIAL_SYNC_PRIMARY_NETWORK"),
    ("c-config-not-json", "AVAGO_CHAIN_CONFIG_CONTENT"),
    ("content-not-json", "AVAGO_CHAIN_CONFIG_CONTENT"),
    ("service-link", "AVAGO_HTTP_PORT"),
}


def manifest(found: Scene) -> Deployment:
    """One that may run it: as it is written, without what would block it. Then the image itself has
    that fault, or says of the flag that the manifest gives it what it said of the scene's.
    """
    written = manifest_as_written(found)
    node = written.spec.template.spec.container("node")
    assert node is not None
    args = [_MENDED.get(arg, arg) for arg in node.args or ()]
    env = [v for v in node.env or () if (found.name, v.name) not in _LEFT_OUT]
    return deployment(containers=[with_fields(node, args=args, env=env)])


def manifest_as_written(found: Scene) -> Deployment:
    """With all flags and variables of the scene, but for those of the recorder's machine."""
    args = [f for f in found.about["flags"] if not f.startswith(_RECORDERS)]
    env = {k: v for k, v in found.about["env"].items() if k != "AVAGO_DATA_DIR"}
    node = with_fields(node_container(bare(), env=variables(**env)), args=args)
    return deployment(containers=[node])
