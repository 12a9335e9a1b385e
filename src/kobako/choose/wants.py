"""What a base image has to satisfy: each constraint with where it is said, and whether it is enforced."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal, NamedTuple

from kobako.choose import gpus, specifier
from kobako.model.finding import Finding
from kobako.model.host import Gpu
from kobako.model.requirement import Bound, Scan
from kobako.model.result import Problem

Kind = Literal["torch", "gpu", "driver", "cuda", "python", "as-of"]

MACHINE = "this machine"


@dataclass(frozen=True)
class Constraint:
    """One thing that is asked for. ``wanted`` is a specifier, a driver's version, a GPU's name or a month (2022-05).

    ``firm`` is false for a wish: it is dropped where no image has it as well. ``origin`` says who asks: a flag, this
    machine, or "" for the repository, whose places are ``findings``. ``capability`` and ``datacenter`` are a GPU's; a
    driver's ``datacenter`` says whether all GPUs that it is asked for are of that kind. ``patch`` is true for the exact
    words of a repository whose minor version is asked for beside it (see ``_by_minor_version``).
    """

    kind: Kind
    wanted: str
    firm: bool = True
    findings: tuple[Finding, ...] = ()
    origin: str = ""
    capability: str = ""
    datacenter: bool = False
    patch: bool = False

    @property
    def place(self) -> str:
        """Where it is said, for a person."""
        return self.origin or (str(self.findings[0]) if self.findings else "")

    def __str__(self) -> str:
        """The constraint as a person says it: ``torch ==1.11.*``."""
        if self.kind == "gpu":
            if not self.capability or self.wanted == self.capability:
                return f"compute capability {self.wanted}"
            return f"{self.wanted} ({self.capability})"
        names = {"torch": "torch", "cuda": "CUDA", "python": "Python", "driver": "driver"}
        return f"{names[self.kind]} {self.wanted}" if self.kind in names else f"made by {self.wanted}"


@dataclass(frozen=True)
class Wanted:
    """All constraints; ``ignored`` are those that could not be used, ``problems`` what a person should know of."""

    constraints: tuple[Constraint, ...] = ()
    ignored: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()

    def __add__(self, other: Wanted) -> Wanted:
        return Wanted(
            (*self.constraints, *other.constraints),
            (*self.ignored, *other.ignored),
            (*self.problems, *other.problems),
        )


@dataclass(frozen=True)
class Asked:
    """What the user says himself, as typed: a bare version is a prefix."""

    torch: str = ""
    cuda: str = ""
    python: str = ""
    driver: str = ""
    gpus: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()
    as_of: date | None = None


def asked(said: Asked) -> Wanted:
    """The flags as constraints, firm but for the time. Raises ``ValueError`` for what is not understood."""
    versions: tuple[tuple[Kind, str], ...] = (("torch", said.torch), ("cuda", said.cuda), ("python", said.python))
    found = [
        Constraint(kind, specifier.understood(text, f"--{kind}"), origin=f"--{kind}") for kind, text in versions if text
    ]
    cards, problems = _cards(said.gpus)
    for text in said.capabilities:
        cards.append(_by_capability(gpus.capability(text)))
    for card in cards:
        if not gpus.is_known_capability(card.capability):
            problems.append(_new_capability(card.capability))
    found += [card for card in cards if gpus.is_known_capability(card.capability)]
    if said.driver:
        found.append(_driver(specifier.driver(said.driver), "--driver", cards, firm=True))
    if said.as_of is not None:
        found.append(_time(said.as_of, "--as-of"))
    return Wanted(tuple(found), problems=tuple(problems))


def _cards(names: Iterable[str]) -> tuple[list[Constraint], list[Problem]]:
    cards: list[Constraint] = []
    problems: list[Problem] = []
    for name in names:
        model, close = gpus.recognise(name)
        if model is None:
            problems.append(_unknown_gpu(name, close))
            continue
        cards.append(
            Constraint(
                "gpu", model.name, origin="--gpu", capability=model.capability, datacenter=model.kind == "datacenter"
            )
        )
    return cards, problems


def _by_capability(capability: str) -> Constraint:
    return Constraint(
        "gpu",
        capability,
        origin="--compute-capability",
        capability=capability,
        datacenter=gpus.is_datacenter(capability),
    )


def _driver(version: str, origin: str, cards: Sequence[Constraint], *, firm: bool) -> Constraint:
    datacenter = bool(cards) and all(card.datacenter for card in cards)
    return Constraint("driver", version, firm=firm, origin=origin, datacenter=datacenter)


def _unknown_gpu(name: str, close: Sequence[str]) -> Problem:
    fix = f"did you mean {' or '.join(close)}? " if close else ""
    return Problem(
        "unknown-gpu",
        f"which GPU {name!r} is, is not known",
        "several GPUs are called so" if len(close) > 1 and gpus.is_ambiguous(name) else "the table of GPUs has none",
        f"{fix}say what it is: --compute-capability X.Y (nvidia-smi --query-gpu=compute_cap --format=csv)",
    )


def _new_capability(capability: str) -> Problem:
    return Problem(
        "unknown-gpu",
        f"compute capability {capability} is newer than what the tables know",
        "which images are made for it is not known; the newest is the likeliest",
    )


def machine(found: Sequence[Gpu], replaced: Asked) -> Wanted:
    """What the machine's GPUs and driver ask for, as wishes; but what the user says himself goes before."""
    cards = list(dict.fromkeys(_of_machine(gpu) for gpu in found))
    problems: list[Problem] = []
    if replaced.gpus or replaced.capabilities:
        cards = list(asked(Asked(gpus=replaced.gpus, capabilities=replaced.capabilities)).constraints)
    else:
        problems = [_not_told(card) for card in cards if not gpus.is_known_capability(card.capability)]
    known = [card for card in cards if card.origin == MACHINE and gpus.is_known_capability(card.capability)]
    if found and not replaced.driver:
        known.append(_driver(found[0].driver, MACHINE, cards, firm=False))
    return Wanted(tuple(known), problems=tuple(problems))


