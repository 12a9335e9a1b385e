"""From the merged keys of a service to the frozen ``Service``: everything normalised once, here."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kobako.compose.scalars import resolve
from kobako.compose.tree import Items, Keys, Leaf, Tree, clean, listed, pairs
from kobako.errors import UsageError, Where
from kobako.model.service import Build, EnvFile, Hints, Mount, Service

READ = frozenset(
    {
        "build",
        "command",
        "container_name",
        "deploy",
        "entrypoint",
        "env_file",
        "environment",
        "extends",
        "gpus",
        "image",
        "runtime",
        "stop_grace_period",
        "user",
        "volumes",
        "working_dir",
        "x-kobako",
    }
)
"""The keys of a service that Kobako reads."""

_HINTS = ("source", "entry", "verify", "engine", "base")
_BASE = ("python", "torch")
_VERSION = re.compile(r"[0-9]+(?:\.[0-9]+)*")


def service(name: str, keys: Keys, env: Mapping[str, str]) -> Service:
    """Raises ``UsageError`` with the place of what is wrong."""
    read = _Values(env)
    return Service(
        name=name,
        container_name=read.text(keys.get("container_name")),
        image=read.text(keys.get("image")) or None,
        build=_build(keys.get("build"), read),
        command=_words(keys.get("command"), read),
        user=read.text(keys.get("user")),
        working_dir=read.text(keys.get("working_dir")),
        mounts=tuple(_mount(item, read) for item in read.items(keys.get("volumes"))),
        reserves_nvidia=_reserves_nvidia(keys, read),
        stop_grace_period=read.text(keys.get("stop_grace_period")),
        hints=_hints(keys.get("x-kobako"), read),
        environment=_environment(keys.get("environment"), read),
        env_files=_env_files(keys.get("env_file"), read),
        entrypoint=_words(keys.get("entrypoint"), read),
        keys=_said(keys),
        where=keys.where,
    )


def _said(keys: Keys) -> tuple[tuple[str, Where], ...]:
    """All keys that say something. ``extends`` is none of the merged service's: it has been followed."""
    return tuple(
        (name, one.key or one.where)
        for name, one in keys.keys.items()
        if name != "extends" and not (isinstance(one, Leaf) and one.value is None)
    )


class _Values:
    """The values of trees."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self.env = env

    def text(self, value: Tree | None) -> str | None:
        if value is None:
            return None
        if not isinstance(value, Leaf):
            raise UsageError("invalid-compose", "a single value is wanted here", where=value.where)
        return value.value

    def variable(self, value: Tree) -> str | None:
        """The value as Compose puts it into a variable: a number or a boolean is read, and written in Go's own form."""
        text = self.text(value)
        return _rewritten(text) if text is not None and isinstance(value, Leaf) and value.word else text

    def items(self, value: Tree | None) -> tuple[Tree, ...]:
        if value is None or (isinstance(value, Leaf) and value.value is None):
            return ()
        if not isinstance(value, Items):
            raise UsageError("invalid-compose", "a list is wanted here", where=value.where)
        return value.items

    def path(self, leaf: Tree | None) -> str | None:
        """The value as an absolute path: relative ones belong to their file's folder, ``~`` to the caller."""
        text = self.text(leaf)
        if text is None or not isinstance(leaf, Leaf):
            return None
        home = self.env.get("HOME") or str(Path.home())
        text = home + text[1:] if text == "~" or text.startswith("~/") else text
        return os.path.normpath(leaf.folder / text)


def _words(value: Tree | None, read: _Values) -> str | tuple[str, ...] | None:
    if isinstance(value, Items):
        return tuple(read.text(item) or "" for item in value.items)
    return read.text(value)


