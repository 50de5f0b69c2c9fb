"""What the Pod Security profile `restricted` refuses of a pod, `baseline` with it, as
https://kubernetes.io/docs/concepts/security/pod-security-standards/ has it for Linux.
"""

from collections.abc import Iterator

from tests.kustomize import Object

_VOLUMES = {
    *("configMap", "csi", "downwardAPI", "emptyDir", "ephemeral"),
    *("persistentVolumeClaim", "projected", "secret"),
}
_SECCOMP = {"RuntimeDefault", "Localhost"}
_SELINUX = {"", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"}
_SYSCTLS = {
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.ping_group_range",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.tcp_wmem",
}


def refused(pod: Object) -> list[str]:
    """A few words for each rule that the pod's spec breaks."""
    return sorted({*_of_pod(pod), *(each for c in containers(pod) for each in _of(c, pod))})


def containers(pod: Object) -> list[Object]:
    kinds = ("initContainers", "containers", "ephemeralContainers")
    return [container for kind in kinds for container in pod.get(kind) or ()]


def _of_pod(pod: Object) -> Iterator[str]:
    for name in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.get(name):
            yield name
    for volume in pod.get("volumes") or ():
        if not (volume.keys() - {"name"}) <= _VOLUMES:
            yield f"volume {volume['name']}"
    context = pod.get("securityContext") or {}
    yield from _of_context(context)
    for sysctl in context.get("sysctls") or ():
        if sysctl["name"] not in _SYSCTLS:
            yield f"sysctl {sysctl['name']}"


def _of_context(context: Object) -> Iterator[str]:
    """What pod and container have in common."""
    if context.get("runAsUser") == 0:
        yield "user root"
    if context.get("runAsNonRoot") is False:
        yield "may be root"
    if (context.get("windowsOptions") or {}).get("hostProcess"):
        yield "hostProcess"
    if (context.get("seccompProfile") or {}).get("type", "RuntimeDefault") not in _SECCOMP:
        yield "seccomp"
    if (context.get("appArmorProfile") or {}).get("type", "RuntimeDefault") not in _SECCOMP:
        yield "AppArmor"
    options = context.get("seLinuxOptions") or {}
    if options.get("type", "") not in _SELINUX or options.get("user") or options.get("role"):
        yield "SELinux"


def _of(container: Object, pod: Object) -> Iterator[str]:
    name, context = container["name"], container.get("securityContext") or {}
    both = {**(pod.get("securityContext") or {}), **context}
    yield from _of_context(context)
    if both.get("runAsNonRoot") is not True:
        yield f"{name}: may be root"
    if "type" not in (both.get("seccompProfile") or {}):
        yield f"{name}: no seccomp"
    if context.get("privileged"):
        yield f"{name}: privileged"
    yield from (f"{name}: {why}" for why in _of_container(container, context))


def _of_container(container: Object, context: Object) -> Iterator[str]:
    if context.get("allowPrivilegeEscalation") is not False:
        yield "escalation"
    if context.get("procMount", "Default") != "Default":
        yield "procMount"
    capabilities = context.get("capabilities") or {}
    if "ALL" not in (capabilities.get("drop") or ()):
        yield "keeps capabilities"
    if not set(capabilities.get("add") or ()) <= {"NET_BIND_SERVICE"}:
        yield "adds capabilities"
    for port in container.get("ports") or ():
        if port.get("hostPort"):
            yield "hostPort"
    for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
        asked = container.get(probe) or {}
        if any((asked.get(way) or {}).get("host") for way in ("httpGet", "tcpSocket")):
            yield "probes a host"
