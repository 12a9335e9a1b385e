"""Which base image, and why: facts and tables in, a choice with its reasons out. Pure.

An image that nobody knows is taken as it is named: the tables inform, they never refuse.
"""

from __future__ import annotations

from kobako import data
from kobako.catalogue import final, recognise
from kobako.errors import UsageError
from kobako.model.choice import Choice
from kobako.model.image import BaseImage
from kobako.model.requirement import Scan


def choose(named: str | None, scan: Scan) -> Choice[BaseImage]:
    """The base for a repository: the one that the user names, else the newest NGC release that fits.

    Raises ``UsageError("no-base")`` when nothing was named and nothing fits.
    """
    if named:
        return Choice(recognise(named), ("named with --base",))
    return _newest(scan)


def _newest(scan: Scan) -> Choice[BaseImage]:
    """The newest NGC release whose torch and Python fit what is declared."""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet  # noqa: PLC0415 - heavy

    torch = scan.named("torch")
    wanted = torch.specifier if torch else ""
    python = scan.requires_python.specifier if scan.requires_python else ""
    try:
        torch_set, python_set = SpecifierSet(wanted), SpecifierSet(python)
    except InvalidSpecifier as error:
        raise UsageError(
            "no-base", "no base image can be chosen", why=str(error), fix="name one: --base IMAGE"
        ) from error
    for row in reversed(data.ngc_releases()):
        if wanted and not (row.pytorch and torch_set.contains(final(row.pytorch), prereleases=True)):
            continue
        # The tables have 3.8: which patch release it is decides nothing that a repository could mean.
        if python and not (row.python and python_set.contains(f"{row.python}.99", prereleases=True)):
            continue
        return Choice(recognise(row.image), _reasons(scan))
    asked = " and ".join(
        part for part in (f"torch{wanted}" if wanted else "", f"Python {python}" if python else "") if part
    )
    raise UsageError(
        "no-base", f"no NGC release has {asked}", why="; ".join(_reasons(scan)), fix="name a base image: --base IMAGE"
    )


def _reasons(scan: Scan) -> tuple[str, ...]:
    said: list[str] = []
    torch = scan.named("torch")
    if torch is not None and torch.specifier:
        said.append(f"the repository asks for torch {torch.specifier} ({torch.findings[0]})")
    if scan.requires_python is not None:
        place = f" ({scan.requires_python.findings[0]})" if scan.requires_python.findings else ""
        said.append(f"the repository asks for Python {scan.requires_python.specifier}{place}")
    if not said:
        said.append("the repository declares neither torch nor Python versions")
    return ("the newest NGC release that fits", *said)
