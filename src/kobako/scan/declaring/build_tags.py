"""What the names of builds say about torch, CUDA and Python: ``cu113``, ``torch1.10``, ``cp38``. Pure.

Such tags stand in wheel names, local versions, package names and the folders of wheel indexes.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Tags(NamedTuple):
    """PEP 440 specifiers, "" where a name says nothing."""

    torch: str = ""
    cuda: str = ""
    python: str = ""


_NEWEST_TORCH = 3
_CUDA = re.compile(
    r"(?<![a-z])cu(?:da)?[-_]?(\d{1,4}(?:\.\d{1,2}){0,2})x?(?![a-z\d])|(?<![a-z])cu(?:da)?(\d{2,3})(?=torch|pt)"
)
_TORCH = re.compile(r"(?<![a-z])(?:pytorch|torch|pyt|pt)[-_]?(\d{1,4}(?:\.\d{1,2}){0,2})(?![\d.]*\d)")
_PYTHON = re.compile(r"(?<![a-z\d])(?:py|cp)([23])(\d{1,2})_cu\d")
_WHEEL = re.compile(r"([a-z0-9_.]+)-([^-]+)(?:-\d[^-]*)?-([a-z0-9_.]+)-([a-z0-9_.]+)-[a-z0-9_.]+\.whl")
_IN_NAME = re.compile(r"[-_]cu(?:da)?[-_]?(\d{2,3}|\d{1,2}\.\d)x?$")
_POST = re.compile(r"\.post(\d{2,3})$")
_AMBIGUOUS = re.compile(r"[12]1[0-9]")  # torch110: 1.1.0 or 1.10


def cuda_of(digits: str) -> str:
    """``113``, ``11.3`` and ``11.3.1`` -> ``==11.3.*``; ``11`` -> ``==11.*``; "" for what is no CUDA version."""
    if "." in digits:
        major, minor = digits.split(".")[:2]
    elif len(digits) == 3:
        major, minor = digits[:2], digits[2:]
    elif len(digits) == 2 and digits[0] in "6789":
        major, minor = digits[0], digits[1]
    else:
        major, minor = digits, ""
    if not major.isdigit() or not 6 <= int(major) <= 19:
        return ""
    return f"=={int(major)}.{int(minor)}.*" if minor else f"=={int(major)}.*"


def torch_of(digits: str) -> str:
    """``1.10``, ``1.10.0`` and ``1100`` -> ``==1.10.*``: a build for one patch release serves its neighbours."""
    if "." in digits:
        major, minor = digits.split(".")[:2]
    elif len(digits) == 4:
        major, minor = digits[0], digits[1:3]
    elif len(digits) in {2, 3} and not _AMBIGUOUS.fullmatch(digits):
        major, minor = digits[0], digits[1]
    else:
        return ""
    return f"=={int(major)}.{int(minor)}.*" if int(major) <= _NEWEST_TORCH else ""


def python_of(major: str, minor: str) -> str:
    """``3``, ``8`` -> ``==3.8.*``."""
    return f"=={major}.{int(minor)}.*"


def of_local(local: str) -> Tags:
    """The part of a version after ``+``: ``cu113``, ``torch1.7.0.cu110``, ``pt20cu118``, ``cuda11.cudnn82``."""
    local = local.lower()
    return Tags(_torch(local), _cuda(local))


def of_package(name: str, version: str = "") -> Tags:
    """A package whose name or version tells its build: ``cupy-cuda110``, ``paddlepaddle-gpu`` 2.3.2.post112."""
    name = name.lower()
    if name.replace("_", "-") == "paddlepaddle-gpu":
        match = _POST.search(version.lower())
        return Tags(cuda=cuda_of(match[1])) if match else Tags()
    match = _IN_NAME.search(name)
    if not match:
        return Tags()
    cuda = cuda_of(match[1])
    if name.startswith("nvidia"):  # NVIDIA's own packages serve a whole major version
        cuda = re.sub(r"^==(\d+)\..*$", r"==\1.*", cuda)
    return Tags(cuda=cuda)


def of_wheel(name: str) -> Tags:
    """A wheel's file name; empty for what is none."""
    match = _WHEEL.fullmatch(name.lower()[:300])
    if not match:
        return Tags()
    package, version, pythons, abi = match.groups()
    public, _, local = version.partition("+")
    tags = of_local(local)
    by_name = of_package(package, public)
    torch = f"=={public}" if package == "torch" and is_version(public) else tags.torch
    return Tags(torch, tags.cuda or by_name.cuda, _python_of_wheel(pythons, abi))


def of_folder(name: str) -> Tags:
    """One piece of an index's address: ``cu113``, ``torch1.10``, ``torch-2.0.0+cu117.html``, ``py38_cu113_pyt1100``."""
    name = name.lower()[:200]
    python = _PYTHON.search(name)
    return Tags(_torch(name), _cuda(name), python_of(*python.groups()) if python else "")


def is_version(text: str) -> bool:
    """Whether it is a release as it may stand after ``==``."""
    return re.fullmatch(r"\d{1,8}(?:\.\d{1,8}){0,5}(?:(?:a|b|rc|\.post|\.dev)\d{0,10})?", text) is not None


def _cuda(text: str) -> str:
    match = _CUDA.search(text)
    return cuda_of(match[1] or match[2]) if match else ""


def _torch(text: str) -> str:
    match = _TORCH.search(text)
    return torch_of(match[1]) if match else ""


def _python_of_wheel(pythons: str, abi: str) -> str:
    found = [match for tag in pythons.split(".") if (match := re.fullmatch(r"cp([23])(\d{1,2})", tag))]
    if len(found) != 1:
        return ""
    major, minor = found[0].groups()
    return f">={major}.{int(minor)}" if abi.startswith("abi") else python_of(major, minor)
