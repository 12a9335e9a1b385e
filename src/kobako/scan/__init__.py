"""What a repository needs, and where that is written. Nothing of it is executed.

Each reader knows one kind of file; ``answer`` decides what all of it comes to.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from kobako.model.requirement import EntryPoint, Scan


def scan(root: Path, *, declarations: bool = True) -> Scan:
    """Read the repository. Never raises for what stands in it: that becomes questions and problems.

    Without ``declarations`` only its code is asked.
    """
    from kobako.scan import answer, reading  # noqa: PLC0415 - the readers are many, and `add` alone needs them
    from kobako.scan.tree import Tree  # noqa: PLC0415

    tree = Tree(root)
    code = reading.code(tree)
    if not declarations:
        return answer.from_code(code)
    declared = reading.declared(tree)
    found = answer.answer(code, declared, reading.family(tree), reading.told(tree))
    # a README may tell of Python where there is no code yet; a folder that is about something else says nothing
    return found if code.has_python or found.requirements else Scan(has_python=False)


def script(root: Path, name: str) -> EntryPoint | None:
    """What is known of one script of the repository; None where it is no Python that can be read."""
    from kobako.scan import answer  # noqa: PLC0415
    from kobako.scan.code import entry_points  # noqa: PLC0415
    from kobako.scan.tree import Tree  # noqa: PLC0415

    found = entry_points.of_script(Tree(root), name)
    return replace(found, arguments=tuple(map(answer.masked, found.arguments))) if found else None
