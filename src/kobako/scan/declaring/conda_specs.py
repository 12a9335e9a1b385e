"""Conda's way to name packages and versions, and what each is on the package index."""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from kobako import data
from kobako.model.finding import Finding
from kobako.model.requirement import Bound, Other, Question, SystemPackage
from kobako.scan.code import names
from kobako.scan.declaring import build_tags, spelling
from kobako.scan.declaring.declared import Declared, not_understood

_NAME = re.compile(r"(?:([\w./-]{1,100})::)?([A-Za-z0-9_][\w.-]*)\s*(\[[^\]]*\])?(?![\w\]])")
_WITH_BUILD = re.compile(r"(={1,2}[^=<>!~,\s]+)=([^=\s]+)")
_BRACKETED = re.compile(r"\b(version|build)\s*=\s*[\"']?([^\"',\]]+(?:,[<>=!][^\"',\]]+)*)[\"']?")
_FUZZY = re.compile(r"=?(\d+(?:\.\d+)*)(?:\.?\*)?")
_LIBRARY = re.compile(r"_|lib|xorg-|font-|fonts-|m2w64-|cuda-|aws-c-|.*_linux-64$|.*-cpp$|.*_impl_")
_ELSEWHERE = frozenset({"pywin32", "pywin32-on-windows", "pywinpty", "wincertstore", "win_inet_pton", "appnope", "vc"})
"""Packages of Windows or macOS alone."""

_NO_PYTHON = frozenset({"bioconda", "r", "msys2"})
"""Channels of programs and of other languages: what the index has under such a name is most likely something else."""

_WHY = {
    "base": "every environment or the base image has it",
    "conda": "a tool of conda's own",
    "library": "a library that pip's packages bring with them",
}


class Spec(NamedTuple):
    """A conda package taken apart. ``version`` as conda writes it, ``build`` is "" where none is named."""

    name: str
    version: str = ""
    build: str = ""
    channel: str = ""


def parse(text: str) -> Spec | None:
    """None for what is no specification of a package."""
    text = text.strip()
    match = _NAME.match(text) if len(text) <= spelling.LONGEST else None
    if not match or not re.search(r"[A-Za-z]", match[2]):
        return None
    options = dict(_BRACKETED.findall(match[3] or ""))
    words = re.sub(r"\s*([=<>!~|]+|,)\s*", r"\1", text[match.end() :]).split()
    if len(words) > 2 or (words and not re.match(r"[=<>!~\d*]", words[0])):
        return None
    version, build = (*words, "", "")[:2]
    if with_build := _WITH_BUILD.fullmatch(version):
        version, build = with_build.groups()
    channel = (match[1] or "").partition("/")[0]
    return Spec(match[2].lower(), options.get("version", version), options.get("build", build), channel)


def specifier_of(version: str) -> str | None:
    """PEP 440 for a version as conda constrains it: ``=1.2`` is any 1.2; None for what has no such form."""
    version = version.strip().rstrip(",")
    if not version or version in {"*", "=*", "==*"}:
        return ""
    if "|" in version:
        return None
    fuzzy = _FUZZY.fullmatch(version)
    if fuzzy and (version.startswith("=") or version.endswith("*")):
        parts = fuzzy[1].split(".")
        return f"=={fuzzy[1]}.*" if len(parts) < 3 or version.endswith("*") else f"=={fuzzy[1]}"
    if version[0].isdigit() or re.fullmatch(r"=[^=].*", version):
        return spelling.specifier_of(f"=={version.lstrip('=')}")
    return spelling.specifier_of(re.sub(r"(?<![=<>!~])=(?!=)", "==", version))


def add(found: Declared, text: str, finding: Finding, *, export: bool = False) -> None:
    """Take in one package as conda knows it. An ``export`` lists all of an environment, needed or not."""
    spec = parse(text)
    if spec is None:
        found.problems.append(not_understood(text, "it is no specification of a conda package", finding))
        return
    row = _names().get(spec.name, {})
    kind = row.get("kind", "")
    exact = f"=={spec.version.lstrip('=')}" if spec.build and "*" not in spec.build else spec.version
    specifier = specifier_of(exact)
    if specifier is None:
        what = f"`{text}` is a choice of versions that pip cannot express: it is taken without one"
        found.questions.append(Question(what, finding))
        specifier = ""
    cuda = build_tags.of_folder(spec.build).cuda or build_tags.of_package(spec.name).cuda
    if cuda:
        found.cuda.append(Bound(cuda, (finding,), firm=False))
    if spec.name == "python" or kind == "cuda":
        found.used("python" if spec.name == "python" else "cuda", specifier, finding)
    elif kind == "apt":
        found.system.append(SystemPackage(row["name"], f"the repository installs {spec.name} from conda", (finding,)))
    elif why := _left_out(spec, kind, export=export):
        found.others.append(Other(text, why, (finding,)))
    elif not kind and "py" not in spec.build and not names.is_distribution(spelling.normalised(_plain(spec.name))):
        what = f"`{text}` is installed from conda: whether and under what name the index has it is not known"
        found.questions.append(Question(what, finding))
    else:
        name = _plain(row.get("name") or spec.name)
        if name == "opencv-python":  # its wheels number a fourth time: 4.5.3.56
            specifier = re.sub(r"^(==\d+\.\d+\.\d+)$", r"\1.*", specifier)
        found.add(name + specifier, finding)


def _plain(name: str) -> str:
    """The name without the CUDA release that it was built for."""
    return re.sub(r"-cuda\d[\d.]*$", "", name)


def _left_out(spec: Spec, kind: str, *, export: bool) -> str:
    """Why the package is not proposed; "" where it is."""
    if kind == "none" or (not kind and spec.channel in _NO_PYTHON):
        return "the package index has nothing of that name: install it by hand"
    if kind in _WHY:
        return _WHY[kind]
    if spec.name in _ELSEWHERE:
        return "for Windows or macOS only"
    if not kind and "py" not in spec.build and (_LIBRARY.match(spec.name) or (export and _is_generic(spec.build))):
        return _WHY["library"]
    return ""


def _is_generic(build: str) -> bool:
    """Builds of Python packages name the interpreter (``py38_0``, ``pyhd8ed1ab_0``); others are a hash or a number."""
    return re.fullmatch(r"h[0-9a-f]{7}\w*|\d+", build) is not None


@cache
def _names() -> dict[str, dict[str, str]]:
    return {row["conda"]: row for row in data.rows("conda_names")}
