"""What a verb gives back, and the problems it met on the way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from kobako.errors import DONE, KobakoError, Where
from kobako.model import NOTHING

Status = Literal["ok", "partial", "failed"]


class Problem(NamedTuple):
    """One thing that is wrong: what, why, what to do, and where (workspace-relative). ``code`` is one of ``CODES``."""

    code: str
    what: str
    why: str = ""
    fix: str = ""
    where: Where | None = None

    @classmethod
    def of(cls, error: KobakoError) -> Problem:
        return cls(error.code, error.what, error.why, error.fix, error.where)


class Result(NamedTuple):
    """A verb's outcome. ``data`` is the verb's part of the machine contract; ``text`` is the answer for a person."""

    command: str
    status: Status = "ok"
    exit_code: int = DONE
    data: Mapping[str, Any] = NOTHING
    problems: tuple[Problem, ...] = ()
    text: str = ""
