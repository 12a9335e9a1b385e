"""From text to nodes: the parser's events, put together with exact places and within bounds."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kobako.compose.lines import BOM, BREAK, BREAKS, Lines
from kobako.compose.nodes import Alias, Entry, Mapping, Node, Scalar, Sequence, Target, follow, is_merge, key_text
from kobako.compose.scalars import resolve_tagged
from kobako.compose.syntax import MOST_LEVELS, check_characters, invalid, shown, translated
from kobako.errors import Where

if TYPE_CHECKING:
    from collections.abc import Iterator

# Compose itself gives up at 100 000 nodes; nobody's file comes near either.
MOST_NODES = 100_000

_PROPERTY = re.compile(r"&[A-Za-z0-9_-]+|!<[^>\s]*>|![^\s\x85\u2028\u2029]*")
_FLOW_PROPERTY = re.compile(r"&[A-Za-z0-9_-]+|!<[^>\s]*>|![^\s,\[\]{}\x85\u2028\u2029]*")
_SPACE = re.compile(r"(?:[ \t\ufeff\n\r\x85\u2028\u2029]+|#[^\n\r\x85\u2028\u2029]*)*")
_HEADER = re.compile(r"[|>][-+0-9]*")
_LAST_BREAK = re.compile("(?:\r\n|[\n\r\x85\u2028\u2029])\\Z")


@dataclass(frozen=True)
class Root:
    """One document of the file. ``node`` is ``None`` where nothing but comments stands; ``start`` to ``end`` is the
    region between its markers (``---`` and ``...``)."""

    node: Node | None
    start: int
    end: int


@dataclass
class _Open:
    """A collection that has begun. ``opener`` is its first event."""

    opener: Any
    mapping: bool
    flow: bool
    children: list[Node] = field(default_factory=list)


class _Builder:
    def __init__(self, text: str, lines: Lines, file: str, shift: int) -> None:
        self.text = text
        self.lines = lines
        self.file = file
        self.shift = shift
        self.roots: list[Root] = []
        self.stack: list[_Open] = []
        # An anchor maps to the opener itself until its collection is complete.
        self.anchors: dict[str, Target | _Open] = {}
        self.root: Node | None = None
        self.region = shift
        self.merged = 0

    def feed(self, event: Any) -> None:
        kind = type(event).__name__
        if kind == "ScalarEvent":
            self._add(self._scalar(event))
        elif kind in {"MappingStartEvent", "SequenceStartEvent"}:
            self._open(event, mapping=kind == "MappingStartEvent")
        elif kind in {"MappingEndEvent", "SequenceEndEvent"}:
            self._close(event)
        elif kind == "AliasEvent":
            self._add(self._alias(event))
        elif kind == "DocumentStartEvent":
            self.anchors.clear()
            self.root = None
            self.region = (event.end_mark.index + self.shift) if event.explicit else self.region
        elif kind == "DocumentEndEvent":
            self.roots.append(Root(self.root, self.region, event.start_mark.index + self.shift))
            self.region = event.end_mark.index + self.shift

    def _add(self, node: Node) -> None:
        if self.stack:
            self.stack[-1].children.append(node)
        else:
            self.root = node

    def _open(self, event: Any, *, mapping: bool) -> None:
        opened = _Open(event, mapping, bool(event.flow_style))
        self.stack.append(opened)
        if len(self.stack) > MOST_LEVELS:
            raise invalid(
                f"it nests deeper than {MOST_LEVELS} levels", self._where(event.start_mark.index + self.shift)
            )
        if event.anchor is not None:
            self.anchors[event.anchor] = opened

    def _where(self, offset: int) -> Where:
        return Where(self.file, *self.lines.place(offset))

    def _head(self, event: Any, *, flow: bool) -> dict[str, Any]:
        """What all nodes share; the body begins behind as many properties as the event has."""
        start = event.start_mark.index + self.shift
        body = start
        for _ in range((event.anchor is not None) + (event.tag is not None)):
            match = (_FLOW_PROPERTY if flow else _PROPERTY).match(self.text, body)
            if match is None:  # the parser gives a tag that is not written ("!" on a quoted text)
                break
            body = self._skip(match.end())
        line, column = self.lines.place(start)
        return {
            "start": start,
            "body": body,
            "line": line,
            "column": column,
            "tag": event.tag,
            "anchor": event.anchor,
        }

    def _skip(self, offset: int) -> int:
        match = _SPACE.match(self.text, offset)
        return match.end() if match else offset

    def _scalar(self, event: Any) -> Scalar:
        head = self._head(event, flow=bool(self.stack) and self.stack[-1].flow)
        style = event.style or ""
        end = event.end_mark.index + self.shift
        if not event.value and not style:
            head["body"] = end
        elif style in {"|", ">"}:
            end = self._block_end(head["body"], end)
        node = Scalar(**head, end=end, value=event.value, style=style)
        try:
            resolve_tagged(node.value, node.tag, node.style)
        except ValueError:
            tag = str(node.tag).rpartition(":")[2]
            raise invalid(f"`{shown(node.value)}` does not fit its tag `!!{tag}`", self._where(node.start)) from None
        if node.anchor is not None:
            self.anchors[node.anchor] = node
        return node

    def _block_end(self, body: int, end: int) -> int:
        """Behind the last character of a block of text. Blank lines count only where they are kept (``|+``)."""
        header = _HEADER.match(self.text, body)
        behind = header.end() if header else body
        content = self.text[self.lines.end(body) : end]
        if header and "+" in header.group() and content.strip(" " + BREAKS):
            content = _LAST_BREAK.sub("", content)
        else:
            content = _without_blank_rows(content, header.group() if header else "")
        return self.lines.end(body) + len(content) if content.strip(" " + BREAKS) else behind

    def _alias(self, event: Any) -> Alias:
        start, end = event.start_mark.index + self.shift, event.end_mark.index + self.shift
        line, column = self.lines.place(start)
        target = self.anchors.get(event.anchor)
        if target is None:
            raise invalid(f"the anchor `&{event.anchor}` is not defined above its use", Where(self.file, line, column))
        if isinstance(target, _Open):
            raise invalid(f"`*{event.anchor}` stands inside what it refers to", Where(self.file, line, column))
        size, height = target.size, target.height
        return Alias(start, start, end, line, column, None, None, event.anchor, target, size=size, height=height)

    def _close(self, event: Any) -> None:
        opened = self.stack.pop()
        head = self._head(opened.opener, flow=opened.flow)
        children = opened.children
        end = event.end_mark.index + self.shift
        if not opened.flow:
            end = max(child.end for child in children) if children else head["body"]
        elif not self.text.startswith(("{", "["), head["body"]):  # `[a: b]`: a pair without braces
            end = max(child.end for child in children)
        make = self._mapping if opened.mapping else self._sequence
        node = make({**head, "end": end}, children, flow=opened.flow)
        if node.size > MOST_NODES:
            raise invalid(f"with aliases followed it holds more than {MOST_NODES} values", self._where(node.start))
        if node.height > MOST_LEVELS:
            raise invalid(f"with aliases followed it nests deeper than {MOST_LEVELS} levels", self._where(node.start))
        anchor = opened.opener.anchor
        if anchor is not None and self.anchors.get(anchor) is opened:
            self.anchors[anchor] = node
        self._add(node)

    def _sequence(self, head: dict[str, Any], children: list[Node], *, flow: bool) -> Sequence:
        size, height = _extent(children)
        return Sequence(**head, items=tuple(children), flow=flow, size=size, height=height)

    def _mapping(self, head: dict[str, Any], children: list[Node], *, flow: bool) -> Mapping:
        entries = tuple(Entry(self._key(key), value) for key, value in zip(children[::2], children[1::2], strict=True))
        own: dict[str, Entry] = {}
        for entry in entries:
            name = key_text(entry.key)
            if name in own:
                raise invalid(
                    f"the key `{shown(name)}` stands twice in one mapping",
                    self._where(entry.key.start),
                    why=f"it stands on line {own[name].key.line} already",
                    fix="remove one of the two",
                )
            own[name] = entry
        table = self._merged(entries, own)
        size, height = _extent([node for entry in table.values() for node in entry])
        return Mapping(**head, entries=entries, flow=flow, own=own, table=table, size=size, height=height)

    def _key(self, key: Node) -> Scalar | Alias:
        if isinstance(key, Alias) and isinstance(key.target, Scalar):
            return key
        if isinstance(key, Scalar):
            return key
        raise invalid("a list or a mapping is used as a key", self._where(key.start))

    def _merged(self, entries: tuple[Entry, ...], own: dict[str, Entry]) -> dict[str, Entry]:
        """Keys written here win; of several merged mappings, the earlier one."""
        merges = [entry.value for entry in entries if is_merge(entry.key)]
        if not merges:
            return own
        table = {name: entry for name, entry in own.items() if not is_merge(entry.key)}
        for source in self._sources(merges):
            self.merged += len(source.table)
            if self.merged > MOST_NODES:
                raise invalid(f"its merge keys bring in more than {MOST_NODES} values", self._where(merges[0].start))
            for name, entry in source.table.items():
                table.setdefault(name, entry)
        return table

    def _sources(self, merges: list[Node]) -> Iterator[Mapping]:
        for merge in merges:
            target = follow(merge)
            for part in target.items if isinstance(target, Sequence) else (target,):
                source = follow(part)
                if not isinstance(source, Mapping):
                    raise invalid("`<<` takes a mapping or a list of mappings", self._where(merge.start))
                yield source


def _without_blank_rows(content: str, header: str) -> str:
    """A block's rows without the blank ones at the end. Spaces beyond the indentation are content; with an indentation
    given by number (``|2``) only empty rows are sure to be none."""
    rows = [row for row in BREAK.split(content) if row.strip(" ")]
    indent = (
        0
        if any(char.isdigit() for char in header)
        else min((len(row) - len(row.lstrip(" ")) for row in rows), default=0)
    )
    while True:
        content = content.rstrip(BREAKS)
        row = BREAK.split(content)[-1]
        if not row or row.strip(" ") or len(row) > indent:
            return content
        content = content[: -len(row)]


def _extent(children: list[Node]) -> tuple[int, int]:
    return 1 + sum(child.size for child in children), 1 + max((child.height for child in children), default=0)


def parse(text: str, lines: Lines, file: str) -> tuple[Root, ...]:
    """All documents of a text. Raises ``UsageError`` (``invalid-yaml``) with line and column, and nothing else."""
    check_characters(text, lines, file)
    import yaml  # noqa: PLC0415  # costs 10 ms at start-up; many a command reads no compose file

    shift = 1 if text.startswith(BOM) else 0
    builder = _Builder(text, lines, file, shift)
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        for event in yaml.parse(text[shift:], Loader=loader):
            builder.feed(event)
    except yaml.YAMLError as error:
        raise translated(error, lines, file, shift) from None
    return tuple(builder.roots)
