"""The shell commands of a RUN, read by a real shell grammar (tree-sitter-bash), each word with its place in the file.

The grammar module is loaded with the first RUN that is asked about, never before.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import pairwise
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from kobako.dockerfile.heredoc import heredoc_of
from kobako.dockerfile.instruction import Dockerfile, Instruction
from kobako.dockerfile.lex import LexError
from kobako.dockerfile.static import static_value
from kobako.dockerfile.text import Logical, split_lines
from kobako.model.recipe import Command, Span, Word

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

PATIENCE = 0.25
PATIENCE_PER_BYTE = 5e-6
"""Seconds of CPU. A script takes a twentieth of that; the grammar's way back from errors is quadratic, and takes hours
for a megabyte of ``<``."""
_PIECE = 4096

POSIX_SHELLS = frozenset({"sh", "ash", "bash", "dash", "ksh", "zsh"})
_JOINS = frozenset({"&&", "||", ";", "&", "|", "|&", ";;"})
_THROUGH = frozenset({"program", "list", "pipeline", "redirected_statement", "heredoc_redirect"})
_LEAVES = frozenset({"command", "declaration_command", "unset_command", "test_command", "variable_assignment"})
_REDIRECTS = frozenset({"file_redirect", "heredoc_redirect", "herestring_redirect"})
_WORDS = frozenset(
    {"word", "number", "string", "raw_string", "ansi_c_string", "translated_string", "concatenation"}
    | {"simple_expansion", "expansion", "command_substitution", "process_substitution"}
)
_INERT = frozenset({"comment", "heredoc_body", "heredoc_start", "heredoc_end", *_REDIRECTS}) - {"heredoc_redirect"}


@dataclass(frozen=True)
class Item:
    """A part of the step's outermost sequence: a command, or a construct with commands in it."""

    span: Span
    operator: Word | None


@dataclass(frozen=True)
class Script:
    """What a RUN says. ``understood`` is False for other languages; ``sound`` False where the grammar met an error.

    ``items`` is the outermost sequence; ``trailing`` an operator after its last part (``;`` or ``&``).
    """

    commands: tuple[Command, ...] = ()
    items: tuple[Item, ...] = ()
    understood: bool = True
    sound: bool = True
    trailing: Word | None = None


def script_of(dockerfile: Dockerfile, run: Instruction) -> Script:
    """The commands of a RUN instruction in shell form; its shell is taken for a POSIX one."""
    text = _shell_text(dockerfile, run)
    if text is None:
        return Script(understood=False)
    walk = _Walk(dockerfile, text)
    root = _root(walk.encoded)
    if root is None:
        return Script(sound=False)
    walk.sound = not root.has_error
    trailing = walk.visit(root)
    commands = tuple(replace(command, sound=walk.sound) for command in walk.commands)
    return Script(commands, tuple(walk.items), sound=walk.sound, trailing=trailing)


def _shell_text(dockerfile: Dockerfile, run: Instruction) -> Logical | None:
    """What the shell gets: the logical line, or a heredoc as the script, or the line and its heredocs."""
    if not run.heredocs:
        return run.value
    body = _raw(dockerfile, run.heredocs[0].body)
    if _is_heredoc(run.value.text):
        return body if _is_shell(body.text) else None
    if len(run.heredocs) == 1 and _feeds_shell(run.value.text):
        literal = not run.heredocs[0].expand or not re.search(r"\\[^\n]", body.text)
        return body if literal else None
    end = dockerfile.text.rfind("\n", 0, run.head_end)
    rest = _raw(dockerfile, Span(end, run.heredocs[-1].end))
    value = run.value
    return Logical.join([*value.pieces(0, len(value.text)), *rest.pieces(0, len(rest.text))], run.span.start)


def _is_heredoc(word: str) -> bool:
    try:
        return heredoc_of(word) is not None
    except LexError:
        return False


