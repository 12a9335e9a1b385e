"""What decides what ``add`` writes: the scan, the base, the time that versions are resolved for, what can be had."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

from kobako import choose, data, host, pipconfig, plan, process, resolving, scan, sources
from kobako.actions import days
from kobako.actions.context import Context
from kobako.data import own
from kobako.errors import UsageError, Where
from kobako.model.finding import Finding
from kobako.model.image import BaseImage
from kobako.model.requirement import Other, Question, Requirement, Scan
from kobako.model.result import Problem
from kobako.plan import Facts
from kobako.probe import Machine
from kobako.sources import Asked, Fetched, Missing
from kobako.transaction import Transaction


@dataclass(frozen=True)
class Wishes:
    """What the user says about it. ``as_of`` is a date, "today", or "" for the repository's own.

    Without ``ask_index`` it is not found out beforehand whether everything can be had.
    """

    base: str | None = None
    as_of: str = ""
    without: tuple[str, ...] = ()
    ask_index: bool = True


def gather(context: Context, wishes: Wishes, fetched: Fetched, work: Transaction) -> tuple[Facts, tuple[Problem, ...]]:
    """The facts, and what could not be found out. Raises ``UsageError`` for what cannot be had or does not fit."""
    found = _without(scan.scan(fetched.path), wishes.without)
    gpus = host.gpus(Machine(context.env))
    day, why = _day(wishes.as_of, fetched)
    rows, wrong = own.read(context.env)
    time = choose.Time(day, "--as-of") if day and wishes.as_of else day
    base = choose.choose(wishes.base, found, as_of=time, host=gpus, own=rows)
    day, asked = _usable(day, base.value)
    found = replace(found, questions=(*found.questions, *asked))
    facts = Facts(
        fetched.name,
        base,
        found,
        host.read(context.env),
        source=fetched.facts,
        as_of=day,
        as_of_why=why,
        architectures=tuple(sorted({gpu.capability for gpu in gpus if gpu.capability})),
    )
    facts, problems = _had(context, facts, wishes.as_of) if wishes.ask_index else (facts, ())
    return _resolved(context, facts, work), (*wrong, *problems)


def _without(found: Scan, names: Sequence[str]) -> Scan:
    """The scan without the requirements that the user does not want."""
    from packaging.utils import canonicalize_name  # noqa: PLC0415 - heavy

    wanted = {canonicalize_name(name): name for name in names}
    unknown = [name for key, name in wanted.items() if found.named(key) is None]
    if unknown:
        listed = ", ".join(one.name for one in found.requirements) or "none"
        raise UsageError("usage", f"--without {unknown[0]}: it is not required", fix=f"required are: {listed}")
    left = tuple(Other(str(one), plan.WITHOUT, one.findings) for one in found.requirements if one.name in wanted)
    kept = tuple(one for one in found.requirements if one.name not in wanted)
    return replace(found, requirements=kept, others=(*found.others, *left))


def _day(wish: str, fetched: Fetched) -> tuple[dt.date | None, str]:
    """The day whose index is taken, None for today, and why."""
    today = days.today()
    if wish == days.TODAY:
        return None, ""
    if wish:
        return days.parsed(wish, "--as-of"), "as asked for with --as-of"
    known = fetched.facts.get(sources.DATE)
    day = dt.date.fromisoformat(str(known)) if known else today
    if day > today - days.OLD:
        return None, ""
    return day, "the day of the repository's newest commit or file; --as-of today takes the newest"


def _usable(day: dt.date | None, image: BaseImage) -> tuple[dt.date | None, tuple[Question, ...]]:
    """The day, unless the base's Python is younger: nothing was built for it then."""
    row = next((row for row in data.rows("python_releases") if row["python"] == image.python), None)
    if day is None or row is None or dt.date.fromisoformat(row["released"]) <= day:
        return day, ()
    what = (
        f"the index is taken as of today, not as of {day}: Python {image.python} of the base was released on "
        f"{row['released']}, and nothing was built for it before"
    )
    return None, (Question(what),)


