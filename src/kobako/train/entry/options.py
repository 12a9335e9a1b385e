"""The arguments of a script as the entry script takes them: ``--name=value``, whatever their own form."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kobako.model.requirement import Argument, EntryPoint
from kobako.train.entry.settings import Option

_LONGEST = 160
_NAME = re.compile(r"\w[\w.]*")
"""What can stand before the equals sign. An option of another name cannot be given, and is left out."""
_DEFAULT = re.compile(r"%\(default\)[sdrf]|%default")


def of(entry: EntryPoint, known: tuple[Option, ...] = ()) -> tuple[Option, ...]:
    """Each name once: what the script declares itself comes before what a library is known to take."""
    found: dict[str, Option] = {}
    for option in (*(one for each in entry.arguments for one in _options(each)), *known):
        found.setdefault(option.name, option)
    return tuple(sorted(found.values(), key=lambda one: one.takes == "rest"))


def is_named(argument: Argument) -> bool:
    return _NAME.fullmatch(name_of(argument)) is not None and all(map(str.isprintable, argument.flags))


def name_of(argument: Argument) -> str:
    """What a person writes for it: the first long name, else the name by which the script knows it."""
    if argument.positional:
        return _underscored(argument.flags[0])
    long = next((one for one in argument.flags if one.startswith("--")), "")
    return _underscored(long or argument.dest or max(argument.flags, key=len))


def flag_of(argument: Argument) -> str:
    if argument.positional:
        return ""
    return next((one for one in argument.flags if one.startswith("--")), max(argument.flags, key=len))


def _options(argument: Argument) -> Iterator[Option]:
    name, flag = name_of(argument), flag_of(argument)
    if not is_named(argument) or name in {"help", "version"}:
        return
    takes = argument.takes
    no = next((one for one in argument.flags if one.startswith("--no-")), "")
    if takes == "switch" and len([one for one in argument.flags if one.startswith("--")]) > 1 and not no:
        for one in argument.flags:  # click's --shout/--whisper
            yield Option(_underscored(one), one, "flag", argument.required, told(argument))
        return
    yield Option(name, flag, takes, argument.required, told(argument))


def told(argument: Argument) -> str:
    """The help text, with the choices and the default where it does not name them."""
    text = _DEFAULT.sub(argument.default or "none", argument.help).replace("%%", "%")
    if argument.choices and not all(one in text for one in argument.choices):
        text = f"{text} (one of {', '.join(argument.choices)})".strip()
    shows = argument.default not in {None, "", "False", "True"} and argument.takes not in {"flag", "off", "rest"}
    if shows and "default" not in text.lower() and len(str(argument.default)) <= _LONGEST // 4:
        text = f"{text} (default: {argument.default})".strip()
    text = "".join(one if one.isprintable() else " " for one in text)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def _underscored(flag: str) -> str:
    return flag.lstrip("-").replace("-", "_")
