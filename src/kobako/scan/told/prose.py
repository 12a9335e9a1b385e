"""What sentences, bullets, tables and badges say about Python, PyTorch and CUDA. Wishes, never more.

One bound on each subject per file: the one that is told where requirements are told, and told most plainly.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple
from urllib.parse import unquote

from kobako.model.finding import Finding
from kobako.model.requirement import Bound
from kobako.scan.declaring.declared import Declared
from kobako.scan.declaring.spelling import ordered
from kobako.scan.told.blocks import Block
from kobako.scan.told.manner import is_chapter, of_headings, tells_versions
from kobako.scan.told.versions import SUBJECTS, Minor, condense, is_sane, minor_of, spread

LONGEST = 600
MOST_LINES = 1_000
"""Characters of a line that are looked at: sentences that tell a version are short."""

_NUMBER = r"\d{1,2}(?:\.\d{1,2}){0,2}(?:\.[x*])?"
_SUBJECT = {
    "python": r"(?:c?python)(?:\s*3(?=\s*[(>=]))?",
    "torch": r"(?:pytorch|torch)",
    "cuda": r"(?:cuda(?:[\s-]?toolkit)?|cudatoolkit)",
}
_FILL = r"(?:\s|[:\uff1a=(|,*-]|\bversions?\b|\bv(?=\d)|\bfrom\b|\bis\b|バージョン|版本|的|は|为){0,12}"
_OPERATOR = r"(?P<op>>=|<=|==|~=|!=|>|<|=|at least|minimum|newer than|higher than|above|不低于|大于等于|大于|至少)?"
_LIST = (
    rf"(?P<list>{_NUMBER}(?:\s?(?:,|/|\||\band\b|\bor\b|&|、|和|及|と)\s?"
    rf"(?:and|or)?\s?(?:NAME\s?|v)?{_NUMBER}){{0,12}})"
)
_RANGE = (
    r"(?P<range>\s?(?:-|~|\u2013|\u2014|to|through|until|から|到|至|\u301c|<=?)\s?"
    rf"(?:python\s?|v)?(?P<end>{_NUMBER})(?!\.?\d))?"
)
_UPPER = rf"(?P<upper>\s?(?:,|and|&)?\s?(?P<upper_op><=?)\s?(?P<upper_end>{_NUMBER}))?"
_MORE = (
    r"(?P<more>\s?\+|\s?,?\s?\(?(?:or|and)\s(?:later|newer|above|higher|greater|up|over|more)"
    r"|\s?(?:以上|以降|以后|及以上|或更高|或以上|或者以上|及更高|以上版本|から))?"
)
_PATTERNS = {
    subject: re.compile(
        rf"(?<![\w./@-]){name}(?![a-z_]){_FILL}{_OPERATOR}\s?v?"
        rf"{_LIST.replace('NAME', name)}(?![\d_])(?!\.\d){_RANGE}{_UPPER}{_MORE}",
        re.IGNORECASE,
    )
    for subject, name in _SUBJECT.items()
}
_ANY = re.compile(r"python|torch|cuda", re.IGNORECASE)
_LINK = re.compile(r"\[([^\[\]]{0,300})\]\([^()\s]{0,600}\)|\[([^\[\]]{0,300})\]\[[^\[\]]{0,100}\]")
_RST_LINK = re.compile(r"`([^`<]{1,200}?)\s*<[^`>]{1,400}>`_{0,2}")
_BADGE = re.compile(
    r"img\.shields\.io/(?:static/v1\?\S*?label=([^&\s\"')]{1,80})&message=([^&\s\"')]{1,80})"
    r"|badge/([^?\s\"')]{1,200}))",
    re.IGNORECASE,
)
_NOT_SO = re.compile(
    r"\bnot\b|n't\b|\bno longer\b|\bdrop(?:s|ped|ping)?\b|\bdeprecat\w*|\bremov\w*|\bfix(?:e[sd])?\b|\badd(?:ed"
    r"|s|ing)?\b|\bbugs?\b|\berrors?\b|\bissues?\b"
    r"|\bunsupported\b|\bexcept\b|\bbelow\b|\bolder\b|\bearlier than\b|\bprior to\b|\bbefore\b|\bbroken\b"
    r"|\bfails?\b|\bwarning\b|\bif you(?:'re| are)\b|^\W*for (?:cuda|python|pytorch)\b"
    r"|\bwhen using\b|\bdocker\b|\bwheels?\b|不支持|非対応|サポートしていません|未対応",
    re.IGNORECASE,
)
_ASKS = re.compile(
    r"\btest(?:ed)?\b|\brequir\w+|\benvironments?\b|\bworks?\b|\bsupport\w*|\bneed(?:s|ed)?\b|\bdepend\w*"
    r"|\bdevelop(?:ed)?\b|\bbuilt\b|\binstall\w*|\bus(?:es?|ing)\b|\bbased on\b"
    r"|\bcompatible\b|\bversions?\b|\bimplement\w*|\brun(?:s|ning)?\b|\bexperiments?\b|\bconducted\b"
    r"|\bwritten\b|\bcreate\b|\bprerequisites?\b"
    r"|動作|確認|必要|対応|推奨|環境|テスト|测试|测试环境|环境|需要|要求|支持|依赖|版本|安装|基于",
    re.IGNORECASE,
)


class Told(NamedTuple):
    """A bound with its weight: the greater, the better it is to be believed."""

    weight: int
    specifier: str
    finding: Finding


def bounds_of(file: str, blocks: Sequence[Block]) -> Declared:
    """The best bound on each subject in a file's prose."""
    found = Declared()
    told: dict[str, list[Told]] = {subject: [] for subject in SUBJECTS}
    speaking = (block for block in blocks if block.kind == "prose" and _ANY.search(block.text))
    for block in islice(speaking, MOST_LINES):
        for subject, one in _told(file, block):
            told[subject].append(one)
    for subject, every in told.items():
        best = max((one.weight for one in every), default=0)
        into: list[Bound] = getattr(found, subject)
        into += [Bound(one.specifier, (one.finding,), firm=False) for one in every if one.weight == best]
    condense(found)
    return found


