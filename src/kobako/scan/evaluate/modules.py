"""Modules that scripts of this kind import, as far as they need them. What a module lacks here is unknown."""

# ruff: noqa: ARG001, ARG005 - functions that stand in one table share one signature

from __future__ import annotations

import posixpath
from collections.abc import Callable
from typing import Any

from kobako.scan.evaluate import installers, parsers, paths, regexes
from kobako.scan.evaluate.builtins import unknown_of
from kobako.scan.evaluate.files import path_text
from kobako.scan.evaluate.state import State
from kobako.scan.evaluate.values import (
    Defaults,
    Iterator,
    Namespace,
    Native,
    Unknown,
    Value,
    VersionInfo,
    like,
)

Args = list[Value]
Keywords = dict[str, Value]


def _nothing(machine: State, args: Args, keywords: Keywords) -> Value:
    return None


def _fixed(value: Value) -> Native:
    return Native("a fixed value", lambda machine, args, keywords: value)


# --- sys, platform -------------------------------------------------------------------------------------------------


def _sys(machine: State) -> Namespace:
    major, minor = machine.python
    return Namespace(
        "sys",
        {
            "argv": ["setup.py"],
            "platform": "linux",
            "maxsize": 2**63 - 1,
            "byteorder": "little",
            "version_info": VersionInfo((major, minor, 0, "final", 0)),
            "version": f"{major}.{minor}.0 (main)",
            "hexversion": (major << 24) + (minor << 16) + 0xF0,
            "path": [machine.folder],
            "modules": {},
            "exit": Native("exit", lambda m, args, keywords: m.throw(m.builtin("SystemExit"))),
            "executable": "python",
            "implementation": Namespace("sys.implementation", {"name": "cpython"}),
        },
    )


def _platform(machine: State) -> Namespace:
    version = f"{machine.python[0]}.{machine.python[1]}.0"
    known = {
        "system": "Linux",
        "machine": "x86_64",
        "processor": "x86_64",
        "python_version": version,
        "python_implementation": "CPython",
        "python_version_tuple": tuple(version.split(".")),
        "architecture": ("64bit", "ELF"),
    }
    return Namespace("platform", {name: _fixed(value) for name, value in known.items()})


def _subprocess(machine: State) -> Namespace:
    """Programs are never started: what they print is unknown, and they may fail."""

    def run(machine: State, args: Args, keywords: Keywords) -> Value:
        machine.may_raise(OSError)
        return Unknown("what a program says")

    names = ("run", "call", "check_call", "check_output", "Popen", "getoutput", "getstatusoutput")
    errors = dict.fromkeys(("CalledProcessError", "SubprocessError", "TimeoutExpired"), OSError)
    return Namespace("subprocess", {**dict.fromkeys(names, Native("run", run)), **errors})


# --- setuptools ----------------------------------------------------------------------------------------------------


def _setuptools(machine: State) -> Namespace:
    setup = Native("setup", _nothing)
    return Namespace("setuptools", {"setup": setup})


# --- collections, itertools, functools -----------------------------------------------------------------------------


def _defaultdict(machine: State, args: Args, keywords: Keywords) -> Value:
    made = Defaults()
    made.factory = args[0] if args else None
    machine.call(machine.attribute(made, "update"), args[1:], keywords)
    return made


def _collections(machine: State) -> Namespace:
    return Namespace(
        "collections", {"defaultdict": Native("defaultdict", _defaultdict), "OrderedDict": machine.builtin("dict")}
    )