def _feeds_shell(value: str) -> bool:
    """``<<EOF bash -ex`` or ``bash <<EOF``: the heredoc is what a shell runs."""
    words = [word for word in value.split() if not _is_heredoc(word)]
    if len(words) + 1 != len(value.split()) or PurePosixPath(words[0]).name not in POSIX_SHELLS:
        return False
    return all(re.fullmatch(r"-[a-bd-z]+|pipefail", word) for word in words[1:])


def _raw(dockerfile: Dockerfile, span: Span) -> Logical:
    """Text of the file, without the carriage returns of its newlines."""
    pieces = []
    for line in split_lines(dockerfile.text[span.start : span.end]):
        start = span.start + line.start
        pieces.append((line.text, start))
        if dockerfile.text[span.start + line.end - 1] == "\n":
            pieces.append(("\n", span.start + line.end - 1))
    return Logical.join(pieces, span.start)


def _is_shell(body: str) -> bool:
    if not body.startswith("#!"):
        return True
    words = body.partition("\n")[0][2:].split()
    return any(PurePosixPath(word).name in POSIX_SHELLS for word in words)


@lru_cache(maxsize=1)
def _parser() -> Parser:
    import tree_sitter  # noqa: PLC0415 - costs too much for commands that need no RUN read
    import tree_sitter_bash  # noqa: PLC0415

    return tree_sitter.Parser(tree_sitter.Language(tree_sitter_bash.language()))


def _root(source: bytes) -> Node | None:
    """The syntax of a script, or None where it is no text or takes longer than any script."""
    if b"\0" in source:  # a shell drops it, and this grammar looks for its end at each
        return None
    end = time.thread_time() + PATIENCE + PATIENCE_PER_BYTE * len(source)

    def piece(at: int, _point: object) -> bytes:
        return source[at : at + _PIECE]

    def is_late(*_: object) -> bool:
        return time.thread_time() > end

    parser = _parser()
    try:
        return parser.parse(piece, progress_callback=is_late).root_node
    except ValueError:  # it was late
        parser.reset()
        return None


@dataclass
class _Sequence:
    """Commands that follow each other; ``operator`` is the one seen since the last of them."""

    nesting: tuple[str, ...]
    operator: Word | None = None
    begun: bool = False


