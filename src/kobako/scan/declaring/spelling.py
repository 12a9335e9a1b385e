"""How names and specifiers are spelled: the standard's forms, and what only older tools or people understand. Pure."""

from __future__ import annotations

import re

LONGEST = 2000
"""Characters of one requirement. What is longer was not written for an installer."""

_RANK = {">=": 0, ">": 0, "~=": 1, "==": 2, "===": 2, "!=": 3, "<": 4, "<=": 4}
_CLAUSE = re.compile(r"\s*(===|[=!~><]=|=>|=<|=|<|>)\s*([^\s,;()=<>!~]+)\s*,?")
_NAMED = re.compile(
    r"(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?P<extras>\[[A-Za-z0-9._,\s-]*\])?\s*"
    r"\(?(?P<specifier>(?:[=!~><][^();#@]*)?)\)?"
)
_BARE_VERSION = re.compile(r"(python_(?:full_)?version\s*(?:[=!~><]=?|==)\s*)(\d[\d.]*\*?)")
_TURNED = {"=>": ">=", "=<": "<="}


def normalised(name: str) -> str:
    """PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()


def ordered(specifier: str) -> str:
    """A specifier in a stable order that reads well: lower bounds first."""
    parts = [part.strip() for part in specifier.split(",") if part.strip()]
    return ",".join(sorted(parts, key=lambda part: (_rank(part), part)))


def _rank(part: str) -> int:
    """By the operator: `===` may be followed by anything, another one included."""
    operator = re.match(r"===|==|~=|!=|>=|<=|>|<", part)
    return _RANK[operator[0]] if operator else len(_RANK)


def specifier_of(text: str) -> str | None:
    """The PEP 440 form of a specifier; None where it is not understood, also a bare version.

    Older tools took ``>=1.0.*``, ``==1.x``, ``>=1.0<2``, ``=>1.0`` and ``3.7+``, and people still write them.
    """
    from packaging.specifiers import InvalidSpecifier, SpecifierSet  # noqa: PLC0415 - heavy

    text = text[:LONGEST].strip().strip("\"'").strip()
    if text.startswith("(") and text.endswith(")"):
        text = text[1:-1]
    try:
        return ordered(str(SpecifierSet(text)))
    except InvalidSpecifier:
        pass
    clauses = _clauses(re.sub(r"^(\d+(?:\.\d+)*)\s*\+$", r">=\1", text))
    try:
        return None if clauses is None else ordered(str(SpecifierSet(",".join(filter(None, clauses)))))
    except InvalidSpecifier:
        return None


def mended(text: str) -> str:
    """A requirement that the standard does not know, in the standard's form; "" where that is not certain."""
    head, semicolon, marker = text.strip().strip(",\"'").rstrip(" ;,").partition(";")
    match = _NAMED.fullmatch(head.strip().rstrip("\"',").strip())
    if not match:
        return ""
    specifier = specifier_of(match["specifier"])
    if specifier is None:
        return ""
    marker = _BARE_VERSION.sub(r'\1"\2"', marker.strip().rstrip("\"',"))
    return f"{match['name']}{match['extras'] or ''}{specifier}" + (f" ; {marker}" if semicolon and marker else "")


def without_local(specifier: str) -> tuple[str, str]:
    """The specifier without what follows a ``+`` in its versions, and the first such part ("" for none)."""
    local = re.search(r"\+([^,\s]+)", specifier)
    if not local:
        return specifier, ""
    return ordered(re.sub(r"\+[^,\s]+", "", specifier).replace("===", "==")), local[1]


def minor_only(specifier: str) -> str:
    """``==3.8.5`` and ``==3.8`` -> ``==3.8.*``: an exact version says what was used, and any patch release will do."""
    return re.sub(r"(?<![=!])={2,3}(\d+)(?:\.(\d+))?[^,]*", _wild, specifier)


def _wild(match: re.Match[str]) -> str:
    return f"=={match[1]}.{match[2]}.*" if match[2] else f"=={match[1]}.*"


def _clauses(text: str) -> list[str] | None:
    found: list[str] = []
    at = 0
    while at < len(text.rstrip()):
        match = _CLAUSE.match(text, at)
        clause = _clause(_TURNED.get(match[1], match[1]), match[2]) if match else None
        if match is None or clause is None:
            return None
        found.append(clause)
        at = match.end()
    return found


def _clause(operator: str, version: str) -> str | None:
    """One clause in the standard's form; "" when it allows everything, None when it is not understood."""
    version = version.strip("\"'").rstrip(".").removeprefix("v")
    if operator == "=":
        return None
    before, wild, after = re.sub(r"(?<=\.)[xX](?=\.|$)", "*", version).partition("*")
    if not wild:
        # of a local version with two plus signs nothing but the first part counts
        public, plus, local = version.partition("+")
        kept = plus and operator in {"==", "!=", "==="}  # only these may be followed by one
        return f"{operator}{public}" + (f"+{re.sub('[^A-Za-z0-9.]+', '.', local)}" if kept else "")
    base = before.rstrip(".")
    if after.strip(".*") or not re.fullmatch(r"(?:\d{1,8}(?:\.\d{1,8})*)?", base):
        return None
    if not base:
        return ""
    if operator in {"==", "!=", "~=", "==="}:
        return f"{'!=' if operator == '!=' else '=='}{base}.*"
    if operator in {">=", "<"}:
        return f"{operator}{base}"
    return f"{'>=' if operator == '>' else '<'}{_next(base)}"


def _next(release: str) -> str:
    first, dot, last = release.rpartition(".")
    return f"{first}{dot}{int(last) + 1}"
