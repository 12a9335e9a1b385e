"""What a plan is made from, and what it is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from kobako.model.choice import Choice
from kobako.model.host import HostFacts
from kobako.model.image import BaseImage
from kobako.model.requirement import Question, Requirement, Scan
from kobako.model.resolved import Resolved

WITHOUT = "left out with --without"
"""Why a requirement stands among what is not proposed."""


@dataclass(frozen=True)
class Facts:
    """Everything that decides what is written. ``resolved`` is needed for a base that uv cannot run on.

    Versions are resolved as the index stood on ``as_of``, and ``as_of_why`` says why on that day. ``architectures`` are
    the compute capabilities ("8.6") of the GPUs that CUDA code is compiled for.
    """

    name: str
    base: Choice[BaseImage]
    scan: Scan
    host: HostFacts = field(default_factory=HostFacts)
    resolved: Resolved | None = None
    source: Mapping[str, str | bool] = field(default_factory=dict)
    as_of: dt.date | None = None
    as_of_why: str = "as asked for"
    architectures: tuple[str, ...] = ()

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
    torch while they are built; ``optional`` are left out.
    """

    kept: tuple[Requirement, ...] = ()
    torch: tuple[Requirement, ...] = ()
    project: tuple[Requirement, ...] = ()
    runtime: tuple[Requirement, ...] = ()
    compiled: tuple[Requirement, ...] = ()
    optional: tuple[Requirement, ...] = ()
    torch_added: bool = False

    @property
    def all(self) -> tuple[Requirement, ...]:
        return (*self.torch, *self.project, *self.runtime, *self.compiled)
