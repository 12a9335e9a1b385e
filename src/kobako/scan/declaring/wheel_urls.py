"""What addresses of builds tell: find-links, indexes and wheels of PyTorch, OpenMMLab, PyG, Paddle and others. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote

from kobako.model.finding import Finding
from kobako.model.requirement import Bound
from kobako.scan.declaring import build_tags
from kobako.scan.declaring.build_tags import Tags
from kobako.scan.declaring.declared import Declared

_LONGEST = 20_000
"""Characters that are looked at; a line that a person wrote is shorter."""
_WORD = re.compile(r"[^\s'\"`<>()\[\]{},;|]+")
_PINNED = re.compile(
    r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)={2,3}"
    r"(?P<version>[0-9][A-Za-z0-9.!]*)(?:\+(?P<local>[A-Za-z0-9._+-]+))?"
)
_CODE_HOSTS = re.compile(r"(?:^|[@.])(?:github|githubusercontent|gitlab|bitbucket|huggingface|arxiv|readthedocs)\.")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def bounds(text: str, finding: Finding, *, firm: bool = False) -> Declared:
    """The bounds on torch, CUDA and Python that addresses, wheels and pinned builds in a text imply.

    They are wishes (``firm`` is false) unless the caller knows better, also where an installer would follow them: the
    build that an author took says what was tested, and Kobako takes the base image's own.
    """
    found = Declared()
    for tags in _tags(text[:_LONGEST]):
        for name, specifier in zip(Tags._fields, tags, strict=True):
            into: list[Bound] = getattr(found, name)
            if specifier and all(one.specifier != specifier for one in into):
                into.append(Bound(specifier, (finding,), firm=firm))
    return found


def _tags(text: str) -> Iterator[Tags]:
    for raw in _WORD.findall(text):
        word = unquote(raw).rstrip(".:")
        if "://" in word:
            yield from _address(word.partition("://")[2])
        elif word.lower().endswith(".whl"):
            yield build_tags.of_wheel(re.split(r"[/\\=]", word)[-1])
        elif pinned := _PINNED.fullmatch(word):
            yield from _pin(pinned["name"], pinned["version"], pinned["local"] or "")
        elif _NAME.fullmatch(word):
            yield build_tags.of_package(word)


def _pin(name: str, version: str, local: str) -> Iterator[Tags]:
    tags = build_tags.of_local(local)
    yield tags._replace(torch=f"=={version}") if name.lower() == "torch" and build_tags.is_version(version) else tags
    yield build_tags.of_package(name, version)


def _address(address: str) -> Iterator[Tags]:
    """Piece by piece, without the host. Where code and papers live only a wheel's name says what it was built for."""
    host, *pieces = re.split(r"[/?#&]", address)
    speaks = not _CODE_HOSTS.search(host.lower())
    for before, piece in zip(["", *pieces], pieces, strict=False):
        if piece.lower().endswith(".whl"):
            yield build_tags.of_wheel(piece)
        elif not speaks:
            continue
        elif before.lower() == "cuda" and re.fullmatch(r"\d{1,2}\.\d{1,2}(?:\.\d{1,3})?", piece):
            yield Tags(cuda=build_tags.cuda_of(piece))
        else:
            yield build_tags.of_folder(piece)
