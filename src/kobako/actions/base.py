"""``kobako base``: which base image fits, why, and why the others do not; on request it changes a service's FROM."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from kobako import choose, host, scan, sources, transaction
from kobako.actions import days
from kobako.actions.context import Context
from kobako.choose import elsewhere, offers, shown, wording
from kobako.choose.offers import Offer
from kobako.choose.pick import Chosen, pick
from kobako.choose.wants import Asked, Constraint, Wanted
from kobako.data import NgcRelease, own
from kobako.errors import DONE, FAILED, UsageError, Where
from kobako.model.host import Gpu
from kobako.model.result import Problem, Result
from kobako.model.service import Service
from kobako.probe import Machine
from kobako.workspace import read_text, write_text

_TORCH = re.compile(r"(?:^|[\s'\"])torch(?:[=<>~!;\[\s'\"]|$)", re.MULTILINE)
_EXPLAINED = "\n # Why this one"

_SECOND_HAND = "what it holds is known second-hand"


@dataclass(frozen=True)
class BaseRequest:
    """What the user asked for. ``image`` is one that he names himself: it is taken, and judged."""

    asked: Asked
    service: str = ""
    image: str | None = None
    write: bool = False
    verbose: bool = False


class _Question(NamedTuple):
    """What is asked of the tables: the constraints, the images, the machine."""

    wanted: Wanted
    table: tuple[Offer, ...]
    rows: tuple[NgcRelease, ...]
    gpus: tuple[Gpu, ...]


class _Recipe(NamedTuple):
    """A service's Dockerfile, and what it starts from now."""

    service: Service
    file: Path
    shown: str
    text: str
    current: str

    @property
    def stage(self) -> int | str:
        return (self.service.build.target if self.service.build else None) or -1


def base(context: Context, request: BaseRequest) -> Result:
    """Choose. A failed result (exit code 1) when nothing fits and the user names none."""
    if request.write and not request.service:
        raise UsageError("usage", "--write needs a service", fix="kobako base SERVICE --write")
    recipe = _recipe(context, request) if request.service else None
    question = _question(context, request, recipe)
    chosen = pick(question.wanted, question.table)
    if request.image is not None:
        taken: Offer | None = offers.named(request.image, question.rows)
    else:
        taken = chosen.choice.offer if chosen.choice else None
    said = _reasons(question, chosen, taken, request) if taken else ()
    patch = _changed(recipe, taken.reference) if recipe and taken else ""
    if recipe and patch and request.write and taken:
        _write(context, recipe, taken.reference)
    problems = _problems(question, chosen, taken, request)
    problems += _left_out(recipe, question, taken) if recipe and taken and patch else ()
    answer = _data(question, chosen, taken, said)
    answer |= _changes(recipe, question, chosen, patch, written=bool(patch) and request.write)
    text = "\n".join(_text(answer, question, chosen, taken, request))
    if taken is None:
        return Result("base", "failed", FAILED, answer, problems, text)
    return Result("base", "partial" if problems else "ok", DONE, answer, problems, text)


def _question(context: Context, request: BaseRequest, recipe: _Recipe | None) -> _Question:
    rows, problems = own.read(context.env)
    try:
        wanted = choose.asked(request.asked)
    except ValueError as error:
        raise UsageError("usage", str(error), fix="kobako base --help") from error
    gpus = host.gpus(Machine(context.env))
    wanted += choose.machine(gpus, request.asked)
    if recipe is not None:
        wanted += _of_repository(context, recipe.service, request.asked)
    return _Question(wanted + Wanted(problems=problems), offers.ngc(rows), rows, gpus)


def _of_repository(context: Context, service: Service, asked: Asked) -> Wanted:
    """What the service's repository asks for, but where the user says it himself."""
    folder = context.workspace.repository(service.title)
    if not folder.is_dir():
        return Wanted(ignored=(f"there is no folder {service.title}: no repository is asked",))
    said = {kind for kind in ("torch", "cuda", "python") if getattr(asked, kind)}
    age = None if asked.as_of else _age(service, folder)
    found = choose.wanted(scan.scan(folder), age)
    return Wanted(tuple(one for one in found.constraints if one.kind not in said), found.ignored)


def _age(service: Service, folder: Path) -> date | None:
    """The date of the repository's newest commit, where that is longer ago than a year."""
    text = service.hints.source.get(sources.DATE) or sources.facts_of(folder).get(sources.DATE)
    try:
        newest = date.fromisoformat(str(text or ""))
    except ValueError:
        return None
    return newest if days.today() - newest > days.OLD else None


