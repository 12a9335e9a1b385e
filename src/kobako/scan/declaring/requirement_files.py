"""Which requirements files a repository is meant to be run with. Names speak; the files themselves are not read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from posixpath import basename, dirname

from kobako.model.requirement import Other
from kobako.scan.tree import Tree

_NOT_RUNTIME = frozenset(
    (
        *(
            "test",
            "tests",
            "testing",
            "unittest",
            "doc",
            "docs",
            "documentation",
            "readthedocs",
            "rtd",
            "sphinx",
            "mkdocs",
        ),
        *("dev", "devel", "develop", "development", "developer", "debug", "optional", "opt", "extra", "extras", "all"),
        *("lint", "linting", "linter", "linters", "style", "format", "flake8", "mypy", "types", "typing", "quality"),
        *("ci", "tox", "travis", "coverage", "build", "release", "publish", "packaging", "deploy", "deployment"),
        *("example", "examples", "demo", "demos", "benchmark", "benchmarks", "notebook", "notebooks", "tutorial"),
        *("tutorials", "colab", "binder", "website", "site", "constraint", "constraints"),
    )
)
"""Words in a file's name that say that it is for something else than running."""

_PREFERRED = (
    *("runtime", "install", "base", "main", "core", "default", "prod", "production", "common", "general", "minimal"),
    *("min", "train", "training", "gpu", "cuda", "linux", "ubuntu", "full", "pip", "project", "app", "package"),
)
"""Words of which one file is likelier meant than the others, the likeliest first."""

_ALTERNATIVE = frozenset(
    (
        *("cpu", "tpu", "xpu", "npu", "rocm", "amd", "mac", "macos", "osx", "darwin", "m1", "mps", "windows", "win"),
        *("win10", "win32", "win64", "arm", "jetson", "nano", "mobile", "android", "ios", "aws", "azure", "gcp"),
        *("docker", "server", "serving", "api", "web", "gradio", "streamlit", "ui", "gui", "onnx", "tensorrt"),
        *("inference", "infer", "eval", "evaluation", "freeze", "frozen", "lock", "pinned", "exact", "old", "legacy"),
    )
)
"""Words of a file that takes the place of another for a purpose or a machine that is not ours."""

_FOLDERS = ("requirements", "requirement", "reqs", "deps", "dependencies")
_NAME = re.compile(
    r"(?:[\w.-]*[-_.])?(?:requirements?|requires|reqs?|dependencies|deps)(?:[-_.]?[\w.-]*)?\.(?:txt|in|pip)"
)
_ASIDE = re.compile(
    r"(?:tests?|docs?|documentation|examples?|demos?|benchmarks?|tutorials?|notebooks|site|website|tools|scripts|third_?party|external|extern|vendor|deps|ci)",
    re.IGNORECASE,
)
"""Folders whose requirements are for what is in them alone."""
_METADATA = (".egg-info", ".dist-info")

MM_INSTALL = "requirements/mminstall.txt"


def is_runtime(name: str) -> bool:
    """Whether a requirements file's name says that it is for running, not for tests, documents and the like."""
    return _NOT_RUNTIME.isdisjoint(_words(name))


def runtime_files(tree: Tree) -> list[str]:
    """The requirements files that a person would install to run the repository; one in each folder that counts.

    The top level and its ``requirements/`` folder count. Where nothing is there, the folders one level below do,
    above all those with Python code. None where several files are equally likely: guessing would be worse than asking.
    """
    own = _choice(_candidates(tree, ""))
    if own:
        return [own]
    if _candidates(tree, ""):
        return []
    folders = sorted({name.partition("/")[0] for name in tree.files if "/" in name})
    folders = [folder for folder in folders if not _ASIDE.fullmatch(folder) and not folder.endswith(_METADATA)]
    chosen = {folder: _choice(_candidates(tree, folder)) for folder in folders}
    with_code = [name for folder, name in chosen.items() if name and tree.names(folder, ".py")]
    return with_code or [name for name in chosen.values() if name][:1]


def left_out(tree: Tree, chosen: Sequence[str]) -> list[Other]:
    """The requirements files near the top that are not read, each with the reason."""
    found: list[Other] = []
    for name in _candidates(tree, ""):
        if name in chosen or name == MM_INSTALL:
            continue
        if not is_runtime(name):
            why = "not for running: tests, documents, development or options"
        elif chosen:
            why = f"another set of requirements; {chosen[0]} is the one for running"
        else:
            why = "one of several sets of requirements, none of which is clearly the one for running"
        found.append(Other(name, why))
    return found


def _candidates(tree: Tree, folder: str) -> list[str]:
    """Requirements files in a folder and in its ``requirements/``, in the order of trust."""
    prefix = f"{folder}/" if folder else ""
    beside = [name for name in tree.names(folder) if _NAME.fullmatch(basename(name).lower())]
    inside = [name for sub in _FOLDERS for name in tree.names(prefix + sub) if name.endswith((".txt", ".in", ".pip"))]
    return beside + inside


def _choice(names: Sequence[str]) -> str:
    """The one for running; "" where there is none or where it is not clear."""
    plain = [name for name in names if _stem(name) in {"requirements", "requirement", "reqs"}]
    for suffix in (".txt", ".pip", ".in"):
        for name in plain:
            if name.endswith(suffix):
                return name
    likely = [name for name in names if is_runtime(name) and name != MM_INSTALL]
    texts = [name for name in likely if not name.endswith(".in")] or likely
    for word in _PREFERRED:
        for name in texts:
            if word in _words(name) and _ALTERNATIVE.isdisjoint(_words(name)):
                return name
    rest = [name for name in texts if _ALTERNATIVE.isdisjoint(_words(name))] or texts
    if len(rest) > 1:
        return _newest_python(rest)
    return rest[0] if rest else ""


def _newest_python(names: Sequence[str]) -> str:
    """Of files for one Python version each the one for the newest; "" where they differ in something else."""
    versions = {name: re.search(r"(?:py|python)-?3\.?(\d{1,2})(?!\d)", basename(name).lower()) for name in names}
    known = {name: int(match[1]) for name, match in versions.items() if match}
    return max(known, key=lambda name: known[name]) if len(known) == len(names) else ""


def _stem(name: str) -> str:
    return basename(name).rpartition(".")[0].lower()


def _words(name: str) -> set[str]:
    """The words of a file's name, without that of the folder it stands in."""
    stem = _stem(name)
    words = set(re.split(r"[-_.]", stem))
    words |= {re.sub(r"^requirements?", "", word) for word in words}  # requirementsdev.txt
    if dirname(name) and "dev" in basename(dirname(name)).lower():
        words.add("dev")
    return words
