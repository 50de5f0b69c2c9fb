"""One Lease: who of several controllers works in a namespace. It saves work; I5 makes safe."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any, Never

from loguru import logger

from controller.base.clock import Clock
from controller.base.durations import format_duration
from controller.base.errors import Conflict, Trouble
from controller.domain.names import FIELD_MANAGER
from controller.kube.api.client import KubeClient
from controller.kube.api.resources import MICROTIME, Lease
from controller.kube.lease_object import LeaseObject, holder_in, number_in, spec_of, version_of


@dataclass(frozen=True)
class LeaseTimes:
    """Seconds. Twice client-go's 15, 10 and 2: a standby that takes over half a minute later costs
    nothing here, and requests are fewer (I11).
    """

    duration: float = 30.0  # how long others wait after our last sign of life
    # how long after it we still hold the Lease in our own eyes: well before the others, whatever
    # the clocks do
    deadline: float = 20.0
    retry: float = 5.0  # between attempts, with up to a fifth of it as jitter
    # the same while another holds it, or it cannot be read; None: as `retry`
    aside: float | None = None


@dataclass(frozen=True)
class LeaseClaim:
    """Which Lease, and for whom."""

    namespace: str
    identity: str  # different from that of every other process
    name: str = FIELD_MANAGER


class LeaseLock:
    """Claims the Lease while `run` runs.

    The record's times are written for people and never compared with our clock: another's Lease is
    over when its record has not changed for its duration while we watched, by our monotonic clock.
    """

    def __init__(
        self,
        client: KubeClient,
        claim: LeaseClaim,
        clock: Clock,
        random: Random,
        times: LeaseTimes | None = None,
    ) -> None:
        self._identity = claim.identity
        self._clock = clock
        self._random = random
        self._times = times or LeaseTimes()
        self._patience = max(self._times.retry, self._times.deadline / 2)
        self._object = LeaseObject(client, claim.namespace, claim.name, self._patience)
        self._seen: tuple[str, str] | None = None  # holder and resourceVersion, as last read
        self._seen_at = 0.0
        self._renewed_at: float | None = None
        self._said = self._given_back = False
        self._handlers: list[Callable[[bool], None]] = []
        self._told: tuple[bool, str, str | None] | None = None
        self._listeners: list[Callable[[], None]] = []
        self._log = logger.bind(lease=f"{claim.namespace}/{claim.name}", identity=claim.identity)
        self._wrote = ""  # the time that we last wrote into it; empty where it is not ours
        self._on_gone_back: list[Callable[[], None]] = []
        self.holder = ""  # who had it when it was last read; empty for nobody
        self.trouble: str | None = None  # a sentence while it cannot be read or written

    @property
    def held(self) -> bool:
        """Whether it is ours now: renewed, as of when the request was sent, within the deadline."""
        if self._renewed_at is None:
            return False
        return self._clock.monotonic() - self._renewed_at < self._times.deadline

    @property
    def anothers(self) -> bool:
        """Whether another had it when it was last read."""
        return self.holder not in ("", self._identity)

    def on_change(self, handler: Callable[[bool], None]) -> None:
        """Calls `handler` when `run` gains (True) or loses (False) the Lease; it must not wait."""
        self._handlers.append(handler)

    def on_gone_back(self, handler: Callable[[], None]) -> None:
        """Calls `handler` when the Lease is older than what we last wrote, or not there at all: the
        cluster's memory was put back to an earlier day. It must not wait.
        """
        self._on_gone_back.append(handler)

    def on_standing(self, handler: Callable[[], None]) -> None:
        """Calls `handler` when `run` sees another `held`, `holder` or `trouble` than before; it
        must not wait.
        """
        self._listeners.append(handler)

    async def run(self) -> Never:
        """Acquires, renews, and tries again, until it is cancelled; does not release."""
        while True:
            await self.attempt()
            self._say()
            delay = self._delay() * (1.0 + 0.2 * self._random.random())
            if self.held and self._renewed_at is not None:
                # Lost at its deadline and not at the next attempt after it.
                end = self._renewed_at + self._times.deadline
                delay = min(delay, max(0.0, end - self._clock.monotonic()))
            await self._clock.sleep(delay)
            self._say()

    async def attempt(self) -> bool:
        """Acquires or renews, once; whether we hold it afterwards. Trouble is kept in `trouble`,
        not raised.
        """
        sent_at = self._clock.monotonic()
        try:
            # A request that hangs must not outlive what it renews.
            ours = await self._clock.within(self._patience, self._claim())
        except TimeoutError:
            self.trouble = "the API server did not answer about the Lease in time"
        except Conflict:
            self.trouble = None  # another was quicker; seen at the next attempt
        except Trouble as exc:
            self.trouble = str(exc)
            self._log.bind(why=str(exc)).debug("lease attempt failed")
        else:
            self.trouble = None
            self._renewed_at = sent_at if ours else None
            self._given_back = False
        return self.held

    async def release(self) -> None:
        """Gives it up at once, so that another need not wait. Raises what the requests raise; a
        Lease that is not ours is left alone.
        """
        if self._renewed_at is None:
            return
        self._renewed_at = None
        self._given_back = True
        try:
            lease = await self._object.read()
            if lease is None or spec_of(lease).get("holderIdentity") != self._identity:
                return
            # Empty, and over in a second for whoever minds the duration alone.
            await self._object.update(lease, {"holderIdentity": "", "leaseDurationSeconds": 1})
        except Conflict:
            return
        finally:
            self._say()

    async def _claim(self) -> bool:
        lease = await self._object.read()
        self._doubt(lease)
        if lease is None:
            await self._create()
            self.holder = self._identity
            return True
        spec = spec_of(lease)
        self.holder = holder_in(spec)
        if self.anothers and not self._over(lease, spec):
            self._wrote = ""
            return False
        changes: dict[str, Any] = {
            "holderIdentity": self._identity,
            "leaseDurationSeconds": round(self._times.duration),
            "renewTime": self._now(),
        }
        if self.holder != self._identity:
            changes["acquireTime"] = changes["renewTime"]
            changes["leaseTransitions"] = number_in(spec, "leaseTransitions") + 1
        await self._object.update(lease, changes)
        self.holder, self._wrote = self._identity, changes["renewTime"]
        return True

    def _doubt(self, lease: Lease | None) -> None:
        """Of one microsecond or two the times are written alike, so they compare as texts."""
        spec = spec_of(lease) if lease is not None else {}
        time = str(spec.get("renewTime") or "")
        ours = holder_in(spec) in ("", self._identity)
        if self._wrote and ours and time < self._wrote:
            for handler in self._on_gone_back:
                handler()
        self._wrote = ""

    def _over(self, lease: Lease, spec: dict[str, Any]) -> bool:
        """Whether another's record has stood still for its duration under our eyes."""
        version = version_of(lease)
        now = self._clock.monotonic()
        if self._seen != (self.holder, version):
            self._seen = (self.holder, version)
            self._seen_at = now
        duration = number_in(spec, "leaseDurationSeconds") or self._times.duration
        return now - self._seen_at >= duration

    def _delay(self) -> float:
        """Seconds until the next attempt, without jitter."""
        anothers = self.holder not in ("", self._identity) or self.trouble is not None
        if self._times.aside is not None and anothers and not self.held:
            return self._times.aside
        return self._times.retry

    def _say(self) -> None:
        standing = (self.held, self.holder, self.trouble)
        if standing != self._told:
            self._told = standing
            for listener in self._listeners:
                listener()
        if self.held == self._said:
            return
        self._said = self.held
        log = self._log.bind(holder=self.holder)
        if self._said:
            log.info("lease gained")
        elif self._given_back:
            log.info("lease given back")
        else:
            log.bind(why=self._why_lost()).warning("lease lost")
        for handler in self._handlers:
            handler(self._said)

    def _why_lost(self) -> str:
        if self.anothers:
            return f"{self.holder} holds it now"
        deadline = format_duration(self._times.deadline)
        return f"not renewed for {deadline}: {self.trouble or 'no attempt came to an end in time'}"

    async def _create(self) -> None:
        now = self._now()
        await self._object.create(
            {
                "holderIdentity": self._identity,
                "leaseDurationSeconds": round(self._times.duration),
                "acquireTime": now,
                "renewTime": now,
                "leaseTransitions": 0,
            }
        )

    def _now(self) -> str:
        return self._clock.now().strftime(MICROTIME)
