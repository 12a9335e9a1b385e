"""The proof that an edit changed what it was meant to change, and nothing else."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from kobako.compose.comments import comments
from kobako.compose.document import Document, Path, Value, load, plain
from kobako.compose.nodes import Alias, Mapping, Node, Scalar, Sequence, is_null, key_text, walk
from kobako.compose.syntax import shown
from kobako.errors import UsageError, Where

if TYPE_CHECKING:
    from collections.abc import Iterator

BY_HAND = "make this change by hand"


@dataclass(frozen=True)
class Splice:
    """The text from ``start`` to ``end`` becomes ``text``."""

    start: int
    end: int
    text: str

    def apply(self, text: str) -> str:
        return text[: self.start] + self.text + text[self.end :]


@dataclass(frozen=True)
class Intent:
    """What an edit is for. ``what`` opens the message of a refusal, ``root`` is the number of the YAML document, and
    ``old`` the piece of text (offsets) whose comments go with it."""

    what: str
    verb: Literal["set", "remove"]
    path: Path
    value: Value = None
    root: int = 0
    old: tuple[int, int] = (0, 0)


def name_of(path: Path) -> str:
    return shown(".".join(str(step) for step in path))


def cannot(document: Document, what: str, why: str, *, line: int | None = None, fix: str = BY_HAND) -> UsageError:
    return UsageError("cannot-edit", what, why=why, fix=fix, where=Where(document.file, line))


def prove(document: Document, splice: Splice, intent: Intent) -> str:
    """The edited text. Raises ``UsageError`` (``cannot-edit``) where anything but the intended piece would change."""
    text = splice.apply(document.text)
    line = document.lines.place(splice.start)[0]
    what = intent.what
    try:
        after = load(text, document.file)
    except UsageError as error:
        raise cannot(document, what, f"the result would be {error.what}", line=line) from None
    why = _values_moved(document, after, intent) or _pieces_moved(document, after, intent)
    why = why or _comments_moved(document, after, splice, intent)
    if why:
        raise cannot(document, what, why, line=line)
    return text


def _values_moved(before: Document, after: Document, intent: Intent) -> str:
    """Compares what every document means: a change shows here also where an alias or merge key carries it on."""
    if max(len(before.roots), 1) != len(after.roots):
        return "another YAML document would begin or end in the file"
    for number, root in enumerate(after.roots):
        old = plain(before.roots[number].node) if number < len(before.roots) else None
        new = plain(root.node)
        if number == intent.root:
            removes = intent.verb == "remove"
            old = _without(old, intent.path) if removes else with_value(old, intent.path, intent.value)
            new = _without(new, intent.path) if removes and isinstance(intent.path[-1], str) else new
        moved = difference(old, new)
        if moved is not None:
            shared = any(isinstance(node, Alias) for node in walk(root.node)) if root.node is not None else False
            through = ", which an alias or merge key carries over" if shared else ""
            return (
                f"the value of `{name_of(moved)}` would change too{through}" if moved else "other values would change"
            )
    return ""


def with_value(old: Value, path: Path, value: Value) -> Value:
    """A copy of ``old`` with ``value`` at ``path``; missing mappings on the way are made."""
    if not path:
        return value
    step, rest = path[0], path[1:]
    if isinstance(step, int):
        items = list(old) if isinstance(old, list) else []
        items[step : step + 1] = [with_value(items[step] if step < len(items) else None, rest, value)]
        return items
    table = dict(old) if isinstance(old, dict) else {}
    table[step] = with_value(table.get(step), rest, value)
    return table


def _without(old: Value, path: Path) -> Value:
    """A copy of ``old`` without ``path``. An emptied collection stays, as an empty one."""
    step, rest = path[0], path[1:]
    if isinstance(old, list) and isinstance(step, int):
        return [*old[:step], *([_without(old[step], rest)] if rest else []), *old[step + 1 :]]
    if isinstance(old, dict) and isinstance(step, str) and step in old:
        return {
            name: _without(item, rest) if name == step else item for name, item in old.items() if rest or name != step
        }
    return old


def difference(old: Value, new: Value, path: Path = ()) -> Path | None:
    """The path of the first value that differs, type included; ``None`` where all are the same."""
    if type(old) is not type(new):
        return path
    if isinstance(old, dict) and isinstance(new, dict):
        for name in (*old, *new):
            if name not in old or name not in new:
                return (*path, name)
            found = difference(old[name], new[name], (*path, name))
            if found is not None:
                return found
        return None
    if isinstance(old, list) and isinstance(new, list):
        for number, (left, right) in enumerate(zip(old, new, strict=False)):
            found = difference(left, right, (*path, number))
            if found is not None:
                return found
        return None if len(old) == len(new) else (*path, min(len(old), len(new)))
    if isinstance(old, float) and isinstance(new, float) and math.isnan(old) and math.isnan(new):
        return None
    return None if old == new else path


def _pieces_moved(before: Document, after: Document, intent: Intent) -> str:
    """Compares how everything is written: style, quotes, tags, anchors, aliases and what they point to, order."""
    for number, root in enumerate(after.roots):
        path = intent.path if number == intent.root else None
        old_root = before.roots[number].node if number < len(before.roots) else None
        old = _facts(old_root, path) if old_root is not None else {}
        new = _facts(root.node, path if intent.verb == "set" else None) if root.node is not None else {}
        if intent.verb == "remove" and path is not None:
            new = {
                place: fact for place, fact in new.items() if place[: len(path)] != path or isinstance(path[-1], int)
            }
        for place in (*old, *new):
            known = place in old and place in new
            if known and (old[place] == new[place] or (_leads_to(place, path) and _grown(old[place], new[place]))):
                continue
            if not known and place in new and intent.verb == "set" and _leads_to(place, path):
                continue
            return f"`{name_of(place)}` would be written in another way" if place else "the file would be written anew"
        common = [place for place in old if place in new]
        if common != [place for place in new if place in old]:
            return "the order of keys would change"
    return ""


def _leads_to(place: Path, path: Path | None) -> bool:
    return path is not None and len(place) < len(path) and path[: len(place)] == place


@dataclass(frozen=True)
class _Fact:
    key: tuple[Any, ...]
    kind: str
    how: tuple[Any, ...]
    props: tuple[str | None, str | None]
    empty: bool


def _grown(old: _Fact, new: _Fact) -> bool:
    """A place on the way to the edit may go from nothing to a collection and back to an empty one, no further."""
    return old.key == new.key and old.props == new.props and (old.empty or new.empty)


def _facts(root: Node, skip: Path | None) -> dict[Path, _Fact]:
    """How each node outside ``skip`` is written, by path. Items of a list behind a skipped one move up by one."""
    nodes = dict(_placed(root, skip))
    places = {id(node): place for place, (_, node) in nodes.items()}
    facts: dict[Path, _Fact] = {}
    for place, (key, node) in nodes.items():
        how: tuple[Any, ...]
        if isinstance(node, Alias):
            how = (node.name, places.get(id(node.target)))
        elif isinstance(node, Scalar):
            how = (node.value, node.style)
        else:
            how = (node.flow,)
        children = node.entries if isinstance(node, Mapping) else node.items if isinstance(node, Sequence) else (node,)
        empty = is_null(node) or not children
        named = (
            () if key is None else (key_text(key), *((key.style, key.tag) if isinstance(key, Scalar) else (key.name,)))
        )
        facts[place] = _Fact(
            (*named, key.anchor if key else None), type(node).__name__, how, (node.tag, node.anchor), empty
        )
    return facts


def _placed(root: Node, skip: Path | None) -> Iterator[tuple[Path, tuple[Scalar | Alias | None, Node]]]:
    pending: list[tuple[Path, Path, Scalar | Alias | None, Node]] = [((), (), None, root)]
    while pending:
        place, real, key, node = pending.pop()
        if real == skip:
            continue
        yield place, (key, node)
        below: list[tuple[Path, Path, Scalar | Alias | None, Node]] = []
        if isinstance(node, Mapping):
            for entry in node.entries:
                name = key_text(entry.key)
                below.append(((*place, name), (*real, name), entry.key, entry.value))
        elif isinstance(node, Sequence):
            number = 0
            for index, item in enumerate(node.items):
                below.append(((*place, number), (*real, index), None, item))
                number += (*real, index) != skip
        pending += reversed(below)


def _comments_moved(before: Document, after: Document, splice: Splice, intent: Intent) -> str:
    """Outside the splice every comment stands where it stood; inside it, only those of the old value may go."""
    old, new = comments(before), comments(after)
    shift = len(splice.text) - (splice.end - splice.start)
    kept = {
        offset if offset < splice.start else offset + shift: text
        for offset, text in old.items()
        if not splice.start <= offset < splice.end
    }
    end = splice.start + len(splice.text)
    if kept != {offset: text for offset, text in new.items() if not splice.start <= offset < end}:
        return "a comment would be lost or made"
    inside = Counter(text for offset, text in new.items() if splice.start <= offset < end)
    first, last = intent.old
    must_stay = Counter(
        text for offset, text in old.items() if splice.start <= offset < splice.end and not first <= offset < last
    )
    return "" if must_stay <= inside else "a comment would be lost"
