"""``settings.ini``, in which nbdev keeps what its ``setup.py`` passes on."""

from __future__ import annotations

from kobako.model.requirement import Question
from kobako.scan.declaring import groups, places, setup_cfg
from kobako.scan.declaring.declared import Declared
from kobako.scan.tree import Tree

NAME = "settings.ini"
_MOST = 256 * 1024
_SECTION = "DEFAULT"
_PROPOSED = ("requirements", "pip_requirements")


def read(tree: Tree) -> Declared | None:
    """Requirements and the lowest Python; None where there is no such file or nbdev did not write it."""
    text = tree.read(NAME, most=_MOST)
    if text is None:
        return None
    parser, question = setup_cfg.parse(NAME, text)
    if parser is None:
        return Declared(questions=[question] if question else [])
    values = parser.defaults()
    if not values.keys() & {"lib_name", "lib_path"}:
        return None
    found = Declared()
    where = places.of_ini(NAME, text)
    for key in _PROPOSED:
        for entry in _words(values.get(key, "")):
            found.add(entry, where.entry((_SECTION, key), entry))
    python = values.get("min_python", "").strip()
    if python:
        found.need_python(f">={python}", where.key(_SECTION, "min_python"))
    for key, value in values.items():
        if key == "conda_requirements" and _words(value):
            what = f"conda_requirements ({' '.join(_words(value))[:200]}) is for conda only and is not read"
            found.questions += [Question(what, where.key(_SECTION, key))] if not values.get("pip_requirements") else []
        elif key.endswith("_requirements") and key not in {*_PROPOSED, "conda_requirements"} and _words(value):
            groups.of_extra(found, key.removesuffix("_requirements"), _words(value), where.key(_SECTION, key))
    return found


def _words(value: str) -> list[str]:
    """nbdev parts its lists at white space; a direct reference keeps its three words."""
    words: list[str] = []
    for word in value.split():
        if words and (word == "@" or words[-1].endswith(" @")):
            words[-1] += f" {word}"
        else:
            words.append(word)
    return words
