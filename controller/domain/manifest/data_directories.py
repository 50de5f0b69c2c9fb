"""Where a node keeps what lasts: all of it must be the run's own, or the next build would pass on
the last one's database.
"""

import re
from collections.abc import Mapping
from typing import Any

from controller.base.errors import TargetFault
from controller.domain import names
from controller.domain.manifest.environment import unknown
from controller.domain.manifest.node_flags import NodeFlags, Said
from controller.domain.objects import Container

RUN_ID_PATH = f"metadata.annotations['{names.RUN_ID}']"
CONTRACT = "see k8s/targets for a Deployment that does"
_RUNS = "/data/runs/"
# What a shell and avalanchego itself put in for `$NAME` and `${NAME}` [98].
_REFERENCE = re.compile(r"\$(?:\{([A-Za-z_][A-Za-z0-9_]{0,99})\}|([A-Za-z_][A-Za-z0-9_]{0,99}))")
_DATA_DIR = "data-dir"
_BELOW_IT = ("db-dir", "chain-data-dir")  # below the data directory, unless they say otherwise
_IN_MEMORY = "memdb"


def run_id_variable(container: Container) -> str | None:
    """The variable that holds the run id, if one does."""
    for variable in container.env or ():
        source: Any = (variable.value_from or {}).get("fieldRef")
        if isinstance(source, dict) and source.get("fieldPath") == RUN_ID_PATH:
            return variable.name
    return None


def check_data_directories(node: Container) -> None:
    """Raises TargetFault unless everything that the node keeps lies in the run's own directory."""
    flags, run_id = NodeFlags.of(node), run_id_variable(node)
    said = flags.said(_DATA_DIR)
    data_dir = _path(flags, said, run_id, {}) if said and run_id else None
    if run_id is None or data_dir is None or not _is_the_runs(data_dir, run_id):
        raise TargetFault(
            "DataDirNotTheRuns",
            f"the node's {_place(said)} must be /data/runs/$(RUN_ID), with RUN_ID from"
            f" {RUN_ID_PATH} before it in env; {CONTRACT}",
        )
    own = {} if flags.command_line.scripted else {"AVALANCHEGO_DATA_DIR": data_dir}
    for flag in _BELOW_IT:
        there = flags.said(flag)
        if there is not None and not _is_the_runs(_path(flags, there, run_id, own), run_id):
            raise TargetFault(
                "DataDirNotTheRuns",
                f"{there.place} keeps data outside of the run's own directory, where the next"
                f" build would find it: leave it out, or write a path below {_RUNS}$({run_id})",
            )
    _check_that_it_lasts(flags)


def _check_that_it_lasts(flags: NodeFlags) -> None:
    """A node that keeps nothing begins again at each restart."""
    kind = flags.get("db-type")
    if kind == _IN_MEMORY or flags.is_on("db-read-only"):
        said = flags.said("db-type" if kind == _IN_MEMORY else "db-read-only")
        raise TargetFault(
            "DataNotKept",
            f"with {said.place if said else 'it'} the node keeps its data in memory only, and a"
            " restart would begin the bootstrap again: leave it out",
        )


def _place(said: Said | None) -> str:
    return said.place if said and said.is_flag else "AVAGO_DATA_DIR"


def _path(flags: NodeFlags, said: Said, run_id: str, own: Mapping[str, str]) -> str:
    """The path with what the node or a shell puts in: the run id as `unknown`."""
    if said.hidden and not said.value:
        raise TargetFault("TargetNotLiteral", said.hidden)
    taken = flags.variables.get(run_id)
    if taken is None or taken.value_from is None:  # the command sets another run id
        return ""

    def value(reference: re.Match[str]) -> str:
        name = reference[1] or reference[2]
        variable = flags.variables.get(name)
        if name in own or name == run_id:
            return own.get(name, unknown(run_id))
        literal = variable is not None and variable.value_from is None
        return variable.value if variable and literal else reference[0]

    return _REFERENCE.sub(value, said.value)


def _is_the_runs(path: str, run_id: str) -> bool:
    """Whether a path is the run's directory, or below it; one that anybody may still change by what
    is put in, or that goes up again, is not.
    """
    own = f"{_RUNS}{unknown(run_id)}"
    below = path.removeprefix(own)
    return (
        path.startswith(own)
        and below[:1] in ("", "/")
        and not any(mark in below for mark in ("$", "`", "\0"))
        and ".." not in below.split("/")
    )