def _not_told(card: Constraint) -> Problem:
    if card.capability:
        return _new_capability(card.capability)
    return _unknown_gpu(card.wanted, ())


def _of_machine(gpu: Gpu) -> Constraint:
    model, _ = gpus.recognise(gpu.name)
    capability = gpu.capability or (model.capability if model else "")
    kind = model.kind == "datacenter" if model else False
    return Constraint("gpu", gpu.name, firm=False, origin=MACHINE, capability=capability, datacenter=kind)


class Time(NamedTuple):
    """The day that images are to be of, and who says so."""

    day: date
    origin: str = "the age of the repository"


def wanted(scan: Scan, as_of: date | Time | None = None) -> Wanted:
    """What a repository asks for. What only was told is a wish, and so is the time that it is from."""
    found: list[Constraint] = []
    ignored: list[str] = []
    for kind, bounds in _bounds(scan):
        for bound in bounds:
            try:
                asks = Constraint(kind, specifier.checked(bound.specifier), bound.firm, bound.findings)
            except ValueError as error:
                place = f" ({bound.findings[0]})" if bound.findings else ""
                ignored.append(f"`{bound.specifier}`{place} is not understood: {error}")
            else:
                found += _by_minor_version(asks)
    if as_of is not None:
        found.append(_time(*(as_of if isinstance(as_of, Time) else Time(as_of))))
    return Wanted(tuple(dict.fromkeys(one for one in found if one.wanted)), tuple(ignored))


def _by_minor_version(asks: Constraint) -> tuple[Constraint, ...]:
    """What is enforced of torch: its minor version; the patch release is a wish.

    NGC's images hold builds from between releases, which are numbered X.Y.0: a repository that pins 2.1.2 is served by
    one of 2.1, and by nothing that is nearer.
    """
    wide = specifier.by_minor_version(asks.wanted) if asks.kind == "torch" and asks.firm else asks.wanted
    if wide == asks.wanted:
        return (asks,)
    return replace(asks, wanted=wide), replace(asks, firm=False, patch=True)


def _time(day: date, origin: str) -> Constraint:
    return Constraint("as-of", f"{day:%Y-%m}", firm=False, origin=origin)


def _bounds(scan: Scan) -> Iterable[tuple[Kind, tuple[Bound, ...]]]:
    torch = scan.named("torch")
    if torch is not None and torch.specifier and not torch.optional:
        yield "torch", (Bound(torch.specifier, torch.findings, torch.origin in {"declared", "platform"}),)
    kinds: tuple[Kind, ...] = ("torch", "cuda", "python")
    for kind in kinds:
        whole: Bound | None = getattr(scan, kind)
        yield kind, scan.bounds.get(kind) or ((whole,) if whole else ())
