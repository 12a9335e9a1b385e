"""Facts in, files out: the Dockerfile and the service that a careful person would have written.

Pure and deterministic: the same facts give the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable

from kobako.model.requirement import Requirement
from kobako.plan import base, groups, install, service
from kobako.plan.facts import WITHOUT, Facts, Plan
from kobako.plan.text import Step

__all__ = ["WITHOUT", "Facts", "Plan", "plan", "to_install", "to_resolve"]


def plan(facts: Facts) -> Plan:
    """What to write for a repository on a base."""
    steps = "\n".join(step.render() for step in _steps(facts))
    asked = (*facts.scan.questions, *groups.questions(facts, groups.sort(facts)))
    return Plan(steps, service.block(facts), asked)


def to_install(facts: Facts) -> tuple[Requirement, ...]:
    """What the Dockerfile is to install for the repository: all that is required and that the base does not hold."""
    return groups.sort(facts).all


def to_resolve(facts: Facts) -> tuple[Requirement, ...]:
    """What has to be resolved beforehand: nothing where uv runs in the image, else all that pip would resolve."""
    if not facts.image.too_old_for_uv:
        return ()
    sorted_ = groups.sort(facts)
    return (*sorted_.project, *sorted_.runtime, *(Requirement(name) for name in install.TRACKING))


def _steps(facts: Facts) -> Iterable[Step]:
    sorted_ = groups.sort(facts)
    yield base.image(facts)
    yield base.fresh(facts)
    yield from base.workdir(facts)
    yield from base.interpreter(facts)
    yield base.floor(facts)
    yield from base.installer(facts)
    yield install.system(facts, sorted_)
    yield from base.constraint(groups.freed(facts, sorted_))
    yield from install.python(facts, sorted_)
