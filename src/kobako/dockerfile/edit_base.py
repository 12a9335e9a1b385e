"""Change what a stage starts from."""

from __future__ import annotations

import re

from kobako.dockerfile.arguments import plain_words, quoted_words
from kobako.dockerfile.instruction import Dockerfile, Instruction
from kobako.dockerfile.parse import parse
from kobako.dockerfile.recipe import base, understand
from kobako.dockerfile.splice import Change, Splice, proved, refusal, spliced
from kobako.model.recipe import Recipe, Stage

_VARIABLE = re.compile(r"\$(?:([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)\})")
_IMAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9./:@_-]*")


def set_base(text: str, image: str, *, stage: int | str = -1, file: str = "Dockerfile") -> str:
    """The text with another base image for a stage (by number, negative from the end, or by name).

    Only the image's word changes, also where it is put together from variables (``repo:${TAG}``). A stage built on an
    earlier stage gets its base through that one. Where FROM is one variable, the default of its ARG changes instead,
    if nothing else uses it; else the edit is refused with the line of the other use.
    """
    old = parse(text, file)
    recipe = understand(old)
    root = _root(old, recipe, stage)
    instruction = old.instructions[root.step.index]
    line = instruction.line
    if not _IMAGE.fullmatch(image):
        raise refusal(old, line, f"{image!r} is not an image", "a reference has neither white space nor variables")
    if root.image == image:
        return text
    if _VARIABLE.fullmatch(root.image):
        index, splice = _default(old, recipe, root, image)
    else:
        word = plain_words(instruction.value)[0]
        span = instruction.value.span(word.start, word.end)
        if text[span.start : span.end] != word.text:
            raise refusal(old, line, "the base image cannot be changed", "its name runs over more than one line")
        index, splice = instruction.index, Splice(*span, image)
    result = spliced(text, [splice])
    new = understand(proved(old, result, Change(index, line)))
    if not _only_the_base(recipe, new, index) or base(new, target=root.index) != image:
        raise refusal(old, line, "the base image cannot be changed", f"{image} would mean something else there")
    return result


def _only_the_base(old: Recipe, new: Recipe, index: int) -> bool:
    before, after = old.steps[index], new.steps[index]
    same = before.flags == after.flags and before.value.split()[1:] == after.value.split()[1:]
    if before.kind == "arg":
        same = [name for name, _ in before.pairs] == [name for name, _ in after.pairs]
    return same and before.kind == after.kind and len(old.steps) == len(new.steps)


def _root(old: Dockerfile, recipe: Recipe, wanted: int | str) -> Stage:
    """The stage whose FROM names an image, and on which the wanted one is built."""
    stage = recipe.stage_of(wanted)
    if stage is None:
        raise refusal(old, 1, f"there is no stage {wanted}", f"the Dockerfile has {len(recipe.stages)}")
    while earlier := [one for one in recipe.stages[: stage.index] if one.name and one.name == stage.image.lower()]:
        stage = earlier[-1]
    return stage


def _default(old: Dockerfile, recipe: Recipe, stage: Stage, image: str) -> tuple[int, Splice]:
    """The ARG's instruction, and the splice of its default."""
    what = f"the base image comes from a variable: FROM {stage.image}"
    line = stage.step.line
    match = _VARIABLE.fullmatch(stage.image)
    name = (match[1] or match[2]) if match else ""
    if used := _other_use(recipe, stage, name):
        raise refusal(old, used, what, f"{name} is used in other places as well", "change its ARG by hand")
    found = [
        (instruction, word)
        for instruction in old.instructions
        if instruction.stage < 0
        for word in quoted_words(instruction.value, old.escape)
        if word.text.startswith(f"{name}=")
    ]
    if len(found) != 1:
        raise refusal(old, line, what, f"{name} has {'no' if not found else 'more than one'} default before FROM")
    instruction, word = found[0]
    value = word.text[len(name) + 1 :]
    if "$" in value:
        raise refusal(old, instruction.line, what, f"the default of {name} holds a variable itself")
    return instruction.index, _value_splice(old, instruction, word.start + len(name) + 1, value, image)


def _value_splice(old: Dockerfile, instruction: Instruction, start: int, value: str, image: str) -> Splice:
    quote = value[:1] if value[:1] in ("'", '"') and value[-1:] == value[:1] and len(value) > 1 else ""
    span = instruction.value.span(start, start + len(value))
    if old.text[span.start : span.end] != value:
        raise refusal(old, instruction.line, "the base image cannot be changed", "its default runs over several lines")
    return Splice(*span, f"{quote}{image}{quote}")


def _other_use(recipe: Recipe, stage: Stage, name: str) -> int:
    """The line of another use of the variable, or 0."""
    use = re.compile(r"\$\{?" + re.escape(name) + r"(?![A-Za-z0-9_])")
    for step in recipe.steps:
        if step.index != stage.step.index and use.search(step.value) and (step.stage < 0 or step.kind == "from"):
            return step.line
        if step.kind == "arg" and step.stage >= 0 and any(one == name for one, _ in step.pairs):
            return step.line
    return 0
