"""What each recorded scene of a kubelet must become, through the whole controller: phases, what is
told and when, what is said meanwhile, and the verdict, written `Phase Reason side`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf

from controller.simulator.apiserver.resources import Object
from controller.simulator.world import NAMESPACE, World
from tests.kubelet_world import Act

STARTING = ("Starting",)
BOOTSTRAPPING = ("Starting", "Bootstrapping")
SOAKING = ("Starting", "Bootstrapping", "Soaking")
MINUTE, HOUR = 60.0, 3600.0


@dataclass(frozen=True)
class Row:
    scene: str
    phases: tuple[str, ...]  # of the open run, in order
    verdict: str
    says: tuple[str, ...]  # what its sentence has
    condition: str = ""  # that people are told of, ten minutes after it began; empty: none
    told: Mapping[str, int] = field(default_factory=dict)  # other reasons, and how often each
    now: tuple[str, ...] = ()  # what message, `status` and `explain` have after the recording
    asked: float = MINUTE  # so many seconds after it
    bootstrap: float = inf  # seconds that its node needs
    act: Act | None = None  # of a person, a minute after the recording's end
    every: str = "30s"  # between looks; seldom where it takes half a day
    within: float = 14 * HOUR  # until the verdict
    attempts: int = 0  # to start what cannot be started: each is noted, though none is an end


def _ends(scene: str, verdict: str, *says: str, ends: int) -> Row:
    """Its node ends, again and again. ends: that are told of, before that of the verdict."""
    told = {"NodeRestarted": ends}
    return Row(scene, BOOTSTRAPPING, f"Failed {verdict}", says, told=told, now=says)


def _waits(scene: str, reason: str, condition: str, *says: str) -> Row:
    """Nothing runs for hours."""
    verdict = f"Failed {reason} infrastructure"
    return Row(
        scene,
        STARTING,
        verdict,
        says,
        condition,
        now=says,
        every="2m",
        asked=5 * MINUTE,
    )


def _survives(scene: str, act: Act | None = None, **told: int) -> Row:
    """Whatever happens to its pod is nobody's fault; the node goes on, and passes."""
    says = ("bootstrapped in", "healthy for 1")
    after = 20 * MINUTE
    return Row(scene, SOAKING, "Passed Soaked", says, told=told, bootstrap=after, act=act)


def _deleted(world: World, pod: str) -> None:
    world.api.objects.delete("pods", NAMESPACE, pod)


def _drained(world: World, pod: str) -> None:
    world.workloads.drain(NAMESPACE, pod)


def _restarted(world: World, pod: str) -> None:
    """As `kubectl rollout restart` does it."""
    found = {"kubectl.kubernetes.io/restartedAt": world.api.objects.timestamp()}

    def change(deployment: Object) -> None:
        deployment["spec"]["template"]["metadata"].setdefault("annotations", {}).update(found)

    world.change(pod.rsplit("-", 2)[0], change)


_NO_CLAIM = 'persistentvolumeclaim "nosuch" not found'
_NO_SECRET = 'secret "nosuch" not found'

ROWS = (
    Row(
        "pass",
        SOAKING,
        "Passed Soaked",
        ("bootstrapped in", "healthy for 1"),
        now=("it passes after 10m of observed health",),
        bootstrap=13.0,
    ),
    # By its log's line; the second end was at the same place.
    _ends("crash", "BadBlock client", "failed to verify block", ends=1),
    # Nobody asked for it, and nothing else explains it.
    _ends("zero", "ExitedZero client", "exit code 0", ends=1),
    Row(
        "oom",
        BOOTSTRAPPING,
        "Failed OutOfMemory infrastructure",
        ("OOMKilled", "restarted 6 times"),
        told={"NodeRestarted": 5},
        now=("OOMKilled",),
    ),
    Row(
        "noexec",
        STARTING,
        "Failed BadConfig configuration",
        ("no such file or directory",),
        "ContainerNotCreated",
        now=("no such file or directory",),
        within=2 * HOUR,
        attempts=20,  # in an hour
    ),
    _ends("arm", "BadConfig configuration", "exec format error", ends=1),
    Row(
        "configerror",
        STARTING,
        "Failed BadConfig configuration",
        (_NO_SECRET,),
        "ContainerNotCreated",
        now=(_NO_SECRET,),
    ),
    _waits("gone", "ImagePull", "ImagePull", "not found"),
    _waits("unschedulable", "Unschedulable", "Unschedulable", "Insufficient cpu"),
    _waits("nopvc", "Unschedulable", "Unschedulable", _NO_CLAIM),
    _waits("readonly", "VolumeLost", "VolumeTrouble", "/data is not writable"),
    _ends("fill", "DiskFull infrastructure", "no space left on device", ends=5),
    _survives("tmpfull", PodReplaced=3),
    _survives("deleted", _deleted, PodReplaced=1),
    _survives("drained", _drained, PodReplaced=1),
    _survives("restarted", _restarted, PodReplaced=1),
    _survives("moved"),
    _survives("reboot"),
    _survives("sidecar"),
)
