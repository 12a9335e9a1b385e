"""The machine contract: one JSON object per command. Its schema is published in ``kobako/data/schemas``."""

from __future__ import annotations

import json
from typing import Any

from kobako.masking import mask
from kobako.model.result import Problem, Result

SCHEMA = "kobako/1"


def envelope(result: Result) -> str:
    """The result as one line of JSON with sorted keys."""
    content = {
        "schema": SCHEMA,
        "command": result.command,
        "status": result.status,
        "exit_code": result.exit_code,
        "data": dict(result.data),
        "problems": [_problem(problem) for problem in result.problems],
    }
    return json.dumps(content, sort_keys=True, ensure_ascii=False)


def _problem(problem: Problem) -> dict[str, Any]:
    where = None if problem.where is None else {"file": problem.where.file, "line": problem.where.line}
    told = {"what": mask(problem.what), "why": mask(problem.why), "fix": mask(problem.fix)}
    return {"code": problem.code, **told, "where": where}
