"""The last good build of a target: what a failure is set beside, and since when it is broken."""

from controller.domain.build import Build, same_commit
from controller.domain.decide.messages import verdict as say
from controller.domain.decide.observation import Observation
from controller.domain.decide.own_passes import own_passes
from controller.domain.pace.comparison import PastRun
from controller.domain.record.record import OpenRun, Record
from controller.domain.run import run_time

_COMMIT = 12  # digits of a commit in a link: enough to be unique in any repository


def last_good(o: Observation, record: Record, run: OpenRun) -> tuple[str, str]:
    """(commit, sentence) of the last good build of the target up to this one; empty where there is
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
    """Of the target's, by whatever Deployment, or, without the store, of this Deployment's own:
    the newest in the tag's order that is this build itself or comes before it. A build whose place
    in that order nobody knows is none of them.
    """
    known = [past for past in o.earlier or () if past.run != run.id]
    known += own_passes(record, run.target)
    own = [past for past in known if past.build == run.build]
    if own:
        return max(own, key=lambda past: past.run)
    here = _place(o, record, run, run.build)
    if here is None:
        return None
    placed = [(_place(o, record, run, past.build), past) for past in known]
    before = [(place, past.run, past) for place, past in placed if place and place < here]
    return max(before, key=lambda each: each[:2])[2] if before else None


def _place(o: Observation, record: Record, run: OpenRun, build: Build) -> float | None:
    """When the tag is first known to have pointed to a build, in seconds since 1970; None where
    nobody knows that it ever has. A store that was lost has seen a build later than it was tested.
    """
    tested = [
        run_time(outcome.run).timestamp()
        for outcome in record.outcomes
        if (outcome.build, outcome.target) == (build, run.target) and not outcome.beside
    ]
    if build == run.build and not run.beside:
        tested.append(run_time(run.id).timestamp())
    seen = (o.order or {}).get(build)
    return min([*tested, *([] if seen is None else [seen])], default=None)
