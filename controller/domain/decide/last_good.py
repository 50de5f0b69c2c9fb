"""The last good build of a target: what a failure is set beside, and since when it is broken."""

from controller.domain.build import same_commit
from controller.domain.decide.messages import verdict as say
from controller.domain.decide.observation import Observation
from controller.domain.pace.comparison import PastRun
from controller.domain.record.record import OpenRun, Record
from controller.domain.run import Phase

_COMMIT = 12  # digits of a commit in a link: enough to be unique in any repository


def last_good(o: Observation, record: Record, run: OpenRun) -> tuple[str, str]:
    """(commit, sentence) of the target's last good build before this run; empty where there is
    none, or nobody knows.
    """
    good = _newest(o, record, run)
    if good is None:
        return "", ""
    name = say.build_name(good.version, good.build)
    before, now = good.commit[:_COMMIT], run.facts.known_commit[:_COMMIT]
    if not before or not now:
        return good.commit, say.last_good(name, good.run)
    if same_commit(before, now):
        return good.commit, say.same_commit_passed(before, good.run)
    link = o.rules.compare_url.replace("{good}", before).replace("{bad}", now)
    since = link or f"{before}...{now}"
    return good.commit, say.last_good_since(name, since)


def _newest(o: Observation, record: Record, run: OpenRun) -> PastRun | None:
    """The target's, by whatever Deployment; without the store, this Deployment's own."""
    known = [past for past in o.earlier or () if past.run < run.id]
    known += [
        PastRun(
            run=outcome.run,
            build=outcome.build,
            commit=outcome.commit,
            version=outcome.version,
            at=outcome.at,
            seconds=outcome.took,
            node_type=outcome.machine,
            resumes=outcome.resumes,
        )
        for outcome in record.outcomes
        if outcome.phase is Phase.PASSED and outcome.target == run.target
    ]
    return max(known, key=lambda past: past.run, default=None)
