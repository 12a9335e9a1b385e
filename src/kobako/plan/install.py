"""The steps that install: system packages, and Python packages group by group."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kobako import data
from kobako.model.image import BaseImage
from kobako.model.requirement import Requirement
from kobako.plan.base import APT_INSTALL, FLOOR
from kobako.plan.facts import Facts, Groups
from kobako.plan.groups import files
from kobako.plan.text import Step, listed, quoted, sentence

TRACKING = ("clearml", "clearml-agent", "boto3")
CACHE = "RUN --mount=type=cache,target=/root/.cache/uv"


def system(facts: Facts, groups: Groups) -> Step:
    """Debian packages and the time zone."""
    needed = _system_packages(facts, groups)
    zone = facts.host.timezone or "Etc/UTC"
    told = [f"{sentence(names)}: {why}" for why, names in _by_reason(needed).items()]
    if facts.host.timezone:
        told.append(f"The time zone is set to {zone}, as on the host: logs are easier to read")
    else:
        told.append("The host's time zone is not known: UTC")
    tail = (f"ln -sf /usr/share/zoneinfo/{zone} /etc/localtime", "apt-get clean", "rm -rf /var/lib/apt/lists/*")
    return Step(tuple(told), (*listed((APT_INSTALL,), sorted({*needed, "tzdata"}), tail), "", f"ENV TZ={zone}"))


def _system_packages(facts: Facts, groups: Groups) -> dict[str, str]:
    needed: dict[str, str] = {}
    for one in groups.all:
        packages, why = data.system_needs().get(one.name, ((), ""))
        needed.update({package: f"{one.name} needs them ({why})" for package in packages if package not in needed})
    fetched = [one.name for one in groups.all if one.url and one.url.startswith("git+")]
    if fetched:
        needed.update(dict.fromkeys(("ca-certificates", "git"), f"to fetch {sentence(fetched)}"))
    if groups.compiled and facts.image.family in {"python", "cuda", "distribution"}:
        needed["build-essential"] = f"{sentence([one.name for one in groups.compiled])} is compiled"
    return needed


def _by_reason(needed: dict[str, str]) -> dict[str, list[str]]:
    reasons: dict[str, list[str]] = {}
    for package, why in sorted(needed.items()):
        reasons.setdefault(why, []).append(package)
    return reasons


def python(facts: Facts, groups: Groups) -> Iterable[Step]:
    """All Python packages, in the mission's order: the project's, the repository's, then tracking."""
    if facts.image.too_old_for_uv:
        from kobako.plan import old  # noqa: PLC0415 - for old interpreters only

        yield from old.python(facts, groups)
        return
    yield from _torch(groups, facts.image)
    family = [one for one in groups.compiled if one.role == "project"]
    others = [one for one in groups.compiled if one.role != "project"]
    if groups.project:
        yield Step((_title("Packages of the project's own family", groups.project),), uv(groups.project))
    yield from _compiled(family, facts.image)
    yield from _runtime(groups)
    yield from _compiled(others, facts.image)
    yield Step((f"Tracking: {sentence(TRACKING)}", "(clearml-agent does not bring clearml)"), uv_names(TRACKING))


def uv(requirements: Sequence[Requirement]) -> tuple[str, ...]:
    """One ``uv pip install`` with the download cache."""
    return uv_names([written(one) for one in requirements])


def uv_names(names: Sequence[str]) -> tuple[str, ...]:
    return listed((CACHE, "    uv pip install"), quoted(names))


def written(one: Requirement) -> str:
    """A requirement as it stands in the Dockerfile. A plain URL needs no name, which might be wrong."""
    if one.url and not one.extras and not one.marker:
        return one.url
    return str(one)


def _title(what: str, requirements: Sequence[Requirement]) -> str:
    named = files(requirements)
    return f"{what}: {sentence(named)}" if named else what


def _torch(groups: Groups, image: BaseImage) -> Iterable[Step]:
    if not groups.torch:
        return
    holds = "may hold no PyTorch" if image.has_torch is None else "has no PyTorch"
    told = [_title(f"The base {holds}", groups.torch)]
    if image.has_torch is None:
        told.append("(where it does, the floor keeps it and nothing is installed here)")
    if groups.torch_added:
        names = sentence([one.name for one in groups.compiled])
        told.append(f"torch is declared nowhere, but {names} is compiled against it")
    yield Step(tuple(told), uv(groups.torch))


def _runtime(groups: Groups) -> Iterable[Step]:
    told = []
    if groups.kept:
        names = sentence([one.name for one in groups.kept])
        told.append(f"(not repeated: {names}, which the base image holds)")
    if groups.runtime:
        yield Step((_title("What the repository requires", groups.runtime), *told), uv(groups.runtime))


def _compiled(requirements: Sequence[Requirement], image: BaseImage) -> Iterable[Step]:
    """Packages that import torch while they are built: no isolation, and never from the cache.

    uv's cache knows a built wheel by its version alone. After a change of FROM it would hand out one that was built
    for another PyTorch.
    """
    needs = [data.build_needs()[one.name] for one in requirements]
    if not needs:
        return
    tools = sorted({tool for need in needs for tool in need.requires})
    yield Step((f"To build {sentence([one.name for one in requirements])} (see below)",), uv_names(_merged(tools)))
    for one, need in zip(requirements, needs, strict=True):
        settings = environment(need.environment, image)
        head = f"RUN {settings}{' ' if settings else ''}uv pip install --no-cache --no-build-isolation"
        yield Step(
            (
                _title(one.name, (one,)),
                f"{need.reason}: without isolation,",
                "and never from the cache, where one may lie that was built for another PyTorch",
            ),
            listed((head,), quoted([written(one)])),
        )


def _merged(tools: Sequence[str]) -> list[str]:
    """One entry per name, the one with a bound."""
    chosen: dict[str, str] = {}
    for tool in sorted(tools, key=len):
        chosen[tool.partition("<")[0]] = tool
    return sorted(chosen.values())


def environment(settings: str, image: BaseImage) -> str:
    """The settings for a build. CUDA code cannot be compiled where there is no CUDA."""
    if image.family not in {"python", "distribution"}:
        return settings
    return settings.replace("FORCE_CUDA=1", "FORCE_CUDA=0")


FLOOR_CONSTRAINT = f"--constraint {FLOOR}/floor.txt"
