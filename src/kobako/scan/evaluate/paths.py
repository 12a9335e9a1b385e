"""``pathlib``, ``os.path``, ``os`` and ``glob``."""

# ruff: noqa: ARG001, ARG002, ARG005 - functions that stand in one table share one signature

from __future__ import annotations

import posixpath
from collections.abc import Callable
from typing import Any

from kobako.scan.evaluate.budget import MAX_PATH
from kobako.scan.evaluate.builtins import unknown_of
from kobako.scan.evaluate.files import globbed, listed, opened, path_text
from kobako.scan.evaluate.state import State
from kobako.scan.evaluate.values import Iterator, Namespace, Native, Opaque, Unknown, Value

Args = list[Value]
Keywords = dict[str, Value]


class Path(Opaque):
    """``pathlib.Path``."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Path) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)

    def get(self, machine: State, name: str) -> Value:
        if name in _PARTS:
            return _PARTS[name](self.text)
        run = _METHODS.get(name)
        if run is None:
            return Unknown(f"Path.{name}")
        return Native(name, lambda m, args, keywords: run(m, self, args, keywords))


def made_path(machine: State, args: Args, keywords: Keywords) -> Value:
    texts = [path_text(one) for one in args]
    if any(text is None for text in texts):
        return next((one for one in args if isinstance(one, Unknown)), Unknown("a path"))
    text = posixpath.join("", *[text or "" for text in texts[:50]])
    return Path(_clean(text)) if len(text) <= MAX_PATH and len(texts) <= 50 else Unknown("a path")


def _clean(text: str) -> str:
    parts = [part for part in text.split("/") if part not in {"", "."}]
    return ("/" if text.startswith("/") else "") + "/".join(parts) or "."


def _parents(text: str) -> list[Value]:
    found: list[Value] = []
    while posixpath.dirname(text) != text and len(found) < 50:
        text = posixpath.dirname(text)
        found.append(Path(text or "."))
    return found


_PARTS: dict[str, Callable[[str], Value]] = {
    "parent": lambda text: Path(posixpath.dirname(text) or "."),
    "parents": _parents,
    "name": posixpath.basename,
    "stem": lambda text: posixpath.splitext(posixpath.basename(text))[0],
    "suffix": lambda text: posixpath.splitext(text)[1],
    "parts": lambda text: tuple((["/"] if text.startswith("/") else []) + [one for one in text.split("/") if one]),
    "_text": lambda text: text,
}


def _joined(machine: State, path: Path, args: Args, keywords: Keywords) -> Value:
    return made_path(machine, [path, *args], {})


def _under(machine: State, path: Path, args: Args, keywords: Keywords) -> Value:
    return made_path(machine, [*args, path], {})


def _absolute(machine: State, path: Path, args: Args, keywords: Keywords) -> Value:
    return Path(machine.absolute(path.text))


def _open(machine: State, path: Path, args: Args, keywords: Keywords) -> Value:
    return opened(machine, [path, *args], keywords)


def _read_text(machine: State, path: Path, args: Args, keywords: Keywords) -> Value:
    return machine.text_of_file(path.text)


def _write_text(machine: State, path: Path, args: Args, keywords: Keywords) -> Value:
    opened(machine, [path, "w"], {})


def _glob(machine: State, path: Path, args: Args, keywords: Keywords) -> Value:
    found = globbed(machine, posixpath.join(path.text, args[0])) if isinstance(args[0], str) else None
    return Unknown("a listing") if found is None else Iterator([Path(one) for one in found])


def _rglob(machine: State, path: Path, args: Args, keywords: Keywords) -> Value:
    if not isinstance(args[0], str):
        return Unknown("a listing")
    return _glob(machine, path, [f"**/{args[0]}"], keywords)


def _iterdir(machine: State, path: Path, args: Args, keywords: Keywords) -> Value:
    found = listed(machine, path.text)
    if found is None:
        return Unknown("a listing")
    return Iterator([Path(posixpath.join(path.text, one)) for one in found])


def _relative_to(machine: State, path: Path, args: Args, keywords: Keywords) -> Value:
    base = path_text(args[0])
    return Unknown("a path") if base is None else Path(posixpath.relpath(path.text, base))


_METHODS: dict[str, Callable[[State, Any, Args, Keywords], Value]] = {
    **dict.fromkeys(("joinpath", "__truediv__"), _joined),
    "_under": _under,
    **dict.fromkeys(("resolve", "absolute", "expanduser"), _absolute),
    "open": _open,
    **dict.fromkeys(("read_text", "read_bytes"), _read_text),
    **dict.fromkeys(("write_text", "write_bytes"), _write_text),
    "exists": lambda machine, path, args, keywords: _exists(machine, path.text),
    "is_file": lambda machine, path, args, keywords: _is_file(machine, path.text),
    "is_dir": lambda machine, path, args, keywords: _is_folder(machine, path.text),
    **dict.fromkeys(("as_posix", "__str__", "__fspath__"), lambda machine, path, args, keywords: path.text),
    "as_uri": lambda machine, path, args, keywords: f"file://{machine.absolute(path.text)}",
    "glob": _glob,
    "rglob": _rglob,
    "iterdir": _iterdir,
    "relative_to": _relative_to,
    **dict.fromkeys(("mkdir", "touch", "unlink"), lambda machine, path, args, keywords: None),
}


# --- what is there -------------------------------------------------------------------------------------------------


def _is_file(machine: State, path: str) -> Value:
    outside = machine.name_of(path) is None
    return Unknown(f"whether {path} is there") if outside else machine.has_file(path)


def _is_folder(machine: State, path: str) -> Value:
    outside = machine.name_of(path) is None
    return Unknown(f"whether {path} is there") if outside else machine.has_folder(path)


def _exists(machine: State, path: str) -> Value:
    found = _is_file(machine, path)
    return found or _is_folder(machine, path) if isinstance(found, bool) else found


def _on_text(name: str, function: Callable[..., Any]) -> Native:
    """A function of ``os.path`` whose arguments are paths."""

    def run(machine: State, args: Args, keywords: Keywords) -> Value:
        texts = [path_text(one) for one in args]
        if any(text is None for text in texts) or len(texts) > 50:
            return unknown_of(args, keywords) or Unknown("a path")
        return function(*texts)

    return Native(name, run)


def _on_machine(name: str, function: Callable[..., Any]) -> Native:
    def run(machine: State, args: Args, keywords: Keywords) -> Value:
        path = path_text(args[0]) if args else "."
        if path is None:
            return args[0] if isinstance(args[0], Unknown) else Unknown("a path")
        return function(machine, path)

    return Native(name, run)


def _relpath(machine: State, args: Args, keywords: Keywords) -> Value:
    path = path_text(args[0])
    start = path_text(args[1] if len(args) > 1 else keywords.get("start", machine.folder))
    if path is None or start is None:
        return Unknown("a path")
    return posixpath.relpath(machine.absolute(path), machine.absolute(start))


def _listdir(machine: State, path: str) -> Value:
    found = listed(machine, path)
    return Unknown("a listing") if found is None else found


def _chdir(machine: State, args: Args, keywords: Keywords) -> Value:
    path = path_text(args[0])
    folder = "" if path is None else machine.absolute(path)
    if folder and len(folder) <= MAX_PATH and not machine.doubts:
        machine.folder = folder


def _getenv(machine: State, args: Args, keywords: Keywords) -> Value:
    given = machine.memory["environ"].get(args[0]) if isinstance(args[0], str) else None
    return given if given is not None else args[1] if len(args) > 1 else keywords.get("default")


def _glob_function(machine: State, args: Args, keywords: Keywords) -> Value:
    pattern = path_text(args[0])
    found = None if pattern is None else globbed(machine, pattern)
    return Unknown("a listing") if found is None else found


def os_path() -> Namespace:
    texts = {
        name: _on_text(name, getattr(posixpath, name))
        for name in ("join", "dirname", "basename", "split", "splitext", "normpath", "isabs", "commonprefix")
    }
    same = {name: _on_machine(name, State.absolute) for name in ("abspath", "realpath")}
    facts = {
        "exists": _on_machine("exists", _exists),
        "lexists": _on_machine("lexists", _exists),
        "isfile": _on_machine("isfile", _is_file),
        "isdir": _on_machine("isdir", _is_folder),
        "expanduser": _on_text("expanduser", str),
        "relpath": Native("relpath", _relpath),
        "islink": Native("islink", lambda machine, args, keywords: False),
        "sep": "/",
        "pardir": "..",
    }
    return Namespace("os.path", {**texts, **same, **facts})


def os_module(machine: State) -> Namespace:
    nothing = Native("nothing", lambda machine, args, keywords: None)
    environ = machine.memory.setdefault("environ", {})
    return Namespace(
        "os",
        {
            "path": machine.module("os.path"),
            "environ": environ,
            "getenv": Native("getenv", _getenv),
            "getcwd": Native("getcwd", lambda machine, args, keywords: machine.folder),
            "chdir": Native("chdir", _chdir),
            "listdir": _on_machine("listdir", _listdir),
            "fspath": _on_text("fspath", str),
            "name": "posix",
            "sep": "/",
            "linesep": "\n",
            "pathsep": ":",
            "curdir": ".",
            "pardir": "..",
            **dict.fromkeys(("makedirs", "mkdir", "remove", "unlink", "rename", "symlink", "putenv"), nothing),
        },
    )


def path_class() -> Native:
    return Native(
        "Path",
        made_path,
        Path,
        {
            "cwd": Native("cwd", lambda machine, args, keywords: Path(machine.folder)),
            "home": Native("home", lambda machine, args, keywords: Unknown("the home folder")),
        },
    )


def pathlib_module(machine: State) -> Namespace:
    path = path_class()
    return Namespace("pathlib", dict.fromkeys(("Path", "PurePath", "PosixPath", "PurePosixPath"), path))


def glob_module(machine: State) -> Namespace:
    found = Native("glob", _glob_function)
    return Namespace("glob", {"glob": found, "iglob": found})
