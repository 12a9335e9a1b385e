"""A small evaluator of Python syntax trees, for scripts that compute what they declare.

Nothing is ever executed and nothing of the repository is imported: the tree of the script is gone through, node by
node. Files are read through ``Tree`` only.

- A value is Python's own where that says all (text, numbers, lists, dictionaries), else an ``Opaque`` (``values``).
  ``Native`` are functions that are known (``builtins``, ``modules``), ``Function`` and ``Class`` the script's own.
- ``Unknown`` is what cannot be told; whatever is computed from it is unknown too. ``options``: all that it can be. In a
  list it may stand for several items.
- A failure goes to the ``try`` that takes it (``State.fault``), else its result is unknown: no published script fails.
  What may or may not fail (``may_raise``) goes both ways.
- Where a condition is not known both branches are carried out, each from the state before it, and what they bound is
  joined: of lists and dictionaries what either holds, of other values an ``Unknown`` with both as options. What is put
  into a list meanwhile carries the ``Doubt``, and nothing is taken out of anything.
- ``Text`` is a string that knows its file and line (``doubt`` too); what is cut out of it or joined from it keeps them
  (``values.like``, ``pieces``, ``leading``). ``declaring`` turns a value into entries with places, and looks for those
  that were lost in the files that the script read.
- ``Budget`` counts steps. Every node costs one; every call of a native pays for the sizes of what goes in and comes out
  (``budget.weight``); whatever could be large before it is paid for (repetition, padding, replacement, numbers, paths)
  is refused first. Regular expressions have an engine of their own, which is linear in what it has tried (``regex``).
  ``Exhausted``, a deep recursion and a lack of memory end the evaluation; what setup was called with by then is kept.

Layers: ``state`` < ``expressions`` < ``calls`` < ``statements`` < ``interpreter``, one class; all else are functions
over it.
"""

from __future__ import annotations

from kobako.scan.evaluate.declaring import Entries, Places, entries
from kobako.scan.evaluate.interpreter import Outcome, evaluate
from kobako.scan.evaluate.named import files_missed, files_named, keyword_of_setup, setup_line
from kobako.scan.evaluate.state import SetupCall
from kobako.scan.evaluate.values import Unknown

__all__ = (
    "Entries",
    "Outcome",
    "Places",
    "SetupCall",
    "Unknown",
    "entries",
    "evaluate",
    "files_missed",
    "files_named",
    "keyword_of_setup",
    "setup_line",
)
