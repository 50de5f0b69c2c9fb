"""One history with a fixed clock, for tables and JSON that are compared letter by letter: four runs
of two targets, in a store and in two records.
"""

from dataclasses import dataclass

from controller.domain.record.parts import Cause, Facts
from controller.domain.record.record import OpenRun, Outcome, Record
from controller.domain.run import Phase
from controller.inspection.doctor.finding import Finding, Topic
from controller.views.build import BuildView
from controller.views.deployment import DeploymentView
from controller.views.known_builds import known_builds
from controller.views.meaning import meaning_of
from controller.views.parts import moment
from controller.views.qualification import Ground, Qualification, qualification, verdict_on
from controller.views.reading import Reading
from controller.views.run import RunView
from controller.views.run_lines import Difference, difference
from controller.views.statistics import Statistics, statistics_of
from store.api import Claim, Meta, Transition
from tests.machine_engine import at_once, still_store

NOW = 1_795_500_000
DAY = 86_400
FUJI, MAINNET = "fuji-full-sync", "mainnet-c-chain-state-sync"
OLD, NEW, NEXT = (f"sha256:{digits * 8}" for digits in ("aaaa1111", "bbbb2222", "cccc3333"))
VERSIONS = {OLD: "avalanchego/1.14.0", NEW: "avalanchego/1.14.1", NEXT: "avalanchego/1.14.2"}
COMMITS = {OLD: "a1" * 20, NEW: "b2" * 20, NEXT: "c3" * 20}
BAD = "C cannot verify block 5000 (2dDTg…): invalid merkle root, local 9e84…, expected c4e1…"
COMPARE = "https://github.com/ava-labs/avalanchego/compare/{good}...{bad}"


def run_id(build: str, day: int) -> str:
    return f"202611{day:02}t060000z-{build[7:15]}"


def outcome(build: str, target: str, day: int, took: float) -> Outcome:
    """took: seconds of a pass; 0: it failed."""
    began = NOW - (24 - day) * DAY
    return Outcome(
        run=run_id(build, day), build=build, target=target, began=began,
        at=began + int(took or 7200) + 600, version=VERSIONS[build], commit=COMMITS[build],
        phase=Phase.PASSED if took else Phase.FAILED, reason="Soaked" if took else "BadBlock",
        message="bootstrapped and healthy for 10m after that" if took else BAD,
        took=took, lasted=int(took * 1.01), observed=took + 600, machine="i4i.4xlarge",
        good="" if took else COMMITS[NEW],
        cause=None if took else Cause(chain="C", height=5000, block="2dDTg", error="bad root"),
    )  # fmt: skip


RECORDS = (
    Record(
        schema=1, namespace="bootstrap", name="fuji", uid="u1", message="data kept",
        tested={FUJI: (OLD, NEW, NEXT)},
        outcomes=(outcome(OLD, FUJI, 20, 93_600.0), outcome(NEW, FUJI, 21, 95_400.0),
                  outcome(NEXT, FUJI, 23, 0.0)),
    ),
    Record(
        schema=1, namespace="bootstrap", name="mainnet", uid="u2", message="it goes on",
        tested={MAINNET: (OLD, NEW)}, outcomes=(outcome(OLD, MAINNET, 20, 14_400.0),),
        run=OpenRun(
            id=run_id(NEW, 23), build=NEW, image=f"avaplatform/avalanchego:latest@{NEW}",
            target=MAINNET, network="mainnet", mode="c-chain-state-sync", config="c",
            phase=Phase.BOOTSTRAPPING, reason="NodeStarted", decided=NOW - 4000,
            since=NOW - 3600, started=NOW - 3600, observed=3600.0,
            facts=Facts(
                version=VERSIONS[NEW], commit=COMMITS[NEW], tags=("v1.14.1", "latest"),
                node="ip-10-0-3-17.ec2.internal", type="i4i.4xlarge", zone="us-east-1a",
            ),
        ),
    ),
)  # fmt: skip


@dataclass(frozen=True)
class FixedHistory:
    """As the commands read it."""

    builds: list[BuildView]
    ended: list[RunView]  # of FUJI, newest first
    open: RunView
    deployments: tuple[DeploymentView, ...]

    @property
    def statistics(self) -> Statistics:
        return statistics_of(FUJI, self.ended)

    @property
    def difference(self) -> Difference:
        """Of the last pass and the failure."""
        return difference(self.ended[1], self.ended[0], COMPARE)

    def _runs(self) -> list[RunView]:
        return [on.run for build in self.builds for on in build.targets if on.run]

    def qualification(self, build: str, word: str) -> Qualification:
        means = meaning_of(word, "the build whose node says so", (build,), self.builds)
        grounds = [
            Ground(
                target=target,
                runs=tuple(x for x in self._runs() if (x.build, x.target) == (build, target)),
                deployments=tuple(each for each in self.deployments if each.target == target),
            )
            for target in (FUJI, MAINNET)
        ]  # fmt: skip
        return qualification(means, [verdict_on(ground, means) for ground in grounds])


def fixed_history() -> FixedHistory:
    store = still_store()
    claims = [
        Claim(x.target, x.build, x.run, record.key) for record in RECORDS for x in record.outcomes
    ]
    at_once(store.refill(Meta(1, "e", 0, "c"), claims))
    for record in RECORDS:
        for each in record.outcomes:
            body = f'{{"phase":"{each.phase}","run":"{each.run}"}}'.encode()
            name = f"{record.key}.{each.run}.end"
            at_once(store.append([Transition(name, each.target, float(each.at), body)]))
    for number, build in enumerate((OLD, NEW, NEXT)):
        for target in (FUJI, MAINNET):
            at_once(store.note_seen(target, build, at=float(NOW - (4 - number) * DAY)))
    reading = Reading(store, RECORDS)
    (running,) = reading.open()
    views = (
        DeploymentView(deployment="bootstrap/fuji", target=FUJI, phase="Held", reason="BadBlock"),
        DeploymentView(
            deployment="bootstrap/mainnet", target=MAINNET, phase="Bootstrapping",
            reason="NodeStarted", since=moment(NOW - 3600), run=running,
        ),
    )  # fmt: skip
    return FixedHistory(
        at_once(_all_builds(reading)),
        at_once(reading.ended(FUJI, limit=10)),
        running,
        views,
    )


async def _all_builds(reading: Reading) -> list[BuildView]:
    known = await known_builds(reading, [FUJI, MAINNET])
    return list(await known.views(known.after(None)))


FINDINGS: tuple[Finding, ...] = (
    Topic("cluster").green("https://10.0.0.1 answers, Kubernetes 1.33"),
    Topic("rights", "bootstrap").red(
        "patch deployments is not allowed to jane", "bind the Role bootstrap-controller to jane"
    ),
    Topic("Deployment", "bootstrap/mainnet-c-chain-state-sync").green("well-formed"),
    Topic("registry", "docker.io/avaplatform/avalanchego:latest").yellow(
        "answers, and 12 of 100 pulls are left in 21600s", "log in with --registry-auth"
    ),
)
