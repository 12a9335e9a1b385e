"""The steps that install: system packages, and Python packages group by group."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kobako import compiled, data
from kobako import floor as floors
from kobako.data import tables
from kobako.model.requirement import Requirement
from kobako.plan.base import APT_INSTALL, FLOOR
from kobako.plan.facts import WITHOUT, Facts, Groups
from kobako.plan.text import Step, listed, origins, quoted, sentence

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
        for package in packages:
            needed.setdefault(package, f"{one.name} needs them ({why})")
    for found in facts.scan.system:
        place = f" ({found.findings[0]})" if found.findings else ""
        needed.setdefault(found.name, f"{found.why}{place}")
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
    yield from _torch(groups, facts)
    if groups.compiled:
        yield keeping(compiled.UV)
    family = [one for one in groups.compiled if one.role == "project"]
    others = [one for one in groups.compiled if one.role != "project"]
    if groups.project:
        told = ("Packages of the project's own family", *origins(groups.project))
        yield Step(told, uv(groups.project, facts))
    yield from _compiled(family, facts)
    yield from _runtime(groups, facts)
    yield from _compiled(others, facts)
    yield from _own(groups, facts)
    yield _tracking()


def _tracking() -> Step:
    """The newest tracking packages that leave everything above as it is: they are guests in the environment."""
    told = (
        f"Tracking: {sentence(TRACKING)}",
        "(clearml-agent does not bring clearml)",
        "They fit themselves to what is there by now, and move nothing of it",
    )
    head = (
        CACHE,
        f"    {floors.LISTING}",
        f"&&  uv pip install --constraint {floors.CONSTRAINT} --constraint {floors.HELD}",
    )
    return Step(told, listed(head, TRACKING))


def uv(requirements: Sequence[Requirement], facts: Facts) -> tuple[str, ...]:
    """One ``uv pip install`` with the download cache."""
    return uv_names([written(one) for one in requirements], facts)


def uv_names(names: Sequence[str], facts: Facts) -> tuple[str, ...]:
    """The same, for requirements as they are written."""
    return listed((CACHE, f"    uv pip install{dated(facts)}"), quoted(names))


def dated(facts: Facts) -> str:
    """The option that resolves as the index stood on a day."""
    return f" --exclude-newer {facts.as_of}" if facts.as_of else ""


def written(one: Requirement) -> str:
    """A requirement as it stands in the Dockerfile. A plain URL needs no name, which might be wrong."""
    if one.url and not one.extras and not one.marker:
        return one.url
    return str(one)


def _torch(groups: Groups, facts: Facts) -> Iterable[Step]:
    if not groups.torch:
        return
    holds = "may hold no PyTorch" if facts.image.has_torch is None else "has no PyTorch"
    told = [f"The base {holds}", *origins(groups.torch)]
    if facts.image.has_torch is None:
        told.append("(where it does, the floor keeps it and nothing is installed here)")
    if groups.torch_added:
        names = sentence([one.name for one in groups.compiled])
        told.append(f"torch is declared nowhere, but {names} is compiled against it")
    yield Step(tuple(told), uv(groups.torch, facts))


def _runtime(groups: Groups, facts: Facts) -> Iterable[Step]:
    told = ["What the repository requires", *origins(groups.runtime)]
    if groups.kept:
        names = sentence(list(dict.fromkeys(one.name for one in groups.kept)))
        told.append(f"(not repeated: {names}, which the base image holds)")
    if groups.optional:
        told.append(f"(left out, since the code does without: {sentence([one.name for one in groups.optional])})")
    without = [one.what for one in facts.scan.others if one.why == WITHOUT]
    if without:
        told.append(f"({WITHOUT}: {sentence(without)})")
    if groups.runtime:
        yield Step(tuple(told), uv(groups.runtime, facts))


def _compiled(requirements: Sequence[Requirement], facts: Facts) -> Iterable[Step]:
    """Packages that import torch while they are built: no isolation, and a folder of wheels for this very step."""
    needs = [data.build_needs()[one.name] for one in requirements]
    if not needs:
        return
    tools = _merged(sorted({tool for need in needs for tool in need.requires}))
    yield Step((f"To build {sentence([one.name for one in requirements])} (see below)",), uv_names(tools, facts))
    for one, need in zip(requirements, needs, strict=True):
        settings, told = environment(need.environment, facts)
        why = (*(origins((one,)) or [one.name]), f"{need.reason}: without isolation", *told)
        command = f"uv pip install --no-build-isolation{dated(facts)}"
        yield Step(why, kept(settings, command, quoted([written(one)])))


def keeping(script: Sequence[str]) -> Step:
    """The script that keeps what is compiled."""
    why = (
        f"{compiled.NAME} INSTALL: what is compiled is kept for the next build of the image, in a cache mount,",
        "in a folder for the same PyTorch, CUDA, NumPy, settings, words and distribution alone",
    )
    return Step(why, compiled.writing(script))


def kept(settings: str, command: str, words: Sequence[str]) -> tuple[str, ...]:
    """An install whose compiled wheels are kept."""
    return listed(
        (f"RUN {compiled.MOUNT}", *([f"    {settings}"] if settings else []), f"    {compiled.PROGRAM} {command}"),
        words,
    )


_COMPILING = frozenset(
    {"cmake", "cython", "nanobind", "ninja", "numpy", "pybind11", "scikit-build", "scikit-build-core"}
)
"""What compiles code, of all that a repository may want while it is built: the rest is for packaging it."""


def _own(groups: Groups, facts: Facts) -> Iterable[Step]:
    """What the repository's own extensions are compiled with. It is mounted, and so they are built in the container."""
    installed = {one.name for one in groups.all}
    tools = [one for one in facts.scan.build if one.name in _COMPILING and one.name not in installed]
    if tools:
        told = ("To compile the repository's own code, once the container runs", *origins(tools))
        yield Step(told, uv(tools, facts))