def _build(value: Tree | None, read: _Values) -> Build | None:
    if value is None or (isinstance(value, Leaf) and value.value is None):
        return None
    keys = value if isinstance(value, Keys) else Keys({"context": value}, value.where)
    context = keys.get("context")
    said = read.text(context) or "."
    if _remote(said):
        return Build(said, None, where=value.where)
    folder = read.path(context) if isinstance(context, Leaf) else os.path.normpath(_folder(keys))
    recipe = None
    if keys.get("dockerfile_inline") is None:
        name = read.text(keys.get("dockerfile")) or "Dockerfile"
        recipe = os.path.normpath(Path(folder or ".") / name)
    return Build(
        context=folder or ".",
        dockerfile=recipe,
        args=_variables(keys.get("args"), read),
        target=read.text(keys.get("target")),
        where=(keys.get("dockerfile") or value).where,
    )


def _folder(keys: Keys) -> Path:
    """The folder of a build that names no context: that of its file."""
    return next((leaf.folder for leaf in keys.keys.values() if isinstance(leaf, Leaf)), Path(keys.where.file).parent)


def _remote(context: str) -> bool:
    return "://" in context or context.startswith(("git@", "github.com/"))


def _variables(value: Tree | None, read: _Values) -> dict[str, str | None]:
    named = pairs(value) if value is not None else None
    if isinstance(named, Keys):
        return {key: read.variable(one) for key, one in named.keys.items()}
    if isinstance(named, Leaf) and named.value is not None:
        raise UsageError("invalid-compose", "names and their values are wanted here", where=named.where)
    return {}


def _environment(value: Tree | None, read: _Values) -> dict[str, str | None]:
    found = _variables(value, read)
    if "" in found and value is not None:
        raise UsageError("invalid-compose", "a variable of the environment has no name", where=value.where)
    return found


def _rewritten(text: str) -> str:
    """What Go prints for a plain word: `3.10` is 3.1, `0x10` is 16, `TRUE` is true."""
    value = resolve(text)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return _go_float(value)
    return str(value) if isinstance(value, int) else text


def _go_float(value: float) -> str:
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
    from decimal import Decimal  # noqa: PLC0415 - few services say a fraction

    shortest = Decimal(repr(value)).normalize()
    sign, digits, _ = shortest.as_tuple()
    exponent = shortest.adjusted()
    if not value or -4 <= exponent < 6:
        return format(shortest, "f")
    first, rest = str(digits[0]), "".join(map(str, digits[1:]))
    return f"{'-' * sign}{first}{rest and '.'}{rest}e{exponent:+03d}"


def _env_files(value: Tree | None, read: _Values) -> tuple[EnvFile, ...]:
    """A path that stands twice counts where it stands first, as in Compose."""
    found: dict[str, EnvFile] = {}
    for item in read.items(listed(value) if value is not None else None):
        named = item.get("path") if isinstance(item, Keys) else item
        path = read.path(named)
        if not path or not isinstance(named, Leaf) or not named.value:
            raise UsageError("invalid-compose", "env_file wants a path", where=(named or item).where)
        required = item.get("required") if isinstance(item, Keys) else None
        found[os.path.join(named.folder, named.value)] = EnvFile(
            path,
            required=required is None or _true(required, read),
            where=item.where,
            format=read.text(item.get("format")) if isinstance(item, Keys) else None,
        )
    return tuple(found.values())


def _mount(item: Tree, read: _Values) -> Mount:
    if isinstance(item, Keys):
        return _long_mount(item, read)
    text = read.text(item) or ""
    source, _, rest = text.partition(":")
    if not rest:
        return Mount("volume", None, clean(source), where=item.where)
    target, _, mode = rest.partition(":")
    target = clean(target)
    read_only = "ro" in mode.split(",")
    if not source.startswith((".", "/", "~")):
        return Mount("volume", source, target, read_only, where=item.where)
    folder = item.folder if isinstance(item, Leaf) else Path()
    return Mount("bind", read.path(Leaf(source, item.where, folder)), target, read_only, where=item.where)


