"""Manifests of a target as `k8s/targets` writes them (README.md, "A target")."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field

import orjson

from controller.domain import names
from controller.domain.target import SyncMode
from controller.simulator.apiserver.resources import Object

NODE_PORT = 9650
MONITOR = "monitor"  # its container
MONITOR_IMAGE = "bootstrap-controller:0.1.0"
RUN_ID_FIELD = f"metadata.annotations['{names.RUN_ID}']"

# The C-chain's configuration that makes a node sync so; None leaves avalanchego's default [99-103].
_CHAIN_CONFIGS: Mapping[SyncMode, Mapping[str, bool] | None] = {
    SyncMode.FULL: {"state-sync-enabled": False},
    SyncMode.ARCHIVE: {"state-sync-enabled": False, "pruning-enabled": False},
    SyncMode.STATE: {"state-sync-enabled": True},
    SyncMode.P_CHAIN: None,
}


@dataclass(frozen=True)
class TargetManifest:
    """One target's objects, with what a test may want to be otherwise."""

    name: str
    namespace: str = "bootstrap"
    image: str = "avaplatform/avalanchego:latest"
    network: str = "fuji"
    mode: SyncMode = SyncMode.STATE
    annotations: Mapping[str, str] = field(default_factory=dict)  # of the Deployment
    # Of the node's container, beside what network and mode need.
    env: Mapping[str, str] = field(default_factory=dict)
    # Of the claim; `ReadWriteOncePod` keeps a replacement waiting for the old pod [58].
    access_mode: str = "ReadWriteOncePod"
    strategy: str = "Recreate"
    replicas: int = 1
    run_id: str = ""  # on the pod template, as after a pin; empty as a person applies it
    grace: int = 300  # terminationGracePeriodSeconds [60]
    shares_processes: bool = True  # shareProcessNamespace
    storage_class: str = "fast"  # of the claim; empty leaves it to the cluster
    requests: Mapping[str, str] = field(default_factory=dict)  # of the node: `cpu`, `memory`
    monitor: bool = False  # with the sidecar that looks after it, and its account

    def deployment(self) -> Object:
        labels = {"app": self.name, names.TEST: "true"}
        template_metadata: Object = {"labels": labels}
        if self.run_id:
            template_metadata["annotations"] = {names.RUN_ID: self.run_id}
        return {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {
                "name": self.name,
                "namespace": self.namespace,
                "labels": labels,
                "annotations": dict(self.annotations),
            },
            "spec": {
                "replicas": self.replicas,
                "strategy": {"type": self.strategy},
                # No deadline: a bootstrap takes days [57].
                "progressDeadlineSeconds": 2147483647,
                "selector": {"matchLabels": {"app": self.name}},
                "template": {"metadata": template_metadata, "spec": self._pod_spec()},
            },
        }

    def service(self) -> Object:
        return {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {
                "name": self.name,
                "namespace": self.namespace,
                "labels": {"app": self.name, names.TEST: "true"},
            },
            "spec": {
                "clusterIP": "None",
                "selector": {"app": self.name},
                "ports": [{"name": "http", "port": NODE_PORT, "targetPort": "http"}],
                # The node is asked long before it is ready [63].
                "publishNotReadyAddresses": True,
            },
        }

    def claim(self) -> Object:
        spec: Object = {
            "accessModes": [self.access_mode],
            "resources": {"requests": {"storage": "1Ti"}},
        }
        if self.storage_class:
            spec["storageClassName"] = self.storage_class
        return {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": self.name, "namespace": self.namespace},
            "spec": spec,
        }

    def _pod_spec(self) -> Object:
        mounts = [{"name": "data", "mountPath": "/data"}]
        spec = self._node_spec(mounts)
        if self.monitor:
            spec["serviceAccountName"] = self.name
            spec["automountServiceAccountToken"] = False
            spec["volumes"].append(_TOKEN)
            spec["initContainers"].insert(0, dict(_MONITOR))
        return spec

    def _node_spec(self, mounts: list[Object]) -> Object:
        return {
            # A Service called avago-… would otherwise set flags of the node [65].
            "enableServiceLinks": False,
            "terminationGracePeriodSeconds": self.grace,
            "shareProcessNamespace": self.shares_processes,
            "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": self.name}}],
            "initContainers": [
                {
                    "name": "prepare-data",
                    "image": self.image,
                    "command": ["/bin/bash", "/scripts/prepare-data.sh"],
                    "env": [_RUN_ID, *_POD],
                    "volumeMounts": mounts,
                    "terminationMessagePolicy": "FallbackToLogsOnError",
                }
            ],
            "containers": [
                {
                    "name": names.DEFAULT_CONTAINER,
                    "image": self.image,
                    "command": ["/avalanchego/build/avalanchego"],
                    "env": [_RUN_ID, *_literals(self._environment())],
                    "ports": [{"name": "http", "containerPort": NODE_PORT}],
                    "volumeMounts": mounts,
                    "terminationMessagePolicy": "FallbackToLogsOnError",
                    "resources": {"requests": dict(self.requests)} if self.requests else {},
                    "readinessProbe": {
                        "httpGet": {"path": "/ext/health/readiness", "port": "http"},
                        "periodSeconds": 30,
                        "timeoutSeconds": 10,
                        "failureThreshold": 1,
                    },
                }
            ],
        }

    def _environment(self) -> dict[str, str]:
        environment = {
            "AVAGO_NETWORK_ID": self.network,
            "AVAGO_DATA_DIR": "/data/runs/$(RUN_ID)",
            "AVAGO_HTTP_HOST": "0.0.0.0",
        }
        if self.mode is SyncMode.P_CHAIN:
            environment["AVAGO_PARTIAL_SYNC_PRIMARY_NETWORK"] = "true"
        config = _CHAIN_CONFIGS[self.mode]
        if config is not None:
            environment["AVAGO_CHAIN_CONFIG_CONTENT"] = chain_config_content(config)
        return environment | dict(self.env)


