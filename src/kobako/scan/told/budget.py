"""A bound on what one reader reads in all, whatever the number of files."""

from __future__ import annotations

from dataclasses import dataclass

from kobako.scan.tree import Tree

LONGEST_SCRIPT, SCRIPTS = 8 * 1024, 64 * 1024
"""Characters of shell: of one text, and of all texts of a repository but its Dockerfiles. A README shows some hundred;
a grammar's way back from errors takes a third of a second for the longest."""


@dataclass
class Budget:
    """``each`` and ``left`` are bytes: of one file, and of all that are still to come.

    ``silent`` is for files that are large by their nature: that one was not read is not worth a word.
    """

    each: int
    left: int
    silent: bool = False

    def read(self, tree: Tree, name: str) -> str | None:
        """The text, or None where there is no such file or it is more than may be read."""
        text = tree.read(name, most=max(0, min(self.each, self.left)))
        if text is not None:
            self.left -= len(text)
        elif not self.silent and tree.is_file(name):
            tree.left_out.append(name)
        return text


def may_parse(tree: Tree, name: str, script: str) -> bool:
    """Whether a file's shell text is still to be parsed; what is not is remembered."""
    size = len(script) - script.count("\n")
    spent = tree.spent.get("shell", 0) + size
    if size > LONGEST_SCRIPT or spent > SCRIPTS:
        tree.left_out.append(name)
        return False
    tree.spent["shell"] = spent
    return True