def _told(file: str, block: Block) -> Iterator[tuple[str, Told]]:
    finding = Finding(file, block.line, block.text.strip()[:200])
    for text in _badges(block.text):
        for subject in SUBJECTS:
            if found := _understood(subject, text):
                yield subject, Told(6 if found[1] else 5, found[0], finding)
    if not tells_versions(block.headings) or of_headings(block.headings, has_chapter=False).why:
        return
    chapter = any(is_chapter(heading) for heading in block.headings)
    for sentence in _sentences(block.text):
        if not _ANY.search(sentence) or _NOT_SO.search(sentence):
            continue
        asks = chapter or _ASKS.search(sentence) is not None
        for subject in SUBJECTS:
            found = _understood(subject, sentence)
            if found and (found[1] or asks or found[2]):
                yield subject, Told((4 if chapter else 0) + (2 if found[1] else 1) + asks, found[0], finding)


def _badges(text: str) -> Iterator[str]:
    for badge in _BADGE.finditer(text[: 20 * LONGEST]):
        if badge[1]:
            yield _plain(f"{unquote(badge[1])} {unquote(badge[2])}")
            continue
        parts = [part.replace("\0", "-").replace("_", " ") for part in unquote(badge[3]).replace("--", "\0").split("-")]
        yield _plain(" ".join(parts[:-1]))


def _sentences(text: str) -> Iterable[str]:
    return re.split(r"[.;!?](?:\s|$)|[。\uff1b\uff01\uff1f]", plain_text(text))


def plain_text(text: str) -> str:
    """A line without links, addresses and markup."""
    bare = _RST_LINK.sub(r"\1", _LINK.sub(lambda found: found[1] or found[2] or "", text[:LONGEST]))
    if "://" in bare:
        bare = re.sub(r"<?\S{0,400}://\S{0,600}", " ", bare)
    return _plain(bare)


def _plain(text: str) -> str:
    """One way of writing for all: no markup, ASCII operators and digits."""
    text = re.sub(
        r"<[^<>=]{1,80}>|&nbsp;|[*`\"“”]|(?<!\w)_|_(?!\w)", " ", text.replace("&gt;", ">").replace("&lt;", "<")
    )
    text = unicodedata.normalize(
        "NFKC", text.replace("≥", ">=").replace("≧", ">=").replace("≤", "<=").replace("⩾", ">=")
    )
    text = re.sub(r"\$\s?\\geq?\s?\$|\\geq?\b", ">=", text)
    return re.sub(r"\s+", " ", re.sub(r"([<>=])\s+=", r"\1=", text))


def _understood(subject: str, text: str) -> tuple[str, bool, bool] | None:
    """The specifier; whether an open range was told (``3.7+``) rather than releases; whether nothing else is said."""
    for found in _PATTERNS[subject].finditer(text):
        listed = [one for part in re.findall(_NUMBER, found["list"]) if (one := _minor(subject, part))]
        if not listed or len(listed) < len(re.findall(_NUMBER, found["list"])) - 1:
            continue
        specifier = _specifier(subject, found, listed)
        if specifier:
            around = re.findall(r"[^\W\d_]", text[: found.start()] + text[found.end() :])
            return specifier, bool(found["more"] or found["op"] or found["upper"]), len(around) < 3
    return None


def _minor(subject: str, text: str) -> Minor | None:
    """A release; ``CUDA 11`` is its first one, ``Python 3`` says nothing."""
    if subject == "cuda" and re.fullmatch(r"\d{1,2}", text):
        text = f"{text}.0"
    minor = minor_of(text)
    return minor if minor and is_sane(subject, minor) else None


def _specifier(subject: str, found: re.Match[str], listed: list[Minor]) -> str:
    low, operator = listed[0], (found["op"] or "").lower()
    first = f"{low[0]}.{low[1]}"
    if operator in {"<", "<="}:
        return f"{operator}{first}" if operator == "<" else f"<{low[0]}.{low[1] + 1}"
    if operator in {"!=", "~="}:
        return ""
    if (
        found["more"]
        or operator in {">=", ">", "at least", "minimum", "above", "newer than", "higher than"}
        or not operator.isascii()
    ):
        return ordered(",".join([f">={_full(found, first)}", *_upper(subject, found)]))
    if found["upper"]:
        return ordered(",".join([f">={first}", *_upper(subject, found)]))
    end = _minor(subject, found["end"]) if found["end"] else None
    if end and end > low:
        return spread([low, end])
    if subject == "cuda" and len(listed) == 1 and re.fullmatch(r"\d{1,2}", found["list"]):
        return f"=={low[0]}.*"
    return spread(listed)


def _full(found: re.Match[str], first: str) -> str:
    """A lower bound as it was told, patch release included."""
    text = re.match(r"\d+\.\d+\.\d+", found["list"])
    return text[0].removesuffix(".0") if text else first


def _upper(subject: str, found: re.Match[str]) -> list[str]:
    if not found["upper"]:
        return []
    end = _minor(subject, found["upper_end"])
    if not end:
        return []
    return [f"<{end[0]}.{end[1]}" if found["upper_op"] == "<" else f"<{end[0]}.{end[1] + 1}"]
