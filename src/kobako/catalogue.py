"""What the tables and the tag of an image say about it. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable

from kobako import data
from kobako.errors import UsageError
from kobako.model.image import BaseImage

NGC = "nvcr.io/nvidia/pytorch"
CONSTRAINED_SINCE = "25.03"
"""From this release on, NGC's images ship /etc/pip/constraint.txt."""


def recognise(reference: str) -> BaseImage:
    """What the tables and the tag say about an image. Never fails for an image; refuses what is no reference."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._:/@-]*", reference):
        raise UsageError("no-base", f"{reference!r} is not the name of an image", fix=f"one such as {NGC}:25.04-py3")
    repository, tag = _split(reference)
    for reader in _READERS:
        found = reader(reference, repository, tag)
        if found is not None:
            return found
    return BaseImage(reference)


def _split(reference: str) -> tuple[str, str]:
    """Repository and tag. The registry's port is no tag, and a digest hides none."""
    named = reference.partition("@")[0]
    head, slash, last = named.rpartition("/")
    name, _, tag = last.partition(":")
    repository = f"{head}{slash}{name}"
    for prefix in ("docker.io/library/", "index.docker.io/library/", "docker.io/", "library/"):
        repository = repository.removeprefix(prefix)
    return repository, tag


def _ngc(reference: str, repository: str, tag: str) -> BaseImage | None:
    if repository != NGC:
        return None
    release = re.match(r"\d\d\.\d\d", tag)
    row = next((one for one in data.ngc_releases() if release and one.release == release[0]), None)
    newer = bool(release) and release[0] >= CONSTRAINED_SINCE  # type: ignore[index]
    if row is None:
        return BaseImage(reference, "ngc", release=release[0] if release else "", has_torch=True, constrained=newer)
    return BaseImage(
        reference,
        "ngc",
        row.python or _neighbours_python(row),
        row.pytorch,
        row.cuda,
        f"ubuntu {row.ubuntu}" if row.ubuntu else "",
        row.release,
        has_torch=True,
        constrained=newer,
        confidence=row.confidence,
        source=row.source,
    )


def _neighbours_python(row: data.NgcRelease) -> str:
    """The Python of the releases around one whose own is not known, where it is the same before and after."""
    known = [one for one in data.ngc_releases() if one.python]
    before = next((one.python for one in reversed(known) if one.release < row.release), "")
    after = next((one.python for one in known if one.release > row.release), "")
    return before if before == after else ""


def _pytorch(reference: str, repository: str, tag: str) -> BaseImage | None:
    """``pytorch/pytorch:2.1.0-cuda12.1-cudnn8-runtime``: conda images, later ones plain."""
    if repository != "pytorch/pytorch":
        return None
    found = re.match(r"(\d+\.\d+(?:\.\d+)?)(?:-cuda(\d+\.\d+))?", tag)
    torch, cuda = (found[1], found[2] or "") if found else ("", "")
    row = _pytorch_row(torch)
    python, source, confidence = (row["python"], row["source"], row["confidence"]) if row else ("", "its tag", "")
    return BaseImage(reference, "pytorch", python, torch, cuda, has_torch=True, confidence=confidence, source=source)


def _pytorch_row(torch: str) -> dict[str, str] | None:
    """What is known of the image of that version; where the table has none of it, of one of its minor version."""
    numbers = torch.split(".") if torch else []
    rows = data.rows("pytorch_images")
    exact = [row for row in rows if row["torch"] == ".".join([*numbers, "0"][:3])]
    same = [row for row in rows if row["python"] and numbers and row["torch"].split(".")[:2] == numbers[:2]]
    return next(iter(exact or same), None)


def _python(reference: str, repository: str, tag: str) -> BaseImage | None:
    if repository != "python":
        return None
    found = re.match(r"(\d+\.\d+)", tag)
    codename = re.search(r"alpine|[a-z]+$", tag)
    system = _system(codename[0]) if codename else ""
    return BaseImage(reference, "python", found[1] if found else "", system=system, has_torch=False, source="its tag")


def _system(word: str) -> str:
    if word == "alpine":
        return word
    row = next((row for row in data.rows("distribution_python") if row["codename"] == word), None)
    return f"{row['image']} {row['version']}" if row else ""


def _cuda(reference: str, repository: str, tag: str) -> BaseImage | None:
    if repository not in {"nvidia/cuda", "nvcr.io/nvidia/cuda"}:
        return None
    cuda = re.match(r"\d+(?:\.\d+)+", tag)
    system = re.search(r"(ubuntu)(\d\d\.\d\d)", tag)
    python = _system_python(system[1], system[2]) if system else ""
    return BaseImage(
        reference,
        "cuda",
        python,
        cuda=cuda[0] if cuda else "",
        system=f"{system[1]} {system[2]}" if system else "",
        has_torch=False,
        has_pip=False,
        source="its tag",
    )


def _distribution(reference: str, repository: str, tag: str) -> BaseImage | None:
    if repository not in {"ubuntu", "debian"}:
        return None
    short = tag.removesuffix("-slim")
    for row in data.rows("distribution_python"):
        if row["image"] == repository and short in {row["version"], row["codename"]}:
            system = f"{repository} {row['version']}"
            return BaseImage(
                reference,
                "distribution",
                row["python"],
                system=system,
                has_torch=False,
                has_pip=False,
                source="its tag",
            )
    return BaseImage(reference, "distribution", system=repository, has_torch=False, has_pip=False, source="its tag")


def _system_python(image: str, version: str) -> str:
    rows = data.rows("distribution_python")
    return next((row["python"] for row in rows if (row["image"], row["version"]) == (image, version)), "")


_READERS: tuple[Callable[[str, str, str], BaseImage | None], ...] = (_ngc, _pytorch, _python, _cuda, _distribution)


def final(version: str) -> str:
    """NGC's ``1.11.0a0+17540c5`` counts as 1.11.0: base versions are compared, not the order of pre-releases."""
    found = re.match(r"\d+(?:\.\d+)*", version)
    return found[0] if found else version
