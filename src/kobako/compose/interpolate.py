"""``${NAME}`` in the values of a compose file, as Compose substitutes it.

Source: https://docs.docker.com/reference/compose-file/interpolation/ .
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from kobako.errors import UsageError, Where

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OPERATORS = (":-", ":?", ":+", "-", "?", "+")

_DEEPEST = 100
"""Variables inside of each other's defaults; a text with more is not one that a person wrote."""


def interpolate(text: str, env: Mapping[str, str], where: Where | None = None) -> str:
    """The text with its variables replaced; one that is not set counts as empty.

    Knows ``$NAME``, ``${NAME}``, ``$$`` and, nested at will, ``${NAME:-default}``, ``:?``, ``:+`` with and without the
    colon. Raises ``UsageError("invalid-interpolation")``.
    """
    if "$" not in text:
        return text
    return _Text(text, env, where).value()


class _Text:
    """One value while its variables are replaced."""

    def __init__(self, text: str, env: Mapping[str, str], where: Where | None) -> None:
        self._text = text
        self._env = env
        self._where = where
        self._depth = 0

    def value(self) -> str:
        return self._until(0, closing=False)[0]

    def _until(self, position: int, *, closing: bool) -> tuple[str, int]:
        """Substitute from ``position`` to the end, or to the brace that closes the expression around it."""
        text = self._text
        parts: list[str] = []
        while position < len(text) and not (closing and text[position] == "}"):
            if text[position] != "$":
                parts.append(text[position])
                position += 1
            elif text.startswith("$$", position):
                parts.append("$")
                position += 2
            elif match := _NAME.match(text, position + 1):
                parts.append(self._env.get(match[0], ""))
                position = match.end()
            elif text.startswith("${", position):
                part, position = self._braced(position)
                parts.append(part)
            else:  # Compose v2 takes a lone $ for itself; docker-compose v1 refuses it, and says so
                parts.append("$")
                position += 1
        return "".join(parts), position

    def _braced(self, start: int) -> tuple[str, int]:
        match = _NAME.match(self._text, start + 2)
        if match is None:
            raise self._invalid("no variable's name follows ${")
        name, position = match[0], match.end()
        operator = next((one for one in _OPERATORS if self._text.startswith(one, position)), "")
        if not operator and not self._text.startswith("}", position):
            raise self._invalid(f"what follows {name} is not understood")
        if self._depth == _DEEPEST:
            raise self._invalid(f"more than {_DEEPEST} variables stand inside of each other")
        self._depth += 1
        argument, position = self._until(position + len(operator), closing=True)
        self._depth -= 1
        if not self._text.startswith("}", position):
            raise self._invalid("a closing brace is missing")
        return self._chosen(name, operator, argument), position + 1

    def _chosen(self, name: str, operator: str, argument: str) -> str:
        value = self._env.get(name)
        present = bool(value) if operator.startswith(":") else value is not None
        kind = operator[-1:]
        if kind == "?" and not present:
            raise UsageError(
                "invalid-interpolation",
                f"the compose file demands the variable {name}",
                why=argument or ("it is not set" if value is None else "it is empty"),
                fix=f"put {name}=... into .env",
                where=self._where,
            )
        if kind == "+":
            return argument if present else ""
        return argument if kind == "-" and not present else value or ""

    def _invalid(self, why: str) -> UsageError:
        return UsageError(
            "invalid-interpolation",
            f"a variable is not written as Compose wants it: {self._text[:60]}",
            why=why,
            fix="${NAME} or ${NAME:-default}; a dollar sign is $$",
            where=self._where,
        )