def _merged(tools: Sequence[str]) -> list[str]:
    """One entry per name, the one with a bound."""
    chosen: dict[str, str] = {}
    for tool in sorted(tools, key=len):
        chosen[tool.partition("<")[0]] = tool
    return sorted(chosen.values())


def environment(settings: str, facts: Facts) -> tuple[str, tuple[str, ...]]:
    """The settings for a build, and what is to be said about them. CUDA code is compiled where there is CUDA."""
    if facts.image.family in {"python", "distribution"}:
        return settings.replace("FORCE_CUDA=1", "FORCE_CUDA=0"), ()
    if not facts.architectures:
        why = 'for other GPUs than the image is made for: TORCH_CUDA_ARCH_LIST="8.6" before it'
        return settings, (why,)
    named = ";".join(_architectures(facts.architectures, facts.image.cuda))
    return f'TORCH_CUDA_ARCH_LIST="{named}" {settings}'.strip(), (f"for the GPUs at hand: {named}",)


def _architectures(capabilities: Sequence[str], cuda: str) -> list[str]:
    """What CUDA code is compiled for. A GPU that the image's compiler does not know yet gets code to translate.

    Source: the CUDA programming guide on PTX, and torch.utils.cpp_extension on TORCH_CUDA_ARCH_LIST ("8.6+PTX").
    """
    toolkit = tables.cuda_toolkit(cuda) if cuda else None
    newest = tables.numbers(toolkit.capability_max) if toolkit and toolkit.capability_max else None
    known = [one for one in capabilities if newest is None or tables.numbers(one) <= newest]
    if len(known) < len(capabilities) and toolkit is not None:
        known = [*(one for one in known if one != toolkit.capability_max), f"{toolkit.capability_max}+PTX"]
    return known


FLOOR_CONSTRAINT = f"--constraint {FLOOR}/floor.txt"