def _recipe(context: Context, request: BaseRequest) -> _Recipe:
    """The Dockerfile. Raises ``UsageError`` for a service that has none: there is no base to choose."""
    from kobako.dockerfile.recipe import base as starts_from  # noqa: PLC0415 - with a service only
    from kobako.dockerfile.recipe import read_recipe  # noqa: PLC0415

    service = context.service(request.service)
    file = service.build.dockerfile if service.build else None
    if service.build is None or file is None:
        where = service.build.where if service.build else service.where
        what = f"{service.title} has no Dockerfile of its own"
        raise UsageError("missing-dockerfile", what, fix="kobako base, without the service", where=where)
    path = Path(file)
    relative = context.workspace.relative(path)
    if not path.is_file():
        what = f"the Dockerfile of {service.title} does not exist: {relative}"
        raise UsageError("missing-dockerfile", what, where=service.build.where)
    text = read_text(path, relative)
    arguments = {name: value for name, value in service.build.args.items() if value is not None}
    current = starts_from(read_recipe(text, relative), arguments, target=service.build.target or -1)
    return _Recipe(service, path, relative, text, current)


def _changed(recipe: _Recipe, image: str) -> str:
    """The difference of the Dockerfile; "" where it starts from the image already."""
    new = _edited(recipe, image)
    lines = difflib.unified_diff(
        recipe.text.splitlines(keepends=True),
        new.splitlines(keepends=True),
        f"a/{recipe.shown}",
        f"b/{recipe.shown}",
    )
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _edited(recipe: _Recipe, image: str) -> str:
    from kobako.dockerfile.edit_base import set_base  # noqa: PLC0415 - with a service only
    from kobako.dockerfile.recipe import base as starts_from  # noqa: PLC0415
    from kobako.dockerfile.recipe import read_recipe  # noqa: PLC0415

    if recipe.current == image:
        return recipe.text
    new = set_base(recipe.text, image, stage=recipe.stage, file=recipe.shown)
    build = recipe.service.build
    arguments = {name: value for name, value in (build.args if build else {}).items() if value is not None}
    if starts_from(read_recipe(new, recipe.shown), arguments, target=recipe.stage) != image:
        raise UsageError(
            "cannot-edit",
            f"the base image of {recipe.service.title} comes from the compose file",
            why="build.args gives the variable in FROM another value",
            fix=f"write {image} there",
            where=build.where if build else None,
        )
    return new


def _write(context: Context, recipe: _Recipe, image: str) -> None:
    """As long as the file is what was shown."""
    with transaction.alone(context.workspace):
        if read_text(recipe.file, recipe.shown) != recipe.text:
            what = f"{recipe.shown} was changed meanwhile and is left as it is"
            raise UsageError("cannot-edit", what, fix="the same command again", where=Where(recipe.shown))
        write_text(recipe.file, _edited(recipe, image), recipe.shown)


def _reasons(question: _Question, chosen: Chosen, taken: Offer, request: BaseRequest) -> tuple[str, ...]:
    if request.image:
        said: tuple[str, ...] = ("named with --image", *wording.named(taken, question.wanted.constraints))
    else:
        said = wording.reasons(chosen)
    if taken.image.confidence in {"secondary", "memory"}:
        said = (*said, f"{_SECOND_HAND}: {taken.image.source}")
    return said


def _short(said: Sequence[str], request: BaseRequest) -> list[str]:
    """Where a row was learned takes several lines, which few want to read."""
    if request.verbose:
        return list(said)
    return [f"{_SECOND_HAND} (-v says from where)" if one.startswith(_SECOND_HAND) else one for one in said]


def _problems(question: _Question, chosen: Chosen, taken: Offer | None, request: BaseRequest) -> tuple[Problem, ...]:
    problems = list(question.wanted.problems)
    if taken is None and chosen.conflict is not None:
        problems.insert(0, wording.refusal(chosen.conflict, chosen.kept, question.table))
    if taken is not None:
        asked = question.wanted.constraints if request.image else _of_machine(chosen.dropped)
        against, unknown = wording.unfit(taken, (one for one in asked if one.kind != "as-of"))
        if chosen.choice and not request.image:
            unknown = list(chosen.choice.unknown)
        if against or unknown:
            what = f"{taken.reference} does not fit" if against else f"whether {taken.reference} fits is not known"
            fix = f"{chosen.choice.offer.reference} does" if request.image and chosen.choice else ""
            problems.append(Problem("unfit-base", what, "; ".join((*against, *unknown)), fix))
    return tuple(problems)


