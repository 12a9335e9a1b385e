"""Notebooks that train, for repositories that hold nothing else to start."""

from __future__ import annotations

import json
import re

from kobako.model.requirement import EntryPoint
from kobako.scan.aside import folder_kind, side_word
from kobako.scan.tree import MAX_FILE, Tree

_MOST = 60
_TRAINS = re.compile(
    r"\.(fit|fit_generator|backward|fit_one_cycle|fine_tune|finetune|train|apply_gradients|minimize)\(|\b(Trainer)\("
)
_MODE = re.compile(r"\b\w{0,60}(?:model|net|module)\w{0,60}\.train\(\s{0,9}\)", re.IGNORECASE)


def read(tree: Tree, most: int) -> tuple[EntryPoint, ...]:
    """Those that train, the clearest first."""
    names = [
        name for name in tree.files if name.endswith(".ipynb") and folder_kind(name) not in {"outside", "vendored"}
    ]
    found = []
    for name in names[:_MOST]:
        words = _words(tree.read(name, most=MAX_FILE) or "")
        if words:
            rank = ("train" not in name.lower(), bool(side_word(name)), name.count("/"), -len(words), name)
            found.append((rank, EntryPoint(name, f"a notebook that trains ({', '.join(words)})")))
    return tuple(entry for _, entry in sorted(found, key=lambda one: one[0])[:most])


def _words(text: str) -> list[str]:
    if not _TRAINS.search(text):
        return []
    try:
        notebook = json.loads(text)
    except (ValueError, RecursionError):
        return []
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    code = "\n".join(_source(cell) for cell in cells if _is_code(cell)) if isinstance(cells, list) else ""
    code = "\n".join(line for line in _MODE.sub("", code).split("\n") if not line.lstrip().startswith("#"))
    return list(dict.fromkeys(first or second for first, second in _TRAINS.findall(code)))


def _is_code(cell: object) -> bool:
    return isinstance(cell, dict) and cell.get("cell_type") == "code"


def _source(cell: dict[str, object]) -> str:
    source = cell.get("source")
    if isinstance(source, list):
        return "".join(line for line in source if isinstance(line, str))
    return source if isinstance(source, str) else ""