def _had(context: Context, facts: Facts, as_of: str) -> tuple[Facts, tuple[Problem, ...]]:
    """The facts without what nobody declared and no index has. Raises for what is declared and cannot be had."""
    family = data.torch_family() if facts.image.has_torch is not False else ()
    wanted = [one for one in plan.to_install(facts) if one.name not in family]
    with context.narrator.step("asking the index for what is required"):
        lacking = sources.missing(wanted, Asked(facts.image.python, facts.as_of), process.run)
    unknown = [one for one in lacking if one.kind == "unknown"]
    late = [one for one in lacking if one.kind == "too-new" and one.requirement.origin == "declared"]
    if as_of:  # what the user says stands, and what came later cannot be had
        late = []
    if late:
        facts = _of_today(facts, late)
    absent = [one for one in lacking if one.kind == "absent" or (one.kind == "too-new" and not late)]
    refused = [one for one in absent if one.requirement.origin in {"declared", "platform"}]
    if refused:
        raise _refusal(refused, facts.name)
    dropped = {one.requirement.name: one for one in absent}
    questions = tuple(_given_up(one) for one in dropped.values())
    kept = tuple(_had_at_all(one) if one.name in dropped else one for one in facts.scan.requirements)
    requirements = tuple(one for one in kept if one is not None)
    scanned = replace(facts.scan, requirements=requirements, questions=(*facts.scan.questions, *questions))
    problems = (_unasked(unknown),) if unknown else ()
    return replace(facts, scan=scanned), problems


def _had_at_all(one: Requirement) -> Requirement | None:
    return replace(one, specifier="") if one.name in data.torch_family() else None


def _given_up(one: Missing) -> Question:
    """Of what was only told: it is left out, but for torch, without which nothing runs."""
    how = "is taken in any version" if one.requirement.name in data.torch_family() else "is left out"
    return Question(f"{one.requirement} {how}: {one.why}", _first(one.requirement))


def _of_today(facts: Facts, late: Sequence[Missing]) -> Facts:
    """Without the day: an index that tells no times of upload, or another one's, is of no use for it."""
    first = late[0]
    what = f"the index is taken as of today, not as of {facts.as_of}: {first.requirement}: {first.why}"
    scanned = replace(facts.scan, questions=(*facts.scan.questions, Question(what, _first(first.requirement))))
    return replace(facts, scan=scanned, as_of=None)


def _refusal(refused: Sequence[Missing], name: str) -> UsageError:
    finding = _first(refused[0].requirement)
    # the place of the first is told apart
    shown = [f"`{refused[0].requirement}`", *(_placed(one, name) for one in refused[1:])]
    without = " ".join(f"--without {one.requirement.name}" for one in refused)
    advice = next((f"; or {one.fix}" for one in refused if one.fix), "")
    return UsageError(
        "unknown-requirement",
        f"{', '.join(shown)} cannot be had",
        why="; ".join(f"{one.requirement.name}: {one.why}" for one in refused),
        fix=f"leave {'it' if len(refused) == 1 else 'them'} out: {without}{advice}",
        where=Where(f"{name}/{finding.file}", finding.line) if finding else None,
    )


def _placed(one: Missing, name: str) -> str:
    finding = _first(one.requirement)
    return f"`{one.requirement}`{f' ({name}/{finding})' if finding else ''}"


def _unasked(unknown: Sequence[Missing]) -> Problem:
    names = ", ".join(one.requirement.name for one in unknown)
    return Problem(
        "index-unreachable",
        f"whether these can be had was not found out: {names}",
        unknown[0].why,
        "check the connection and pip's configuration: pip config list",
    )


def _resolved(context: Context, facts: Facts, work: Transaction) -> Facts:
    """With exact versions, where the base's Python is too old for uv."""
    wanted = plan.to_resolve(facts)
    if not wanted:
        return facts
    pip = pipconfig.read(context.env)
    resolved, why = resolving.resolve(wanted, facts.image, pip, work.stage, as_of=facts.as_of)
    if resolved is None:
        asked = Question(f"versions for Python {facts.image.python} could not be resolved here ({why}): pip decides")
        facts = replace(facts, scan=replace(facts.scan, questions=(*facts.scan.questions, asked)))
    return replace(facts, resolved=resolved)


def _first(one: Requirement) -> Finding | None:
    return one.findings[0] if one.findings else None