def _long_mount(item: Keys, read: _Values) -> Mount:
    kind = read.text(item.get("type")) or "volume"
    source = read.path(item.get("source")) if kind == "bind" else read.text(item.get("source"))
    create = item.get("bind", "create_host_path")
    return Mount(
        kind,
        source,
        clean(read.text(item.get("target")) or ""),
        read_only=_true(item.get("read_only"), read),
        create=create is None or _true(create, read),
        where=item.where,
    )


def _true(value: Tree | None, read: _Values) -> bool:
    return (read.text(value) or "").lower() in {"true", "yes", "on", "1"} if value is not None else False


def _reserves_nvidia(keys: Keys, read: _Values) -> bool:
    if keys.get("gpus") is not None or read.text(keys.get("runtime")) == "nvidia":
        return True
    for device in read.items(keys.get("deploy", "resources", "reservations", "devices")):
        if not isinstance(device, Keys):
            continue
        driver = read.text(device.get("driver"))
        capabilities = [read.text(one) for one in read.items(device.get("capabilities"))]
        if driver in {None, "", "nvidia"} and ("gpu" in capabilities or driver == "nvidia"):
            return True
    return False


def _hints(value: Tree | None, read: _Values) -> Hints:
    if value is None or (isinstance(value, Leaf) and value.value is None):
        return Hints()
    if not isinstance(value, Keys):
        raise UsageError("invalid-setting", "x-kobako is to be a mapping", where=value.where)
    for key, one in value.keys.items():
        if key not in _HINTS:
            raise _unknown(key, one.where)
    source = value.get("source")
    if source is not None and not isinstance(source, Keys):
        raise UsageError("invalid-setting", "x-kobako.source is to be a mapping", where=source.where)
    return Hints(
        source=_plain(source, read) if source is not None else {},
        entry=_entry(value.get("entry"), read),
        verify=_command(value.get("verify"), read),
        engine=read.text(value.get("engine")),
        base=_base(value.get("base")),
    )


def _base(value: Tree | None) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, Keys):
        raise UsageError("invalid-setting", "x-kobako.base is to be a mapping", where=value.where)
    found = {}
    for key, one in value.keys.items():
        if key not in _BASE:
            raise _unknown(key, one.where, _BASE, "x-kobako.base")
        text = one.value if isinstance(one, Leaf) else None
        if text is None or not _VERSION.fullmatch(text):
            what, fix = f"x-kobako.base.{key} is to be a version", "write digits with dots between them, such as 3.8"
            raise UsageError("invalid-setting", what, fix=fix, where=one.where)
        found[key] = text
    return found


def _command(value: Tree | None, read: _Values) -> str | tuple[str, ...] | None:
    found = _words(value, read)
    if value is not None and not (found.strip() if isinstance(found, str) else found):
        raise UsageError("invalid-setting", "a command is wanted here", where=value.where)
    return found


def _entry(value: Tree | None, read: _Values) -> str | tuple[str, ...] | None:
    """Words, not a shell's script: quotes must be closed."""
    found = _command(value, read)
    if isinstance(found, str) and value is not None:
        import shlex  # noqa: PLC0415 - few services say it

        try:
            shlex.split(found)
        except ValueError as error:
            fix = "close the quote, or write a list of words"
            raise UsageError(
                "invalid-setting", "the entry is not understood", why=str(error), fix=fix, where=value.where
            ) from error
    return found


def _plain(value: Tree, read: _Values) -> Any:
    if isinstance(value, Keys):
        return {key: _plain(one, read) for key, one in value.keys.items()}
    if isinstance(value, Items):
        return [_plain(one, read) for one in value.items]
    return read.text(value)


def _unknown(key: str, where: Where, known: tuple[str, ...] = _HINTS, holder: str = "x-kobako") -> UsageError:
    from difflib import get_close_matches  # noqa: PLC0415 - only on failure

    close = get_close_matches(key, known, n=1)
    fix = f"did you mean {close[0]}?" if close else f"known are: {', '.join(known)}"
    return UsageError("unknown-x-kobako-key", f"{holder} has no key {key}", fix=fix, where=where)
