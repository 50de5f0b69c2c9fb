"""Every reason for which a Deployment is Blocked, and what a person does about it."""

from collections.abc import Iterator
from types import MappingProxyType

# By where it lies, reason to (what is wrong, what to do)
_SHAPE = MappingProxyType(
    {
        "NoSuchContainer": ("the node's container is not there", "its name in `container`"),
        "TooManyReplicas": ("several pods would share one volume", "`replicas: 1`"),
        "NoReplica": ("nothing runs", "`replicas: 1`; to rest, `suspend`"),
        "NotRecreate": ("two nodes would share one volume", "`strategy: {type: Recreate}`"),
        "Paused": ("a pin would not be rolled out", "leave `spec.paused` out"),
        "PodNotLabelled": ("the pods cannot be watched", "the test's label on the pod template"),
        "RunIdNotTaken": ("no init container prepares the run's data", "the init container"),
        "OtherInitImage": (
            "the init container looks at another binary",
            "the node's image in both",
        ),
        "NoService": ("no labelled Service leads to the node", "a Service that selects the pod"),
        "ServiceSelectsOther": ("the Service leads elsewhere", "the pod template's labels in it"),
        "NoUsablePort": ("the Service has no port of the node's", "port `http`, 9650"),
        "ServiceLinks": (
            "Kubernetes would set variables of the node",
            "`enableServiceLinks: false`",
        ),
        "PortsDiffer": ("Service and node have two ports", "the node's port as `targetPort`"),
    }
)
_ASKED = MappingProxyType(
    {
        "NoTag": ("the image names no tag to follow", "a tag in the image, or `track`"),
        "BadReference": ("the image cannot be read", "a name as registries have it"),
        "BadTag": ("`track` is no tag", "a tag alone"),
        "BadTestBuild": ("`test-build` is no tag and no digest", "one of the two"),
        "BadDuration": ("an annotation is no duration", "`30s`, `5m`, `12h` or `7d`"),
        "BadSeries": ("`series` is none", "at most 32 small letters, digits and `-`"),
        "BadSwitch": ("something is neither true nor false", "`true` or `false`"),
    }
)
_NODE = MappingProxyType(
    {
        "BadNumber": ("a flag is no number, duration or port", "the form that the message shows"),
        "BadFlag": ("a flag has one dash", "two dashes"),
        "BadNetwork": ("there is no such network", "`mainnet`, `fuji`, `local` or `network-N`"),
        "BadChainConfig": ("C's configuration would be ignored", "the key that the message names"),
        "StateSyncWithArchive": ("state sync leaves no archive", "one or the other"),
        "HiddenConfiguration": ("what is tested stands in a file", "variables or flags instead"),
        "TargetNotLiteral": ("what is tested is not in the manifest", "the value itself"),
        "DataDirNotTheRuns": ("the next build would find this one's data", "the run's directory"),
        "DataNotKept": ("a restart would begin anew", "leave the flag out"),
    }
)
_MONITOR = MappingProxyType(
    {
        "MonitorIsNotTheNode": ("the container that is named is the monitor", "the node's name"),
        "MonitorNotSidecar": ("the pod would wait for ever", "`restartPolicy: Always`, first"),
        "MonitorNotFirst": ("the one before waits for the monitor", "the monitor first"),
        "MonitorOfNodeImage": ("a pin would replace the monitor", "another repository for it"),
        "TwoMonitors": ("two monitors are in the pod", "leave one out"),
    }
)
_RECORD = MappingProxyType(
    {
        "RecordCopied": ("the record is of another Deployment", "remove the annotation"),
        "RecordTooNew": ("a newer controller wrote the record", "run that one"),
        "RecordUnreadable": ("the record cannot be read", "put it back, or remove it"),
        "ForeignData": ("another image was at the run's data", "see the message; then `retest`"),
    }
)
_CLUSTER = MappingProxyType(
    {
        "WriteRefused": (
            "a policy, a webhook or a limit refuses the pin",
            "see the message; it is tried again by itself",
        ),
    }
)
GROUPS = MappingProxyType(
    {
        "Deployment and Service": _SHAPE,
        "image and annotations": _ASKED,
        "the node's configuration": _NODE,
        "the monitor": _MONITOR,
        "the record": _RECORD,
        "the cluster": _CLUSTER,
    }
)


def rows() -> Iterator[tuple[str, str, str, str]]:
    """Reason, where it lies, what is wrong, and what to write or do."""
    for where, reasons in GROUPS.items():
        for reason, (wrong, remedy) in reasons.items():
            yield reason, where, wrong, remedy
