"""Packages that a README lists as bullets below "Requirements" or "Dependencies", without a command.

A name counts only where the tables know it for certain: operating systems, compilers and drivers stand there too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import NamedTuple

from kobako import data
from kobako.model.finding import Finding
from kobako.model.requirement import Question, Requirement
from kobako.scan.code import names
from kobako.scan.declaring.declared import Declared
from kobako.scan.declaring.spelling import normalised
from kobako.scan.told.blocks import Block
from kobako.scan.told.manner import of_headings, of_remark
from kobako.scan.told.own import Own
from kobako.scan.told.prose import plain_text

MOST = 200
LONGEST = 300

_CHAPTER = re.compile(
    r"\brequire(?:d|ments?)\b|\bdependenc(?:y|ies)\b|\bprerequisites?\b|\benvironments?\b|依赖|依賴|依存|要件|环境|環境",
    re.IGNORECASE,
)
_BULLET = re.compile(r"\s{0,12}(?:[-*+•]|\d{1,2}[.)])\s+(?:\[[ x]\]\s+)?(.{1,300})$")
_ITEM = re.compile(
    r"(?P<name>[A-Za-z][\w.-]{0,60}(?:\s(?:learn|python|image|video))?)(?P<extras>\[[\w,-]{1,60}\])?\s?"
    r"\(?(?:version|ver\.?)?\s?(?P<op>>=|<=|==|~=|=|>|<"
    r"|:)?\s?v?(?P<version>\d{1,4}(?:\.\d{1,4}){0,3}(?:\.post\d)?)?(?P<more>\s?\+|\s(?:or|and) (?:later|above"
    r"|higher|newer))?\)?"
    r"(?:\s?\([^()]{0,120}\))?"
)
_SPOKEN = {
    "pytorch": "torch",
    "opencv": "opencv-python",
    "opencv python": "opencv-python",
    "opencv2": "opencv-python",
    "scikit learn": "scikit-learn",
    "scikit image": "scikit-image",
    "pil": "pillow",
    "coco api": "pycocotools",
    "cocoapi": "pycocotools",
    "pyyaml": "pyyaml",
}
_NO_PACKAGES = """
python cuda cudnn nccl gcc g++ linux ubuntu windows macos git cmake make anaconda conda miniconda docker nvidia gpu cpu
memory disk java node nodejs npm java8 bash wget curl unzip ffmpeg imagemagick vim debian centos ninja coco lvis
imagenet cityscapes kitti mpi openmpi others other note notes code data model models os hardware software dataset
datasets training inference apex pip
"""
_NO_PACKAGE = frozenset(_NO_PACKAGES.split())


class Item(NamedTuple):
    name: str
    specifier: str
    extras: str


def packages_of(file: str, blocks: Sequence[Block], own: Own) -> Declared:
    """The packages that are listed. A name with a version that no table knows becomes a question."""
    found = Declared()
    for block in blocks:
        bullet = _BULLET.match(block.text) if block.kind == "prose" and len(block.text) <= LONGEST else None
        if not bullet or not _is_chapter(block.headings):
            continue
        finding = Finding(file, block.line, block.text.strip()[:200])
        for item in _items(bullet[1]):
            _take(item, finding, own, found)
        if len(found.requirements) > MOST:
            break
    return found


def _is_chapter(headings: Sequence[str]) -> bool:
    return (
        bool(headings)
        and _CHAPTER.search(headings[-1]) is not None
        and not of_headings(headings, has_chapter=False).why
    )


def _items(text: str) -> Iterator[Item]:
    """``numpy``, ``scipy >= 1.2``, ``matplotlib, tqdm``: names alone, nothing of a sentence."""
    if of_remark(text).why or of_remark(text).optional:
        return
    bare = plain_text(text).strip(" .;")
    parts = [part for part in re.split(r",\s+|\s+and\s+|\s*、", bare) if part]
    matches = [_ITEM.fullmatch(part.strip()) for part in parts]
    if len(matches) > 12 or not all(matches):
        return
    for match in matches:
        if match:
            yield Item(match["name"], _specifier(match), match["extras"] or "")


def _specifier(match: re.Match[str]) -> str:
    """``1.18.5`` was what the authors had: a patch release more or less does not matter."""
    version, operator = match["version"], match["op"]
    if not version:
        return ""
    if match["more"] or operator in {">=", ">"}:
        return f">={version}"
    if operator in {"<", "<=", "~="}:
        return f"{operator}{version}" if operator != "~=" or "." in version else ""
    parts = version.split(".")
    return (
        f"=={parts[0]}.{parts[1]}.*"
        if len(parts) > 1 and operator != "=="
        else f"=={version}"
        if operator == "=="
        else ""
    )


def _take(item: Item, finding: Finding, own: Own, found: Declared) -> None:
    spoken = item.name.lower()
    if spoken in _NO_PACKAGE or own.has_name(spoken):
        return
    name = _known(spoken)
    if name:
        found.requirements.append(
            Requirement(
                name,
                item.specifier,
                tuple(sorted(one for one in item.extras.strip("[]").split(",") if one)),
                origin="readme",
                findings=(finding,),
            )
        )
    elif item.specifier and " " not in spoken:
        what = f"`{item.name}` is listed among what is needed; no table tells which package that is"
        found.questions.append(Question(what, finding))


def _known(spoken: str) -> str:
    if spoken in _SPOKEN:
        return _SPOKEN[spoken]
    name = normalised(spoken.replace(" ", "-"))
    if names.is_distribution(name):
        return name
    return _modules().get(spoken.replace("-", "_"), "")


@cache
def _modules() -> dict[str, str]:
    """Import names in lower case that a person reviewed: `sklearn` is said for scikit-learn."""
    return {
        row["module"].lower(): row["distribution"]
        for row in data.rows("import_names")
        if row["confidence"] == "reviewed" and row["distribution"]
    }
