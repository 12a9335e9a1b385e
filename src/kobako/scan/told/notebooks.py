"""Notebooks: what their cells install, the Python they ran on, and their code as one text."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from kobako.model.finding import Finding
from kobako.scan.declaring.declared import Declared
from kobako.scan.told.budget import Budget
from kobako.scan.told.images import Points
from kobako.scan.told.lines import Line, shown_lines
from kobako.scan.told.manner import PLAIN, WEAK
from kobako.scan.told.own import own_of
from kobako.scan.told.shell import Shell, Voice, among
from kobako.scan.tree import Tree

LARGEST = 4 * 1024**2
MOST_FILES = 200
MOST_BYTES = 64 * 1024**2
"""Of all notebooks together: their outputs are large, and of no use here."""
MOST_LINES = 20_000

_SHELL_CELL = re.compile(r"\s*%%(?:bash|sh|script\s+(?:bash|sh)|!)")
_SHELL_LINE = re.compile(r"\s*[!%]\s*(?!%)\S")
_FOREIGN_CELL = re.compile(r"\s*%%(?!time\b|timeit\b|capture\b|prun\b)\w+")
_ASSIGNED = re.compile(r"(\s*[\w, ]{1,80}=\s*)[!%]{1,2}\s*[a-zA-Z]")
_PAGE = re.compile(r"^\s*(?:\?\S|\S+\?{1,2}\s*$)")


class Code(NamedTuple):
    """The code cells of a notebook as one Python text, magics blanked. ``line_of`` leads to the line of the file."""

    name: str
    text: str
    line_of: Callable[[int], int]


@dataclass
class _Notebook:
    name: str
    raw: str
    python: str = ""
    cells: list[list[str]] = field(default_factory=list)
    _at: int = 0
    _line: int = 1
    _missed: int = 0

    def place(self, source: str) -> int:
        """The line of the file in which a source line stands. They come in order, so the search never goes back."""
        if not source.strip() or self._missed > 50:  # another way of escaping: the search would be in vain
            return self._line
        for text in (json.dumps(source, ensure_ascii=False)[1:-1], json.dumps(source)[1:-1]):
            found = self.raw.find(text, self._at)
            if found >= 0:
                self._line += self.raw.count("\n", self._at, found)
                self._at = found
                return self._line
        self._missed += 1
        return self._line


def read(tree: Tree) -> Declared | None:
    own = own_of(tree)
    points = Points()
    every = Declared()
    manner = PLAIN if is_notebook_only(tree) else WEAK
    seen = False
    for notebook in _notebooks(tree):
        seen = True
        shell = Shell(tree, own)
        lines, places = _commands(notebook)
        voice = Voice(notebook.name, among(places), manner)
        shell.read(lines, voice)
        if notebook.python:
            points.add(
                "python", notebook.python, Finding(notebook.name, _version_line(notebook), f"Python {notebook.python}")
            )
        found = shell.finish()
        points.add_bounds(found)
        found.python, found.torch, found.cuda = [], [], []
        every.merge(found)
    every.merge(points.declared())
    return every if seen else None


def code(tree: Tree) -> Iterator[Code]:
    """The code of each notebook."""
    for notebook in _notebooks(tree):
        lines: list[str] = []
        places: list[int] = []
        for cell in notebook.cells:
            is_foreign = bool(cell) and _FOREIGN_CELL.match(cell[0]) is not None
            places += [notebook.place(source) for source in [*cell, ""]]
            lines += ["" for _ in [*cell, ""]] if is_foreign else [*_python(cell), ""]
        yield Code(notebook.name, "\n".join(lines), among(places))


def is_notebook_only(tree: Tree) -> bool:
    """Whether the repository's code is in its notebooks alone."""
    return not any(name.endswith(".py") and not name.endswith("setup.py") for name in tree.files)


def _notebooks(tree: Tree) -> Iterator[_Notebook]:
    budget = Budget(LARGEST, MOST_BYTES, silent=True)
    for name in [name for name in tree.files if name.endswith(".ipynb")][:MOST_FILES]:
        raw = budget.read(tree, name)
        if raw is None:
            continue
        try:
            data = json.loads(raw)
        except (ValueError, RecursionError):
            continue
        yield _understood(name, raw, data)


def _understood(name: str, raw: str, data: Any) -> _Notebook:
    notebook = _Notebook(name, raw)
    metadata = _dict(_dict(data).get("metadata"))
    version = _dict(metadata.get("language_info")).get("version")
    language = _dict(metadata.get("language_info")).get("name", "python")
    if "colab" not in metadata and isinstance(version, str) and language == "python":
        notebook.python = version
    sheets = _list(_dict(data).get("worksheets"))
    cells = [*_list(_dict(data).get("cells")), *(cell for sheet in sheets for cell in _list(_dict(sheet).get("cells")))]
    count = 0
    for cell in map(_dict, cells):
        source = cell.get("source", cell.get("input"))
        if cell.get("cell_type") != "code" or source is None:
            continue
        text = "".join(part for part in source if isinstance(part, str)) if isinstance(source, list) else str(source)
        lines = text.split("\n")
        count += len(lines)
        if count > MOST_LINES:
            break
        notebook.cells.append(lines)
    return notebook


def _commands(notebook: _Notebook) -> tuple[list[Line], list[int]]:
    """The shell lines of all cells, one text, and the lines of the file they stand in."""
    lines: list[Line] = []
    places: list[int] = []
    for cell in notebook.cells:
        whole = bool(cell) and _SHELL_CELL.match(cell[0])
        kept: list[str] = []
        continued = False
        for source in cell:
            is_shell = bool(whole or continued or _SHELL_LINE.match(source))
            kept.append(source if is_shell else "")
            continued = is_shell and source.rstrip().endswith("\\")
        if any(kept):
            lines += shown_lines("\n".join(kept))
            places += [notebook.place(source) for source in cell][: len(lines) - len(places)]
    return lines, places


def _python(cell: list[str]) -> Iterator[str]:
    """A cell's lines as Python: magics, shell lines and help requests do nothing, and keep their indentation."""
    continued = False
    for source in cell:
        bare = source.lstrip()
        if continued:
            yield ""
        elif bare.startswith(("!", "%")) or (_PAGE.match(source) and not bare.startswith("#")):
            yield source[: len(source) - len(bare)] + "pass"
        elif assigned := _ASSIGNED.match(source):
            yield f"{assigned[1]}None"
        else:
            yield source
            continue
        continued = source.rstrip().endswith("\\")


def _version_line(notebook: _Notebook) -> int:
    at = notebook.raw.rfind(f'"{notebook.python}"')
    return notebook.raw.count("\n", 0, at) + 1 if at >= 0 else 1


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
