"""What a Dockerfile's steps mean: its stages, its base image, and the commands of each RUN."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath

from kobako.dockerfile.arguments import pairs_of, plain_words
from kobako.dockerfile.commands import classified
from kobako.dockerfile.instruction import Dockerfile, Instruction
from kobako.dockerfile.lex import LexError, expand
from kobako.dockerfile.parse import parse
from kobako.dockerfile.shell import POSIX_SHELLS, Script, script_of
from kobako.errors import UsageError, Where
from kobako.model.recipe import Command, Recipe, Stage, Step, Word

_WINDOWS = ("windows", "nanoserver")


def read_recipe(text: str, file: str = "Dockerfile") -> Recipe:
    """``understand`` of ``parse``."""
    return understand(parse(text, file))


def understand(dockerfile: Dockerfile) -> Recipe:
    """The whole recipe. Raises nothing: what is not understood says so on its step or command."""
    steps: list[Step] = []
    stages: list[Stage] = []
    shells: list[bool] = []
    for instruction in dockerfile.instructions:
        if instruction.keyword == "FROM":
            stage = _stage(instruction, _step(dockerfile, instruction))
            shells.append(_first_shell(stage, stages, shells))
            stages.append(stage)
            steps.append(stage.step)
            continue
        if instruction.keyword == "SHELL":
            shells[-1] = _is_posix(instruction.words or ())
        steps.append(_step(dockerfile, instruction, posix=bool(shells) and shells[-1]))
    return Recipe(
        file=dockerfile.file,
        steps=tuple(steps),
        stages=tuple(stages),
        globals=tuple(pair for step in steps if step.stage < 0 for pair in step.pairs),
        escape=dockerfile.escape,
        syntax=dockerfile.directives.get("syntax", ""),
    )


def _stage(instruction: Instruction, step: Step) -> Stage:
    words = [word.text for word in plain_words(instruction.value)]
    platform = next((flag.value or "" for flag in instruction.flags if flag.name == "platform"), "")
    return Stage(instruction.stage, words[2].lower() if len(words) == 3 else "", words[0], platform, step)


def _first_shell(stage: Stage, stages: list[Stage], shells: list[bool]) -> bool:
    """Whether a stage begins with a POSIX shell: as the stage it builds on; not on Windows."""
    for earlier, shell in reversed(list(zip(stages, shells, strict=True))):
        if earlier.name and earlier.name == stage.image.lower():
            return shell
    return not any(part in stage.image.lower() for part in _WINDOWS)


def _is_posix(words: tuple[str, ...]) -> bool:
    return any(PurePosixPath(word).name in POSIX_SHELLS for word in words)


def _step(dockerfile: Dockerfile, instruction: Instruction, *, posix: bool = True) -> Step:
    script = Script()
    if instruction.keyword == "RUN":
        script = run_script(dockerfile, instruction) if posix or instruction.words is not None else _NOT_POSIX
    return Step(
        index=instruction.index,
        kind=instruction.keyword.lower(),
        line=instruction.line,
        end_line=instruction.end_line,
        span=instruction.span,
        stage=instruction.stage,
        value=instruction.value.text,
        flags=instruction.flags,
        words=instruction.words,
        pairs=_pairs(instruction, dockerfile.escape),
        commands=tuple(classified(command) for command in script.commands),
        understood=script.understood,
    )


_NOT_POSIX = Script(understood=False)


def run_script(dockerfile: Dockerfile, run: Instruction) -> Script:
    """The commands of a RUN in either form; those of the JSON form have no places of their own."""
    if run.words is None:
        return script_of(dockerfile, run)
    span = run.value.span(0, len(run.value.text))
    words = tuple(Word(word, word, span) for word in run.words)
    command = Command(dockerfile.text[span.start : span.end], run.line, span, words)
    return Script((command,) if words else ())


def _pairs(instruction: Instruction, escape: str) -> tuple[tuple[str, str | None], ...]:
    return pairs_of(instruction, escape) if instruction.keyword in ("ARG", "ENV", "LABEL") else ()


def base(recipe: Recipe, build_args: Mapping[str, str] | None = None, *, target: int | str = -1) -> str:
    """The image that a stage starts from, after following earlier stages and putting in ARG values.

    Only ARGs before the first FROM count, as in BuildKit; ``build_args`` replace their defaults. Raises
    UsageError("invalid-dockerfile") with the FROM's line when the image cannot be told.
    """
    stage = recipe.stage_of(target)
    if stage is None:
        raise UsageError("invalid-dockerfile", f"the Dockerfile has no stage {target}", where=Where(recipe.file))
    values = global_values(recipe, build_args or {})
    while True:
        image = _image(recipe, stage, values)
        earlier = [one for one in recipe.stages[: stage.index] if one.name and one.name == image.lower()]
        if not earlier:
            return image
        stage = earlier[-1]


def global_values(recipe: Recipe, build_args: Mapping[str, str]) -> dict[str, str]:
    """The ARGs before the first FROM, with their values where they have one."""
    values: dict[str, str] = {}
    for name, default in recipe.globals:
        if name in build_args:
            values[name] = build_args[name]
        elif default is not None:
            values[name] = _expanded(recipe, default, values, recipe.steps[0].line)
    return values


def _image(recipe: Recipe, stage: Stage, values: Mapping[str, str]) -> str:
    image = _expanded(recipe, stage.image, values, stage.step.line)
    if image:
        return image
    raise UsageError(
        "invalid-dockerfile",
        f"FROM {stage.image} names no image",
        why="the variable has no value: an ARG before the first FROM gives it a default",
        where=Where(recipe.file, stage.step.line),
    )


def _expanded(recipe: Recipe, word: str, values: Mapping[str, str], line: int) -> str:
    try:
        return expand(word, values, recipe.escape)
    except LexError as error:
        where = Where(recipe.file, line)
        raise UsageError("invalid-dockerfile", f"{word} is not understood: {error}", where=where) from error