_RUN_ID: Object = {"name": "RUN_ID", "valueFrom": {"fieldRef": {"fieldPath": RUN_ID_FIELD}}}
_POD: tuple[Object, ...] = tuple(
    {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}
    for name, path in (("POD_NAME", "metadata.name"), ("POD_NAMESPACE", "metadata.namespace"))
)


# Before prepare-data, which waits until the monitor has pinned a build. Its image is another's than
# the node's, so that no pin touches it; its token is its own, not mounted for the node.
_MONITOR: Object = {
    "name": MONITOR,
    "image": MONITOR_IMAGE,
    "command": ["bootstrap-controller", "monitor"],
    "env": list(_POD),
    "restartPolicy": "Always",
    "terminationMessagePolicy": "FallbackToLogsOnError",
    "volumeMounts": [
        {
            "name": "monitor-token",
            "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount",
            "readOnly": True,
        }
    ],
}
_TOKEN: Object = {
    "name": "monitor-token",
    "projected": {
        "sources": [
            {"serviceAccountToken": {"path": "token", "expirationSeconds": 3607}},
            {
                "configMap": {
                    "name": "kube-root-ca.crt",
                    "items": [{"key": "ca.crt", "path": "ca.crt"}],
                }
            },
            {
                "downwardAPI": {
                    "items": [
                        {"path": "namespace", "fieldRef": {"fieldPath": "metadata.namespace"}}
                    ]
                }
            },
        ]
    },
}


def chain_config_content(c_chain: Mapping[str, object]) -> str:
    """AVAGO_CHAIN_CONFIG_CONTENT: base64 within base64 [99]."""
    inner = base64.b64encode(orjson.dumps(dict(c_chain))).decode()
    chains = {"C": {"Config": inner, "Upgrade": None}}
    return base64.b64encode(orjson.dumps(chains)).decode()


def _literals(environment: Mapping[str, str]) -> list[Object]:
    return [{"name": name, "value": value} for name, value in environment.items()]
