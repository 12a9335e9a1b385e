"""Single characters of a regular expression, and places between them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

Test = Callable[[str], bool]
Place = Callable[[str, int], bool]


class Refused(Exception):  # noqa: N818 - a limit, not a fault
    """A pattern that is not understood, or a match that takes too long; what finding that out has cost."""

    def __init__(self, why: str, steps: int = 100) -> None:
        super().__init__(why)
        self.steps = steps


class Signs:
    """Tests of characters under a pattern's flags."""

    def __init__(self, flags: int) -> None:
        self.flags = flags

    def test(self, name: str, value: Any) -> Test:
        if name == "ANY":
            return (lambda _: True) if self.flags & re.DOTALL else (lambda sign: sign != "\n")
        items = value if name == "IN" else [("NEGATE", None)] if name == "NOT_LITERAL" else []
        items = items if name == "IN" else [*items, ("LITERAL", value)]
        negated = bool(items) and str(items[0][0]) == "NEGATE"
        tests = [self.item(str(operation), item) for operation, item in items[negated:]]
        ignores_case = bool(self.flags & re.IGNORECASE)
        known: dict[str, bool] = {}

        def test(sign: str) -> bool:
            found = known.get(sign)
            if found is None:
                signs = (sign, sign.lower(), sign.upper()) if ignores_case else (sign,)
                found = known[sign] = any(one(each) for one in tests for each in signs) is not negated
            return found

        return test

    def item(self, name: str, item: Any) -> Test:
        if name == "LITERAL":
            return lambda sign: sign == chr(item)
        if name == "RANGE":
            low, high = item
            return lambda sign: len(sign) == 1 and low <= ord(sign) <= high
        if name == "CATEGORY":
            return self.category(str(item))
        raise Refused(name)

    def category(self, name: str) -> Test:
        test = _CATEGORIES.get(name.rsplit("_", 1)[-1])
        if test is None:
            raise Refused(name)
        only_ascii = bool(self.flags & re.ASCII)
        holds = (lambda sign: sign.isascii() and test(sign)) if only_ascii else test
        return (lambda sign: not holds(sign)) if "_NOT_" in name else holds

    def place(self, name: str) -> Place:
        lines = bool(self.flags & re.MULTILINE)
        word = self.category("CATEGORY_WORD")

        def boundary(text: str, at: int) -> bool:
            return (at > 0 and word(text[at - 1])) is not (at < len(text) and word(text[at]))

        places: dict[str, Place] = {
            "AT_BEGINNING": lambda text, at: at == 0 or (lines and text[at - 1] == "\n"),
            "AT_BEGINNING_STRING": lambda _, at: at == 0,
            "AT_END": lambda text, at: at == len(text) or (text[at] == "\n" and (lines or at == len(text) - 1)),
            "AT_END_STRING": lambda text, at: at == len(text),
            "AT_BOUNDARY": boundary,
            "AT_NON_BOUNDARY": lambda text, at: not boundary(text, at),
        }
        if name not in places:
            raise Refused(name)
        return places[name]


_CATEGORIES: dict[str, Test] = {
    "DIGIT": str.isdecimal,
    "SPACE": str.isspace,
    "WORD": lambda sign: sign.isalnum() or sign == "_",
}
