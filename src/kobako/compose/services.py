"""From the merged keys of a service to the frozen ``Service``: everything normalised once, here."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kobako.compose.tree import Items, Keys, Leaf, Tree, clean
from kobako.errors import UsageError, Where
from kobako.model.service import Build, Hints, Mount, Service

READ = frozenset(
    {
        "build",
        "command",
        "container_name",
        "deploy",
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

_HINTS = ("source", "entry", "verify", "engine")


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
        where=keys.where,
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
        args=_arguments(keys.get("args"), read),
        target=read.text(keys.get("target")),
        where=(keys.get("dockerfile") or value).where,
    )


def _folder(keys: Keys) -> Path:
    """The folder of a build that names no context: that of its file."""
    return next((leaf.folder for leaf in keys.keys.values() if isinstance(leaf, Leaf)), Path(keys.where.file).parent)


def _remote(context: str) -> bool:
    return "://" in context or context.startswith(("git@", "github.com/"))


def _arguments(value: Tree | None, read: _Values) -> dict[str, str | None]:
    if isinstance(value, Keys):
        return {key: read.text(one) for key, one in value.keys.items()}
    pairs = (read.text(item) or "" for item in read.items(value))
    return {key: (text if equals else None) for key, equals, text in (pair.partition("=") for pair in pairs)}


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
    engine = value.get("engine")
    return Hints(
        source=_plain(source, read) if source is not None else {},
        entry=_entry(value.get("entry"), read),
        verify=_command(value.get("verify"), read),
        engine=read.text(engine),
    )


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


def _unknown(key: str, where: Where) -> UsageError:
    from difflib import get_close_matches  # noqa: PLC0415 - only on failure

    close = get_close_matches(key, _HINTS, n=1)
    fix = f"did you mean {close[0]}?" if close else f"known are: {', '.join(_HINTS)}"
    return UsageError("unknown-x-kobako-key", f"x-kobako has no key {key}", fix=fix, where=where)