def _chain(machine: State, args: Args, keywords: Keywords) -> Value:
    found: list[Value] = []
    for one in args:
        items = machine.iterated(one)
        found += [one if isinstance(one, Unknown) else Unknown("items")] if items is None else items
        machine.spend(len(found) // 20)
    return Iterator(found)


def _chain_from(machine: State, args: Args, keywords: Keywords) -> Value:
    items = machine.iterated(args[0])
    return args[0] if items is None else _chain(machine, items, {})


def _itertools(machine: State) -> Namespace:
    chain = Native("chain", _chain, names={"from_iterable": Native("from_iterable", _chain_from)})
    return Namespace("itertools", {"chain": chain})


def _copied(machine: State, value: Value, depth: int) -> Value:
    machine.spend()
    if depth > 10:
        return Unknown("a deep value")
    if isinstance(value, list):
        return [_copied(machine, item, depth + 1) for item in value]
    if isinstance(value, dict):
        made = machine.call(machine.attribute(value, "copy"), [])
        for key, item in value.items():
            made[key] = _copied(machine, item, depth + 1)
        return made
    return set(value) if isinstance(value, set) else value


def _copy(machine: State) -> Namespace:
    def shallow(machine: State, args: Args, keywords: Keywords) -> Value:
        value = args[0]
        return machine.call(machine.attribute(value, "copy"), []) if isinstance(value, (list, dict, set)) else value

    def deep(machine: State, args: Args, keywords: Keywords) -> Value:
        return _copied(machine, args[0], 0)

    return Namespace("copy", {"copy": Native("copy", shallow), "deepcopy": Native("deepcopy", deep)})


def _dedent(machine: State, args: Args, keywords: Keywords) -> Value:
    """``textwrap.dedent``, whose own needs time that grows with the square of the blanks."""
    text = args[0]
    if not isinstance(text, str):
        return text if isinstance(text, Unknown) else Unknown("a text")
    lines = [line if line.strip(" \t") else "" for line in text.split("\n")]
    machine.spend(len(lines))
    margin = posixpath.commonprefix([line[: len(line) - len(line.lstrip(" \t"))] for line in lines if line])
    return like("\n".join(line[len(margin) :] for line in lines), text)


# --- other modules of the repository -------------------------------------------------------------------------------


def _spec(machine: State, args: Args, keywords: Keywords) -> Value:
    path = path_text(args[1] if len(args) > 1 else keywords.get("location"))
    if path is None:
        return Unknown("a module")
    module = Namespace("a module", {"__file__": machine.absolute(path)}, path)

    def load(machine: State, given: Args, keywords: Keywords) -> Value:
        target = given[0] if given else module
        names = machine.load_file(path).names
        if isinstance(target, Namespace):
            target.names.update(names)
        return target

    loader = Namespace(
        "loader", {"exec_module": Native("exec_module", load), "load_module": Native("load_module", load)}
    )
    return Namespace("spec", {"loader": loader, "module": module, "name": args[0] if args else "", "origin": path})


def _from_spec(machine: State, args: Args, keywords: Keywords) -> Value:
    return machine.attribute(args[0], "module")


def _loader(machine: State, args: Args, keywords: Keywords) -> Value:
    return machine.attribute(_spec(machine, args, keywords), "loader")


def _load_source(machine: State, args: Args, keywords: Keywords) -> Value:
    path = path_text(args[1]) if len(args) > 1 else None
    return Unknown("a module") if path is None else machine.load_file(path)


def _run_path(machine: State, args: Args, keywords: Keywords) -> Value:
    path = path_text(args[0])
    return Unknown("a module") if path is None else machine.load_file(path).names


def _import_module(machine: State, args: Args, keywords: Keywords) -> Value:
    return machine.imported(str(args[0])) if isinstance(args[0], str) else Unknown("a module")


def _importlib(machine: State) -> Namespace:
    names = ("importlib.util", "importlib.machinery", "importlib.metadata")
    return Namespace(
        "importlib",
        {
            "import_module": Native("import_module", _import_module),
            **{name.rsplit(".", 1)[1]: machine.module(name) for name in names},
        },
    )


def _importlib_util(machine: State) -> Namespace:
    return Namespace(
        "importlib.util",
        {
            "spec_from_file_location": Native("spec_from_file_location", _spec),
            "module_from_spec": Native("module_from_spec", _from_spec),
            "find_spec": Native("find_spec", lambda m, args, keywords: Unknown("whether a module is installed")),
        },
    )


def _importlib_machinery(machine: State) -> Namespace:
    return Namespace("importlib.machinery", {"SourceFileLoader": Native("SourceFileLoader", _loader)})


# --- small ones ----------------------------------------------------------------------------------------------------


def _inspect(machine: State) -> Namespace:
    """``inspect.getfile(inspect.currentframe())`` is a way to write ``__file__``."""

    def own_file(machine: State, args: Args, keywords: Keywords) -> Value:
        return posixpath.join(machine.absolute("/repository"), machine.frame.file)

    return Namespace("inspect", {"getfile": Native("getfile", own_file), "currentframe": _fixed(None)})


def _namespace_of(machine: State, args: Args, keywords: Keywords) -> Value:
    return Namespace("a namespace", dict(keywords))


def _literal(machine: State, args: Args, keywords: Keywords) -> Value:
    return unknown_of(args, keywords) or machine.call(machine.builtin("eval"), args[:1])


def _pip(machine: State) -> Namespace:
    whole = installers.pip_module(machine)
    for name in ("req", "req_file", "_internal", "network", "download"):
        whole.names[name] = whole
    return whole


def _simple(name: str, names: dict[str, Value]) -> Callable[[State], Namespace]:
    return lambda machine: Namespace(name, dict(names))


MODULES: dict[str, Callable[[Any], Namespace]] = {
    "os": paths.os_module,
    "os.path": lambda machine: paths.os_path(),
    "pathlib": paths.pathlib_module,
    "posixpath": lambda machine: paths.os_path(),
    "glob": paths.glob_module,
    "re": regexes.re_module,
    "sys": _sys,
    "platform": _platform,
    "subprocess": _subprocess,
    "json": parsers.json_module,
    **dict.fromkeys(("tomllib", "tomli", "toml", "pytoml"), parsers.toml_module),
    **dict.fromkeys(("configparser", "ConfigParser"), parsers.config_module),
    **dict.fromkeys(("io", "codecs"), parsers.open_module),
    **dict.fromkeys(
        ("setuptools", "distutils", "distutils.core", "skbuild", "numpy.distutils.core", "setuptools.setup"),
        _setuptools,
    ),
    "pkg_resources": installers.pkg_resources_module,
    "packaging.requirements": installers.packaging_requirements,
    **dict.fromkeys(
        ("pip", "pip.req", "pip.req.req_file", "pip._internal", "pip._internal.req", "pip._internal.req.req_file"), _pip
    ),
    "collections": _collections,
    "itertools": _itertools,
    "copy": _copy,
    "importlib": _importlib,
    "importlib.util": _importlib_util,
    "importlib.machinery": _importlib_machinery,
    **dict.fromkeys(("importlib.metadata", "importlib_metadata"), installers.metadata_module),
    "imp": _simple("imp", {"load_source": Native("load_source", _load_source)}),
    "runpy": _simple("runpy", {"run_path": Native("run_path", _run_path)}),
    "inspect": _inspect,
    "types": _simple("types", {"SimpleNamespace": Native("SimpleNamespace", _namespace_of)}),
    "textwrap": _simple("textwrap", {"dedent": Native("dedent", _dedent)}),
    "ast": _simple("ast", {"literal_eval": Native("literal_eval", _literal)}),
    "warnings": _simple("warnings", {"warn": Native("warn", _nothing)}),
    "typing": _simple("typing", {"TYPE_CHECKING": False, "cast": Native("cast", lambda m, a, k: a[1])}),
    "builtins": lambda machine: Namespace("builtins", {"open": machine.builtin("open")}),
}
