"""What a shell completes beside commands and flags, as the commands name it. The answers are
imported when a shell asks: a command itself has no use for them.
"""

import typer


def deployments(context: typer.Context, incomplete: str) -> list[str]:
    """See `completion_answers`; so below."""
    from controller.cli import completion_answers

    return completion_answers.deployments(context, incomplete)


def targets(context: typer.Context, incomplete: str) -> list[str]:
    from controller.cli import completion_answers

    return completion_answers.targets(context, incomplete)


def runs(context: typer.Context, incomplete: str) -> list[str]:
    from controller.cli import completion_answers

    return completion_answers.runs(context, incomplete)


def builds(context: typer.Context, incomplete: str) -> list[str]:
    from controller.cli import completion_answers

    return completion_answers.builds(context, incomplete)


def build_then_deployments(context: typer.Context, incomplete: str) -> list[str]:
    from controller.cli import completion_answers

    return completion_answers.build_then_deployments(context, incomplete)
