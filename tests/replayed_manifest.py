"""The Deployment that a recorded scene would have, from its flags and variables."""

from msgspec.structs import replace as with_fields

from controller.domain.objects import Deployment
from tests.machine_objects import bare, deployment, node_container, variables
from tests.scenes import Scene

# Of the recorder's machine
_RECORDERS = ("--http-port=", "--staking-port=", "--public-ip=", "--genesis-file=")


def manifest(found: Scene) -> Deployment:
    """A Deployment that runs it, without the fault that a scene's own manifest may have."""
    flag = next(f for f in found.about["flags"] if f.startswith("--network-id="))
    env = {"AVAGO_NETWORK_ID": flag.partition("=")[2]}
    for name in ("AVAGO_PARTIAL_SYNC_PRIMARY_NETWORK", "AVAGO_CHAIN_CONFIG_CONTENT"):
        if name in found.about["env"]:
            env[name] = found.about["env"][name]
    if found.name in ("c-config-not-json", "content-not-json"):
        del env["AVAGO_CHAIN_CONFIG_CONTENT"]
    if found.name == "bool-yes":
        del env["AVAGO_PARTIAL_SYNC_PRIMARY_NETWORK"]
    return deployment(env=variables(**env))


def manifest_as_written(found: Scene) -> Deployment:
    """With all flags and variables of the scene, but for those of the recorder's machine."""
    args = [f for f in found.about["flags"] if not f.startswith(_RECORDERS)]
    env = {k: v for k, v in found.about["env"].items() if k != "AVAGO_DATA_DIR"}
    node = with_fields(node_container(bare(), env=variables(**env)), args=args)
    return deployment(containers=[node])
