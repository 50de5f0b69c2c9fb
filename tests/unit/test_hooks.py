"""The git hooks of .pre-commit-config.yaml check what tox checks, with the same versions."""

import re
import shlex
import tomllib
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]

Hook = dict[str, Any]

_CONFIG: dict[str, Any] = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
HOOKS: list[Hook] = [hook for repo in _CONFIG["repos"] for hook in repo["hooks"]]
ON_COMMIT = [hook for hook in HOOKS if "stages" not in hook]
ON_PUSH = [hook for hook in HOOKS if "stages" in hook]


def tox(section: str, option: str) -> str:
    """A value of tox.ini; lines that are continued are one."""
    parser = ConfigParser(interpolation=None)
    parser.read(ROOT / "tox.ini")
    return parser[section][option].replace("\\\n", " ").strip()


def commands(environment: str) -> list[list[str]]:
    """What an environment of tox runs, in words."""
    lines = tox(f"testenv:{environment}", "commands").splitlines()
    return [shlex.split(line) for line in lines]


def group(name: str) -> set[str]:
    """What a dependency group of pyproject.toml asks for."""
    return set(tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"][name])


def test_a_commit_is_checked_as_lint_checks() -> None:
    """Does each command of `tox -e lint` have its hook, in its order, and no hook another one?"""
    assert [shlex.split(hook["entry"]) for hook in ON_COMMIT] == commands("lint")


def test_versions_are_those_of_lint() -> None:
    """Do the hooks install what the group `lint` asks for, with its bounds, and nothing else?"""
    assert {need for hook in ON_COMMIT for need in hook["additional_dependencies"]} == group("lint")


def test_a_push_is_checked_as_types_checks() -> None:
    """Is mypy run by tox itself, whose environment has what the project imports?"""
    (hook,) = ON_PUSH
    assert hook["entry"] == "tox -q -e types"
    assert commands("types") == [["mypy"]]
    assert hook["additional_dependencies"] == [f"tox>={tox('tox', 'min_version')}"]
    assert hook["stages"] == ["pre-push", "manual"]


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook["id"])
def test_what_a_hook_reads_sets_it_off(hook: Hook) -> None:
    """Does a change to any file that the command looks at run the hook, as a whole command?"""
    named = [ROOT / word for word in shlex.split(hook["entry"]) if (ROOT / word).is_file()]
    looked_at = {
        "ruff": [*ROOT.glob("controller/**/*.py"), *ROOT.glob("tests/**/*.py")],
        "tox": [*ROOT.glob("controller/**/*.py"), *ROOT.glob("store/**/*.py"), ROOT / "tox.ini"],
        "yamllint": [*named, *ROOT.glob("k8s/**/*.yaml")],
    }.get(shlex.split(hook["entry"])[0], named)
    assert looked_at
    for path in looked_at:
        assert re.search(hook["files"], str(path.relative_to(ROOT))), path
    assert hook["pass_filenames"] is False  # the command names its files itself


def test_no_host_but_the_package_index_is_needed() -> None:
    """Are all hooks our own, so that no repository of hooks is fetched?"""
    assert {repo["repo"] for repo in _CONFIG["repos"]} == {"local"}
