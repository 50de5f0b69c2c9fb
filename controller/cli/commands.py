"""The table of commands. Only the one that is typed is imported: `run` and `monitor` keep for weeks
what was imported, and a list of commands should not wait for all of them. `--help` takes 79 ms of
CPU, of which typer alone is 60, and took 154 when this imported settings too, with them TLS, URLs
and the package's metadata (python -m tests.bench --only commands).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Annotated

import typer

from controller.base.version import our_version
from controller.cli.collecting import put_off
from controller.cli.examples import examples_of
from controller.cli.exit_codes import DONE


@dataclass(frozen=True)
class Listed:
    """A command as the list of commands shows it."""

    name: str  # as typed
    place: str  # module and function, below `controller.cli`
    help: str  # one sentence, with which its own help begins
    under: tuple["Listed", ...] = ()  # the commands below it; then it is none itself

    def load(self) -> Callable[..., None]:
        module, function = self.place.split(":")
        with put_off():
            found = import_module(f"controller.cli.{module}")
        command: Callable[..., None] = getattr(found, function)
        return command


COMMANDS = (
    Listed(
        "run",
        "run:run",
        "Watch the labelled Deployments and test build after build, until stopped by a signal.",
    ),
    Listed(
        "monitor",
        "monitor:monitor",
        "Look after the Deployment whose pod this runs in, as a sidecar of its node, until stopped"
        " by a signal.",
    ),
    Listed(
        "status",
        "status:status",
        "Show each labelled Deployment: phase, since when, build, trouble, last outcome, message.",
    ),
    Listed(
        "explain",
        "explain:explain",
        "Say what is seen of a Deployment, what is decided, and why nothing is happening now.",
    ),
    Listed(
        "history",
        "history:history",
        "Show transitions, newest first: the store's, and those that only the records remember.",
    ),
    Listed(
        "qualify",
        "qualify:qualify",
        "Say whether a build, or one of the same commit, has passed on every target.",
    ),
    Listed(
        "wait",
        "wait:wait",
        "Wait until the run of a Deployment has passed or has a verdict, or until nothing is due.",
    ),
    Listed(
        "builds",
        "builds:builds",
        "Show the builds that were seen, newest first: when, where tested, where passed by.",
    ),
    Listed("show", "runs:show", "Show everything that is known of a run."),
    Listed(
        "diff",
        "runs:diff",
        "Lay two runs side by side: builds, durations by stage, machines, outcomes.",
    ),
    Listed(
        "stats",
        "stats:stats",
        "Say how long the last runs of a target took, whether that changes, and how they ended.",
    ),
    Listed(
        "logs",
        "logs:logs",
        "Print the log of a Deployment's node: of the pod that it has now.",
    ),
    Listed(
        "evidence",
        "evidence:evidence",
        "Write what was kept of a run when it ended (logs, pods, Events, health) as a tar file.",
    ),
    Listed(
        "doctor",
        "doctor:doctor",
        "Check cluster, rights, Deployments, Lease, store, registry, Datadog and Argo CD; exit with"
        " 1 if anything is red.",
    ),
    Listed(
        "preview",
        "preview:preview",
        "Say what the controller would make of a Deployment, of the cluster or of a file, that need"
        " not be labelled yet.",
    ),
    Listed(
        "report",
        "report:report",
        "Write how all targets and builds stand as one file that needs nothing beside it.",
    ),
    Listed(
        "store",
        "store:",
        "Look after the store: clear away what nobody needs, or fill one that was lost.",
        (
            Listed(
                "gc",
                "store:gc",
                "Remove from the store what nobody needs any more; never a claim, and no history.",
            ),
            Listed(
                "rebuild",
                "store:rebuild",
                "Fill an empty store, or one that has lost something, from the records of the"
                " Deployments, while no controller runs: a controller does it by itself.",
            ),
        ),
    ),
    Listed(
        "demo",
        "demo:demo",
        "Show builds being pinned, followed and judged, in a simulated cluster on this machine.",
    ),
    Listed(
        "explain-log",
        "explain_log:explain_log_command",
        "Say why a node ended, on which side the fault is, and where: from its log, whole or cut.",
    ),
    Listed(
        "suspend",
        "levers:suspend",
        "Start nothing new on these Deployments; an open run goes on to its end.",
    ),
    Listed("resume", "levers:resume", "End what `suspend` began."),
    Listed(
        "retest",
        "levers:retest",
        "Ask for another attempt of the build that is tested already; after an open run's end.",
    ),
    Listed("abort", "levers:abort", "End the open run of each of these Deployments."),
    Listed(
        "end-hold",
        "levers:end_hold",
        "Let the next build replace the data of a failed run before its time is over.",
    ),
    Listed(
        "test-build",
        "levers:queue_build",  # no function of ours is named test_
        "Test one build next, ahead of the followed tag: such as a release candidate.",
    ),
)


_CONTEXT = {"help_option_names": ["-h", "--help"]}


def command_line(words: Sequence[str]) -> typer.Typer:
    """All commands, of which the one that is typed can be called.

    words: what was typed, after the program's name.
    """
    app = typer.Typer(
        name="bootstrap-controller",
        help="Continuous bootstrap testing of avalanchego nodes on Kubernetes.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,  # they show the values of variables, and so secrets
        rich_markup_mode=None,
        context_settings=_CONTEXT,
    )
    app.callback()(_root)
    typed = next((word for word in words if not word.startswith("-")), "")
    for each in COMMANDS:
        if each.name != typed:
            app.command(each.name, help=each.help)(_listed)
        elif each.under:
            app.add_typer(_group(each), name=each.name)
        else:
            _add(app, each, each.name)
    return app


def _add(app: typer.Typer, each: Listed, typed: str) -> None:
    """typed: all of its name, as its examples are found by."""
    command = each.load()
    app.command(
        each.name,
        help=command.__doc__ or each.help,
        epilog=examples_of(typed),
        context_settings=_CONTEXT,
    )(command)


def _group(listed: Listed) -> typer.Typer:
    group = typer.Typer(
        help=listed.help,
        epilog=examples_of(listed.name),
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings=_CONTEXT,
    )
    group.callback()(_together)
    for each in listed.under:
        _add(group, each, f"{listed.name} {each.name}")
    return group


def _together() -> None:
    """Commands that stand below one name."""


def _listed() -> None:
    """Stands in the list for a command that was not typed; never called."""


def _version(wanted: bool) -> None:
    if wanted:
        print(our_version())
        raise typer.Exit(DONE)


def _root(
    version: Annotated[
        bool, typer.Option("--version", help="print the version", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Continuous bootstrap testing of avalanchego nodes on Kubernetes."""
