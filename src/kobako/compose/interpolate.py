"""``${NAME}`` in the values of a compose file, as Compose substitutes it.

Source: https://docs.docker.com/reference/compose-file/interpolation/ .
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from kobako.errors import UsageError, Where

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OPERATORS = (":-", ":?", ":+", "-", "?", "+")


def interpolate(text: str, env: Mapping[str, str], where: Where | None = None) -> str:
    """The text with its variables replaced; one that is not set counts as empty.

    Knows ``$NAME``, ``${NAME}``, ``$$`` and, nested at will, ``${NAME:-default}``, ``:?``, ``:+`` with and without the
    colon. Raises ``UsageError("invalid-interpolation")``.
    """
    if "$" not in text:
        return text
    done, position = _until(text, 0, env, where, closing=False)
    if position != len(text):
        raise _invalid(text, where, "a closing brace is missing")
    return done


def _until(text: str, position: int, env: Mapping[str, str], where: Where | None, *, closing: bool) -> tuple[str, int]:
    """Substitute from ``position`` to the end, or to the brace that closes the expression around it."""
    parts: list[str] = []
    while position < len(text):
        char = text[position]
        if char == "}" and closing:
            return "".join(parts), position
        if char != "$":
            parts.append(char)
            position += 1
        elif text.startswith("$$", position):
            parts.append("$")
            position += 2
        elif match := _NAME.match(text, position + 1):
            parts.append(env.get(match[0], ""))
            position = match.end()
        elif text.startswith("${", position):
            part, position = _braced(text, position, env, where)
            parts.append(part)
        else:  # Compose v2 takes a lone $ for itself; docker-compose v1 refuses it, and says so
            parts.append("$")
            position += 1
    return "".join(parts), position


def _braced(text: str, start: int, env: Mapping[str, str], where: Where | None) -> tuple[str, int]:
    match = _NAME.match(text, start + 2)
    if match is None:
        raise _invalid(text, where, "no variable's name follows ${")
    name, position = match[0], match.end()
    operator = next((one for one in _OPERATORS if text.startswith(one, position)), "")
    if not operator and not text.startswith("}", position):
        raise _invalid(text, where, f"what follows {name} is not understood")
    argument, position = _until(text, position + len(operator), env, where, closing=True)
    if not text.startswith("}", position):
        raise _invalid(text, where, "a closing brace is missing")
    value = env.get(name)
    present = bool(value) if operator.startswith(":") else value is not None
    kind = operator[-1:]
    if kind == "?" and not present:
        raise UsageError(
            "invalid-interpolation",
            f"the compose file demands the variable {name}",
            why=argument or ("it is not set" if value is None else "it is empty"),
            fix=f"put {name}=... into .env",
            where=where,
        )
    if kind == "-":
        return (value or "") if present else argument, position + 1
    if kind == "+":
        return argument if present else "", position + 1
    return value or "", position + 1


def _invalid(text: str, where: Where | None, why: str) -> UsageError:
    return UsageError(
        "invalid-interpolation",
        f"a variable is not written as Compose wants it: {text[:60]}",
        why=why,
        fix="${NAME} or ${NAME:-default}; a dollar sign is $$",
        where=where,
    )
