"""What the engine asks of the outside, declared where it is used: `app` plugs the adapters in."""

from collections.abc import Callable, Sequence
from typing import Protocol

from controller.base.clock import Clock
from controller.domain.build import Platform, Quota
from controller.domain.evidence import BuildFacts, Place, PodEvent, Read
from controller.domain.node_http import NodeAddress, NodeAnswer
from controller.domain.notice import Notice, Sink
from controller.domain.objects import Deployment, Pod, Service
from controller.domain.record.write import Write, WriteReply
from controller.domain.reference import Repository
from store.api import StateStore

__all__ = [
    "Clock",
    "Cluster",
    "Custody",
    "NodeProbe",
    "Registry",
    "Sink",
    "StateStore",
    "Witness",
    "WriteReply",
]


class Cluster(Protocol):
    """The watched namespaces. Keys are `namespace/name` of a Deployment.

    The readings are of a cache that a watch keeps: they never wait, and may be old. Objects are
    immutable. No promise about the order in which Deployments, Pods and Services become visible.
    """

    def keys(self) -> Sequence[str]:
        """Of all labelled Deployments, sorted."""
        ...

    def watches(self, key: str) -> bool:
        """Whether a Deployment of this key would be seen: it stands in what is watched."""
        ...

    def deployment(self, key: str) -> Deployment | None: ...

    def pods(self, key: str) -> Sequence[Pod]:
        """Those that the Deployment's ReplicaSets own, terminating ones too."""
        ...

    def pods_are_live(self, key: str) -> bool:
        """Whether `pods` are known to be as they are now: False while their watch fails, or says
        nothing.
        """
        ...

    def service(self, key: str) -> Service | None:
        """The labelled Service of the Deployment's name."""
        ...

    def on_change(self, handler: Callable[[str], None]) -> None:
        """Calls `handler` with the key of what changed. Handlers must only note the key."""
        ...

    def skew(self) -> float | None:
        """Seconds that our wall clock is ahead of the API server's, by its last Date header."""
        ...

    async def read(self, key: str) -> Deployment | None:
        """The Deployment as it is now, not as it was cached; None if there is none."""
        ...

    async def read_pods(self, key: str) -> Sequence[Pod]:
        """As `pods`, as they are now and not as they were cached."""
        ...

    async def refresh(self, since: float) -> bool:
        """Sees to it that `deployment` shows what stood at `since` or later, and what stands now or
        stood seconds ago: lists all anew where the last list is older, or the watch does not keep
        up. Whether it had to. Raises what a list raises, and Unavailable where none comes in time.

        since: monotonic seconds, not after now.
        """
        ...

    async def write(self, write: Write) -> WriteReply:
        """One JSON patch that tests what the write expects (I5). A failed precondition is not an
        error: it is read again and told. Raises LostReply if the reply was lost and the reading
        after it failed too or shows neither old nor new; WriteRefused or Forbidden if it was not
        taken though all that it expects is there.
        """
        ...

    async def try_out(self, write: Write) -> None:
        """Has the write looked at as if it were made, and makes nothing of it. Raises as `write`
        where it would be refused; nothing where that cannot be told, or its precondition fails.
        """
        ...

    async def post_event(self, notice: Notice) -> None:
        """A Kubernetes Event on the Deployment, named by the notice's id: twice is no error."""
        ...


class Custody(Protocol):
    """Which Deployments are ours to look after, where another could do so as well: a controller and
    a monitor over one Deployment. It saves double work and two voices; what makes safe is I5.
    """

    def elsewhere(self, deployment: Deployment) -> str | None:
        """None where it is ours. Else why it is not: a clause that names who looks after it, empty
        while that is not known yet. Asking begins to find out; never waits.
        """
        ...

    def forget(self, key: str) -> None:
        """The Deployment is gone."""
        ...

    def on_change(self, handler: Callable[[str], None]) -> None:
        """Calls `handler` with the key of a Deployment of which `elsewhere` says something else by
        now. Handlers must only note the key.
        """
        ...


class Registry(Protocol):
    """Any OCI registry; all failures are of `base.errors`."""

    async def head(self, repository: Repository, reference: str) -> str:
        """The digest that a tag, or a digest, stands for now; costs no pull [76]."""
        ...

    async def build(self, repository: Repository, digest: str, platform: Platform) -> str:
        """The platform manifest behind a digest; costs up to one pull. Raises Refused where the
        index has no such platform.
        """
        ...

    def quota(self, repository: Repository) -> Quota | None:
        """What the registry last said is left."""
        ...

    async def describe(self, repository: Repository, tag: str, build: str) -> BuildFacts:
        """What the registry tells of a build: asked once a run, for people. Raises nothing of
        `base.errors`: what could not be had is said in the answer. tag: the one that was followed.
        """
        ...


class NodeProbe(Protocol):
    """Asks one node, once, over a connection of its own."""

    async def ask(self, address: NodeAddress) -> NodeAnswer:
        """Never raises for what the node does: that is the answer."""
        ...


class Witness(Protocol):
    """Reads about a pod what people need and a decision can do without (the last words of a log
    name a failure more exactly, and a caught panic at all): only when a run begins, when its node
    has ended, and when the run is over; and, seldom, the log of a node that runs. Every reading is
    bounded in size and time, needs a right that is optional, and never raises for a failure: the
    answer says what could not be read.
    """

    async def log(
        self, pod: Pod, container: str, *, previous: bool = False, lines: int = 500
    ) -> Read:
        """The end of a container's log, or of the container before it."""
        ...

    async def events(self, pod: Pod) -> tuple[Sequence[PodEvent], str]:
        """Kubernetes Events about the pod, oldest first, and why there are none to be read."""
        ...

    async def place(self, pod: Pod) -> Place:
        """Where the pod runs."""
        ...