def _left_out(recipe: _Recipe, question: _Question, taken: Offer) -> tuple[Problem, ...]:
    """What the Dockerfile has from its base, and will not have from the new one."""
    if recipe.current == "scratch":
        return ()
    before, after = offers.named(recipe.current, question.rows).image, taken.image
    lines = "\n".join(line for line in recipe.text.splitlines() if not line.lstrip().startswith("#"))
    lacks: list[str] = []
    if before.has_torch and after.has_torch is False and not _TORCH.search(lines):
        lacks.append(f"it brings no PyTorch, and {recipe.shown} does not install it: {before.reference} brings it")
    if after.too_old_for_uv and not before.too_old_for_uv and "uv pip install" in lines:
        lacks.append(f"its Python {after.python} is too old for uv, with which {recipe.shown} installs")
    if before.has_pip and not after.has_pip and "pip install" in lines:
        lacks.append(f"it has no pip, with which {recipe.shown} installs")
    if not lacks:
        return ()
    name = recipe.service.title
    fix = f"have it written for that image: kobako add ./{name} --name {name}-2 --base {after.reference}"
    return (Problem("unfit-base", f"{recipe.shown} was made for another kind of base", "; ".join(lacks), fix),)


def _of_machine(constraints: Sequence[Constraint]) -> list[Constraint]:
    return [one for one in constraints if one.origin == choose.MACHINE]


def _data(question: _Question, chosen: Chosen, taken: Offer | None, said: Sequence[str]) -> dict[str, Any]:
    gpus = question.gpus
    alternatives = elsewhere.alternatives(chosen.kept) if chosen.conflict else ()
    return {
        "choice": shown.row(taken, said) if taken else None,
        "candidates": [shown.candidate(one) for one in chosen.candidates],
        "rejected": [shown.rejected(one) for one in chosen.rejected],
        "constraints": [shown.constraint(one, kept=one in chosen.kept) for one in question.wanted.constraints],
        "ignored": list(question.wanted.ignored),
        "conflict": shown.conflict(chosen),
        "alternatives": [shown.alternative(one) for one in alternatives],
        "judged": shown.judged(taken, question.wanted.constraints) if taken else None,
        "host": {
            "driver": gpus[0].driver if gpus else None,
            "gpus": [{"name": one.name, "compute_capability": one.capability or None} for one in gpus],
        },
    }


def _changes(
    recipe: _Recipe | None, question: _Question, chosen: Chosen, patch: str, *, written: bool
) -> dict[str, Any]:
    """What there is to say of the service."""
    current = offers.named(recipe.current, question.rows) if recipe and recipe.current != "scratch" else None
    return {
        "service": recipe.service.name if recipe else None,
        "file": recipe.shown if recipe else None,
        "current": shown.judged(current, chosen.kept) if current else None,
        "patch": patch,
        "written": written,
    }


def _text(
    answer: dict[str, Any], question: _Question, chosen: Chosen, taken: Offer | None, request: BaseRequest
) -> list[str]:
    lines = shown.told(taken, _short(answer["choice"]["reasons"], request)) if taken else []
    lines += [f"not used: {one}" for one in question.wanted.ignored]
    asked = request.asked
    if not question.gpus and not (asked.driver and (asked.gpus or asked.capabilities)):
        lines.append("this machine shows no NVIDIA GPU, and asks for nothing")
    if not request.image or request.verbose:
        lines += shown.told_rejected(chosen, verbose=request.verbose)
    if not request.service:
        return lines
    if not taken:
        return lines
    if not answer["patch"]:
        return [*lines, f"{answer['file']} starts from it already"]
    current = answer["current"]
    if current and current["fits"] != "yes":
        doubts = "; ".join((*current["against"], *current["unknown"]))
        verb = "does not fit" if current["against"] else "may not fit"
        lines += [f"{answer['file']} starts from {current['image']}, which {verb}: {doubts}"]
    done = (
        f"{answer['file']} was changed:"
        if answer["written"]
        else f"kobako base {request.service} --write would change:"
    )
    told = (
        ["the comment above FROM tells of the image before: it is left as it is"]
        if _EXPLAINED in answer["patch"]
        else []
    )
    return [*lines, done, answer["patch"].rstrip("\n"), *told]
