"""README, INSTALL and the pages on installing: the commands that a person is told to type, and what prose asks for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from kobako.scan.declaring.declared import Declared
from kobako.scan.told import listed, prose
from kobako.scan.told.blocks import Block, blocks_of
from kobako.scan.told.budget import Budget
from kobako.scan.told.lines import shown_lines
from kobako.scan.told.manner import WEAK, Manner, is_chapter, of_headings, of_lead
from kobako.scan.told.own import Own, own_of
from kobako.scan.told.shell import Shell, Voice, below
from kobako.scan.told.versions import condense
from kobako.scan.tree import Tree

MOST_FILES = 40
MOST_DOCS = 200
"""A tree of more documents than that is a manual of its own: only the pages at its top are read."""
LARGEST, LARGEST_ALL = 1024**2, 3 * 1024**2

_TEXTS = (".md", ".rst", ".txt", ".markdown", "")
_ROOT = re.compile(
    r"(?:readme|install|installation|installing|setup|requirements?|getting[-_]?started|get[-_]?started|quick[-_]?start)",
    re.IGNORECASE,
)
_LANGUAGE = r"(?:[-_.](?:en|cn|zh|zh[-_]?cn|zh[-_]?hans|ja|jp|ko|kr|english|chinese|japanese|us))?"
_PAGE = re.compile(
    rf"(?:\d+[-_.])?(?:install|installation|installing|install[-_]guide|installation[-_]guide|get[-_]?started|getting[-_]?started|quick[-_]?start"
    rf"|setup|requirements|environment|安装|安装说明|快速开始|インストール|環境構築){_LANGUAGE}",
    re.IGNORECASE,
)
_EXAMPLE = re.compile(r"\be\.g\.|\bfor (?:example|instance)\b|例如|例えば", re.IGNORECASE)
_README = re.compile(rf"readme{_LANGUAGE}", re.IGNORECASE)
_FOREIGN = re.compile(
    r"[-_.](?:cn|zh|zh[-_]?cn|zh[-_]?hans|ja|jp|ko|kr|chinese|japanese|fr|es|de|ru|pt)$", re.IGNORECASE
)


def read(tree: Tree) -> Declared | None:
    names = list(pages(tree))
    if not names:
        return None
    own = own_of(tree)
    every = Declared()
    spoken: list[Declared] = []
    budget = Budget(LARGEST, LARGEST_ALL)
    for name in names:
        text = budget.read(tree, name)
        spoken.append(_page(tree, own, name, text) if text is not None else Declared())
    for found in _without_translations(names, spoken):
        every.merge(found)
    return every


def pages(tree: Tree) -> Iterator[str]:
    """The README at the top first, then what else tells how to install. Translations come after the originals."""
    top = [name for name in tree.names("") if _is_page(name, _README) or _is_page(name, _ROOT)]
    docs = [name for name in tree.files if re.match(r"(?:docs?|documentation|\.github)/", name) and _ends_as_text(name)]
    if len(docs) > MOST_DOCS:
        docs = [name for name in docs if name.count("/") <= 2]
    inner = [name for name in docs[: 4 * MOST_DOCS] if _is_page(name, _PAGE)]
    ranked = sorted([*top, *inner], key=lambda name: (_rank(name), name.count("/"), name))
    yield from ranked[:MOST_FILES]


def _is_page(name: str, pattern: re.Pattern[str]) -> bool:
    stem, suffix = _parts(name)
    if suffix == ".txt" and re.match(r"require", stem, re.IGNORECASE):
        return False  # pip's own format
    if suffix == "" and not (stem.isupper() or _README.fullmatch(stem)):
        return False  # `install` and `setup` are programs
    return pattern.fullmatch(stem) is not None


def _ends_as_text(name: str) -> bool:
    return name.endswith((".md", ".rst", ".txt"))


def _parts(name: str) -> tuple[str, str]:
    last = name.rsplit("/", 1)[-1]
    stem, dot, suffix = last.rpartition(".")
    return (stem, f".{suffix}".lower()) if dot and f".{suffix}".lower() in _TEXTS else (last, "")


def _rank(name: str) -> tuple[bool, bool]:
    stem, _ = _parts(name)
    return _FOREIGN.search(stem) is not None or re.search(
        r"/(?:zh|ja|cn|ko)\w*/", name
    ) is not None, not stem.lower().startswith("readme")


def _without_translations(names: Sequence[str], spoken: Sequence[Declared]) -> Iterator[Declared]:
    """A translation says what the original does, often an older one: it counts where the original says nothing."""
    original = False
    for name, found in zip(names, spoken, strict=True):
        foreign = _rank(name)[0]
        if foreign and original:
            continue
        original = original or (
            not foreign and bool(found.requirements or found.python or found.torch or found.cuda or found.system)
        )
        yield found


def _page(tree: Tree, own: Own, name: str, text: str) -> Declared:
    """One file: its commands, then its sentences."""
    stem, suffix = _parts(name)
    blocks = blocks_of(text, rst=suffix == ".rst")
    blocks = _untitled(blocks)
    is_readme = _README.fullmatch(stem) is not None
    has_chapter = is_readme and any(is_chapter(heading) for block in blocks for heading in block.headings)
    shell = Shell(tree, own)
    above: tuple[str, ...] = ()
    for block in blocks:
        if block.kind == "prose":
            continue
        if block.headings != above:
            above = block.headings
            shell.walk.home()
        manner = _manner(block, has_chapter=has_chapter)
        shell.read(shown_lines(block.text), Voice(name, below(block.line), manner))
    told = shell.finish()
    condense(told)
    found = prose.bounds_of(name, blocks)  # before the commands, which are mere examples of what it asks for
    found.merge(told)
    found.merge(listed.packages_of(name, blocks, own))
    return found


def _untitled(blocks: list[Block]) -> list[Block]:
    """Without the file's title, which says what the repository is about, not what a block is for."""
    title = next((block.headings[0] for block in blocks if block.headings), "")
    if not title or is_chapter(title):
        return blocks
    return [one._replace(headings=one.headings[1:]) if one.headings[:1] == (title,) else one for one in blocks]


def _manner(block: Block, *, has_chapter: bool) -> Manner:
    manner = of_headings(block.headings, has_chapter=has_chapter)
    if block.kind == "span" and _EXAMPLE.search(block.lead):
        return manner.with_(WEAK)
    return manner.with_(of_lead(block.lead)) if block.lead else manner
