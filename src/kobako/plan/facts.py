"""What a plan is made from, and what it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from kobako.model.choice import Choice
from kobako.model.host import HostFacts
from kobako.model.image import BaseImage
from kobako.model.requirement import Question, Requirement, Scan
from kobako.model.resolved import Resolved


@dataclass(frozen=True)
class Facts:
    """Everything that decides what is written. ``resolved`` is needed for a base that uv cannot run on."""

    name: str
    base: Choice[BaseImage]
    scan: Scan
    host: HostFacts = field(default_factory=HostFacts)
    resolved: Resolved | None = None
    source: Mapping[str, str | bool] = field(default_factory=dict)

    @property
    def image(self) -> BaseImage:
        return self.base.value


@dataclass(frozen=True)
class Plan:
    """``dockerfile`` is the whole file; ``service`` the body of the service, not indented."""

    dockerfile: str
    service: str
    questions: tuple[Question, ...] = ()


@dataclass(frozen=True)
class Groups:
    """The requirements in the order in which they are installed.

    ``kept`` come with the base; ``torch`` is installed because the base has none (or may have none); ``compiled`` need
    torch while they are built.
    """

    kept: tuple[Requirement, ...] = ()
    torch: tuple[Requirement, ...] = ()
    project: tuple[Requirement, ...] = ()
    runtime: tuple[Requirement, ...] = ()
    compiled: tuple[Requirement, ...] = ()
    torch_added: bool = False

    @property
    def all(self) -> tuple[Requirement, ...]:
        return (*self.torch, *self.project, *self.runtime, *self.compiled)