@dataclass
class _Walk:
    dockerfile: Dockerfile
    text: Logical
    commands: list[Command] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)
    sound: bool = True
    encoded: bytes = field(init=False)
    _chars: list[int] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        # Undecodable bytes stand as lone surrogates, which no encoder takes: one character for one keeps the places.
        clean = "".join("\ufffd" if "\ud800" <= char <= "\udfff" else char for char in self.text.text)
        self.encoded = clean.encode()
        if not clean.isascii():
            self._chars = [index for index, char in enumerate(clean) for _ in char.encode()] + [len(clean)]

    def _char(self, byte: int) -> int:
        return self._chars[byte] if self._chars is not None else byte

    def _bounds(self, node: Node) -> tuple[int, int]:
        return self._char(node.start_byte), self._char(node.end_byte)

    def _word(self, node: Node) -> Word:
        start, end = self._bounds(node)
        text = self.text.text[start:end]
        return Word(text, static_value(node, lambda one: self.text.text[slice(*self._bounds(one))]), self._span(node))

    def _span(self, node: Node) -> Span:
        return self.text.span(*self._bounds(node))

    def visit(self, root: Node) -> Word | None:
        """All commands in the order of the text; returns an operator that nothing follows.

        A stack of its own, since a chain of && nests as deep as it is long.
        """
        top = _Sequence(())
        stack: list[tuple[Node, _Sequence, tuple[Node, ...]]] = [(root, top, ())]
        while stack:
            node, sequence, redirects = stack.pop()
            self.sound = self.sound and self._covered(node)
            if not node.is_named:
                if node.type in _JOINS:
                    sequence.operator = self._word(node)
            elif node.type in _LEAVES:
                self._leaf(node, sequence, redirects)
            elif node.type in _THROUGH:
                stack.extend(self._parts(node, sequence, redirects))
            elif node.type not in _INERT:
                stack.extend(self._construct(node, sequence))
        return top.operator

    def _covered(self, node: Node) -> bool:
        """Whether a command's words are all of its text: the grammar loses a lone ``-`` before a heredoc."""
        if node.type not in ("command", "redirected_statement"):
            return True
        ends = [self._bounds(child) for child in node.children]
        gaps = (self.text.text[end:start] for (_, end), (start, _) in pairwise(ends))
        return not any(gap.replace("\\\n", " ").strip() for gap in gaps)

    def _parts(
        self, node: Node, sequence: _Sequence, redirects: tuple[Node, ...]
    ) -> list[tuple[Node, _Sequence, tuple[Node, ...]]]:
        """The children, last first; redirects go to the last command, which is the one they were written after."""
        children = [child for child in node.children if child.type not in _INERT]
        if node.type == "redirected_statement":
            redirects = (*(child for child in node.children if child.type in _REDIRECTS), *redirects)
        if node.type == "heredoc_redirect":
            redirects = ()
            children = [child for child in children if child.type not in _WORDS]
        bodies = [child for child in children if child.is_named and child.type != "heredoc_redirect"]
        last = bodies[-1] if bodies else None
        return [(child, sequence, redirects if child == last else ()) for child in reversed(children)]

    def _construct(self, node: Node, sequence: _Sequence) -> list[tuple[Node, _Sequence, tuple[Node, ...]]]:
        """A loop, condition, subshell, function...: its commands form sequences of their own."""
        self._begin(sequence, self._span(node))
        inner = _Sequence((*sequence.nesting, node.type))
        return [(child, inner, ()) for child in reversed(node.children)]

    def _begin(self, sequence: _Sequence, span: Span) -> Word | None:
        """The operator before this part; a newline joins as well, and has no place of its own."""
        operator, sequence.operator = sequence.operator, None
        if operator is None and sequence.begun:
            operator = Word("\n", "\n", Span(span.start, span.start))
        sequence.begun = True
        if not sequence.nesting:
            self.items.append(Item(span, operator))
        return operator

    def _leaf(self, node: Node, sequence: _Sequence, redirects: tuple[Node, ...]) -> None:
        own = [child for child in node.children if child.type in _REDIRECTS]
        parts = [child for child in node.children if child.type not in _REDIRECTS]
        assignments: list[Word] = []
        words: list[Word] = []
        if node.type == "variable_assignment":
            assignments.append(self._word(node))
        elif node.type == "test_command":
            words.append(Word(*self._word(node)[:1], None, self._span(node)))
        else:
            leading = node.type == "command"
            for part in parts:
                (assignments if leading and part.type == "variable_assignment" else words).append(self._word(part))
        shown, stray = self._redirects([*own, *redirects])
        words += stray
        spans = [self._span(node), *(word.span for word in (*shown, *stray))]
        span = Span(min(one.start for one in spans), max(one.end for one in spans))
        self.commands.append(
            Command(
                text=self.dockerfile.text[span.start : span.end],
                line=self.dockerfile.line_of(span.start),
                span=span,
                words=tuple(words),
                assignments=tuple(assignments),
                redirects=tuple(shown),
                operator=self._begin(sequence, span),
                nesting=sequence.nesting,
                kind="other" if words else "assignment",
            )
        )

    def _redirects(self, nodes: list[Node]) -> tuple[list[Word], list[Word]]:
        """Redirects, and the words after a redirect's target: the grammar counts those to the redirect."""
        shown: list[Word] = []
        stray: list[Word] = []
        for node in nodes:
            if node.type == "heredoc_redirect":
                found, more = self._redirects([child for child in node.children if child.type == "file_redirect"])
                start = next((child for child in node.children if child.type == "heredoc_start"), node)
                shown += [self._word(start), *found]
                stray += [*(self._word(child) for child in node.children if child.type in _WORDS), *more]
                continue
            targets = [child for child in node.named_children if child.type != "file_descriptor"]
            end = self._bounds(targets[0] if targets else node)[1]
            begin = self._char(node.start_byte)
            shown.append(Word(self.text.text[begin:end], None, self.text.span(begin, end)))
            stray += [self._word(child) for child in targets[1:]]
        return shown, stray
