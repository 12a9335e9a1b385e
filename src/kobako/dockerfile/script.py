"""Shell text that stands outside a Dockerfile (a README's block, a step of a CI): its commands, understood alike."""

from __future__ import annotations

from kobako.dockerfile.commands import classified
from kobako.dockerfile.instruction import Dockerfile, Instruction
from kobako.dockerfile.shell import script_of
from kobako.dockerfile.text import Logical
from kobako.model.recipe import Command


def commands_of(text: str) -> tuple[Command, ...]:
    """The commands in order; ``line`` counts from 1 in the text. What is no shell gives commands that mean nothing."""
    run = Instruction("RUN", Logical.join([(text, 0)]))
    script = script_of(Dockerfile(text, "", "\n", "\\", {}, (run,)), run)
    return tuple(classified(command) for command in script.commands)
