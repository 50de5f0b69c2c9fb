"""Leaves alone the Deployments that another looks after, and takes them up when they are ours."""

from loguru import logger

from controller.base.said_once import SaidOnce
from controller.domain.objects import Deployment
from controller.engine.polling.followed_tags import FollowedTags
from controller.engine.ports import Cluster, Custody
from controller.engine.probing.prober import Prober
from controller.engine.reconcile.follow_up import FollowUp
from controller.engine.reconcile.record_memory import RecordMemory


class StandingAside:
    """Nothing is remembered of a Deployment while it is another's: he changes it meanwhile. Its
    record is a sibling's to all others still.
    """

    def __init__(
        self,
        custody: Custody,
        cluster: Cluster,
        memory: RecordMemory,
        prober: Prober,
        followed_tags: FollowedTags,
        follow_up: FollowUp,
    ) -> None:
        self._custody = custody
        self._cluster = cluster
        self._memory = memory
        self._prober = prober
        self._followed_tags = followed_tags
        self._follow_up = follow_up
        self._left: set[str] = set()
        self._said = SaidOnce[str]()

    def leaves(self, deployment: Deployment) -> bool:
        """Whether it is to be left alone; then neither its node nor its tag is asked any more."""
        key = deployment.metadata.key
        why = self._custody.elsewhere(deployment)
        if why is None:
            return False
        if key not in self._left:
            self._left.add(key)
            self._followed_tags.forget(key)
            self._prober.forget(key)
            self._follow_up.left(key)
            self._memory.forget(key)
        if why and self._said.begin(key, why):
            logger.bind(deployment=key, why=why).info("deployment is left alone")
        return True

    async def taken_up(self, deployment: Deployment) -> Deployment:
        """The Deployment, read anew where it was another's until now: he may have written it later
        than our watch has heard. Raises what the cluster raises.
        """
        key = deployment.metadata.key
        if key not in self._left:
            return deployment
        found = await self._cluster.read(key)
        self._left.discard(key)
        if self._said.end(key) is not None:
            logger.bind(deployment=key).info("deployment is looked after here from now on")
        return found or deployment

    def gone(self, key: str) -> None:
        """It is not there any more."""
        self._left.discard(key)
        self._said.end(key)
        self._followed_tags.forget(key)
        self._prober.forget(key)
        self._follow_up.forget(key)
        self._custody.forget(key)
