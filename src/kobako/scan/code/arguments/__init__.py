"""The arguments of a script, from its parser, as far as they are written down. Nothing is run.

Whatever the parser is made with, the answer has one form; what cannot be listed (overrides, commands, another
library's own arguments) is said in words.
"""

from __future__ import annotations

import ast

from kobako.scan.code.arguments import command_line, libraries, parsers, signatures
from kobako.scan.code.arguments.parsed import Parsed
from kobako.scan.code.arguments.sources import Scope, Sources
from kobako.scan.code.modules import Module
from kobako.scan.tree import Tree

MAX_ARGUMENTS = 400

__all__ = ["Parsed", "read"]

_READERS = (parsers.read, command_line.read, signatures.read, libraries.read)


def read(module: Module, tree: Tree) -> Parsed:
    """The arguments that the script takes, in the order in which they are declared, and what else it takes."""
    scope = Scope(module, Sources(tree))
    nodes = list(ast.walk(module.syntax))
    found = Parsed()
    for reader in _READERS:
        try:
            found = found.plus(reader(scope, nodes))
        except RecursionError:  # expressions nested deeper than a person writes
            found = found.plus(Parsed(notes=("some of its arguments could not be read",), more=True))
    if not found.kinds and libraries.reads_argv(module.text):
        found = found.plus(Parsed(notes=("reads sys.argv itself",), more=True))
    return found.bounded(MAX_ARGUMENTS)
