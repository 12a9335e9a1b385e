"""``kobako init``: a workspace. What is there already stays as it is, so it can be run again at any time."""

from __future__ import annotations

import errno
import os
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from shlex import quote
from typing import NamedTuple

from kobako.actions.context import Context
from kobako.compose import files
from kobako.errors import UsageError
from kobako.model.result import Problem, Result
from kobako.model.service import Project
from kobako.workspace import Workspace, read_text, write_text

COMPOSE_FILE = "docker-compose.yaml"
FOLDERS = ("docker", "configs", "data", "pretrain")

# `{}` is what Compose v2 accepts; an empty value is an error to it. docker-compose v1 takes neither without a
# `version:`, about which v2 complains at every call: v1 is served from the first service on.
_COMPOSE = """\
# The services of this workspace, one for each repository; its Dockerfile is docker/<Name>.
# `kobako add SOURCE` writes one, and so can you. docker compose works with this file as it stands.
services: {}
"""

_DOCKERIGNORE = """\
# What a build does not send to Docker: `context: .` would ship the data sets with every build.
.git
.kobako
.env
data
pretrain
**/work_dirs
**/runs
**/__pycache__
**/.ipynb_checkpoints
**/*.ckpt
**/*.h5
**/*.onnx
**/*.pth
**/*.pt
**/*.safetensors
"""

_GITIGNORE = """\
# Kobako's state: it can be thrown away
/.kobako/

# data sets and weights are mounted, not committed (no slash at the end: they may be links to another disk)
/data
/pretrain

# what training writes
work_dirs/
__pycache__/
.ipynb_checkpoints/
"""

_NEEDED = {".dockerignore": ("data", "pretrain", ".kobako", ".git"), ".gitignore": ("data", "pretrain")}
_WHY = {
    ".dockerignore": "with `context: .` a build sends it to Docker",
    ".gitignore": "`git add .` would commit it",
}

_SENDS = re.compile(r"(?im)^[ \t]*(?:onbuild[ \t]+)?(?:copy|add)[ \t](?!.*--from=)|--mount=(?!\S*(?:type=cache|from=))")
"""Instructions of a Dockerfile that take files out of the build context."""


class _Existing(NamedTuple):
    """A compose file that was there before: what it says, or why it cannot be read."""

    file: Path
    project: Project | None
    problem: Problem | None = None


class _Plan(NamedTuple):
    """``texts`` are the files to write in this order; ``kept`` is what is there already."""

    folders: tuple[str, ...]
    texts: Mapping[str, str]
    kept: tuple[str, ...]
    name: str
    problems: tuple[Problem, ...]


def init(context: Context, directory: str, *, dry_run: bool = False) -> Result:
    """Make ``directory`` (relative to where Kobako was started) a workspace. Raises ``UsageError``."""
    root = context.start / directory
    root = root.resolve() if ".." in root.parts else root
    _check(root)
    plan = _plan(root, context.env)
    if not dry_run:
        _write(root, plan)
    written = [*(f"{folder}/" for folder in plan.folders), *plan.texts]
    data = {"root": str(root), "project": plan.name, "files": written, "kept": list(plan.kept)}
    text = _told(root, written, plan, dry_run=dry_run)
    return Result("init", data=data, problems=plan.problems, text=text)


def _check(root: Path) -> None:
    """Nothing stands in the way. Looked at before anything is written."""
    if os.path.lexists(root) and not root.is_dir():
        raise UsageError("exists", f"{root} is there already and is not a folder", fix="kobako init another-folder")
    for name in FOLDERS:
        if files.is_file(root / name):
            raise UsageError(
                "exists",
                f"{name} is there already and is not a folder",
                why=f"a workspace has a folder of that name, here {root / name}",
                fix=f"mv {quote(str(root / name))} {quote(str(root / name))}.old",
            )
    for name in files.NAMES:
        if os.path.lexists(root / name) and not files.is_file(root / name):
            raise UsageError("exists", f"{name} is there already and is not a file", fix="kobako init another-folder")


def _nameless(root: Path) -> str:
    """A project name for a folder whose own leaves none (機械学習): two of those must not share their containers."""
    return f"workspace-{zlib.crc32(os.fsencode(root)):08x}"


def _plan(root: Path, env: Mapping[str, str]) -> _Plan:
    existing = _existing(root, env)
    problems = list(_around(root, env))
    if existing is None:
        name = files.project_name(root, None, files.environment(root, {})) or _nameless(root)
        texts = {".gitignore": _GITIGNORE, ".dockerignore": _DOCKERIGNORE, ".env": _env(name), COMPOSE_FILE: _COMPOSE}
    else:
        name, texts, found = _beside(root, existing)
        problems += found
    there = [file for file in texts if os.path.lexists(root / file)]
    problems += [problem for file in there if (problem := _incomplete(root, file, name)) is not None]
    problems += [_dangling(root, folder) for folder in FOLDERS if _is_dangling(root / folder)]
    kept = [f"{folder}/" for folder in FOLDERS if os.path.lexists(root / folder)] + there
    kept += [existing.file.name] if existing is not None else []
    return _Plan(
        folders=tuple(folder for folder in FOLDERS if not os.path.lexists(root / folder)),
        texts={file: text for file, text in texts.items() if file not in there},
        kept=tuple(kept),
        name=name,
        problems=tuple(problems),
    )


def _existing(root: Path, env: Mapping[str, str]) -> _Existing | None:
    file = next((root / name for name in files.NAMES if files.is_file(root / name)), None)
    if file is None:
        return None
    from kobako.compose import project  # noqa: PLC0415 - the YAML parser, for a file that is there only

    lasting = {name: value for name, value in env.items() if name not in {"COMPOSE_FILE", "COMPOSE_PROJECT_NAME"}}
    overrides = [root / other for other in files.OVERRIDES if files.is_file(root / other)][:1]
    try:
        seen = files.environment(root, lasting)
        return _Existing(file, project.load(files.Found(root, (file, *overrides), implicit=True, env=seen))[0])
    except UsageError as error:
        problem = Problem.of(error)
        where = problem.where
        shown = where._replace(file=Workspace(root).relative(where.file)) if where is not None else None
        return _Existing(file, None, problem._replace(where=shown))


def _beside(root: Path, existing: _Existing) -> tuple[str, dict[str, str], list[Problem]]:
    """The project's name and the files that may stand beside a compose file without changing what it means."""
    texts = {".gitignore": _GITIGNORE}
    derived = files.project_name(root, None, {})
    project = existing.project
    if project is None:
        return derived or "workspace", texts, [existing.problem] if existing.problem is not None else []
    if project.name == derived:  # a file that names the project itself is not to be overruled
        texts[".env"] = _env(project.container_prefix)
    elif files.is_file(root / ".env"):
        texts[".env"] = ""
    problems = []
    if os.path.lexists(root / ".dockerignore"):
        texts[".dockerignore"] = ""
    elif any(_sends(service.build.dockerfile) for service in project.services.values() if service.build):
        problems.append(_no_dockerignore(root))
    else:
        texts[".dockerignore"] = _DOCKERIGNORE
    return project.container_prefix, texts, problems


def _env(name: str) -> str:
    return f"# The containers' project: it stays the same when the folder is renamed.\nCOMPOSE_PROJECT_NAME={name}\n"


def _sends(dockerfile: str | None) -> bool:
    """Whether a build takes files out of its context: then what the context holds is not Kobako's to change."""
    if dockerfile is None:
        return True
    try:
        return _SENDS.search(read_text(Path(dockerfile))) is not None
    except UsageError:
        return False  # there is no such Dockerfile (yet)


def _around(root: Path, env: Mapping[str, str]) -> Iterator[Problem]:
    """What else may decide which compose file is meant."""
    for parent in root.parents:
        if any(files.is_file(parent / name) for name in files.NAMES):
            yield Problem(
                "exists",
                f"{parent} is a workspace already, and {root.name} is inside it",
                "from here on commands in this folder work on the inner one",
                f"kobako ps --workspace {quote(str(parent))}",
            )
            break
    if env.get("COMPOSE_FILE"):
        yield Problem(
            "invalid-setting",
            f"COMPOSE_FILE is set ({env['COMPOSE_FILE']}), so that other compose files are used than this folder's",
            fix="unset COMPOSE_FILE",
        )


def _no_dockerignore(root: Path) -> Problem:
    return Problem(
        "exists",
        "no .dockerignore was written: the Dockerfiles here copy files, and it might hide some from them",
        "with `context: .` every build sends the data sets to Docker",
        f"printf '%s\\n' .git .kobako data pretrain > {quote(str(root / '.dockerignore'))}",
    )


def _incomplete(root: Path, file: str, name: str) -> Problem | None:
    """What an existing file lacks, with the command that adds it."""
    if not files.is_file(root / file):
        return None
    if file == ".env":
        return _unnamed(root, name)
    said = {_bare(line) for line in read_text(root / file, file).splitlines()}
    missing = [entry for entry in _NEEDED.get(file, ()) if entry not in said and "*" not in said]
    if not missing:
        return None
    return Problem(
        "exists",
        f"{file} is left as it is, and does not name {', '.join(missing)}",
        _WHY[file],
        f"printf '%s\\n' '' {' '.join(missing)} >> {quote(str(root / file))}",
    )


def _bare(pattern: str) -> str:
    """An ignore pattern without what does not matter here: `/data/`, `**/data` and `data/**` all cover `data`."""
    return pattern.strip().removeprefix("**/").lstrip("/").removesuffix("/**").removesuffix("/*").rstrip("/")


def _unnamed(root: Path, name: str) -> Problem | None:
    if files.project_name(root, None, {}) or "COMPOSE_PROJECT_NAME" in files.environment(root, {}):
        return None
    return Problem(
        "exists",
        ".env is left as it is, and has no COMPOSE_PROJECT_NAME",
        f"Compose cannot make a project's name from {root.name}",
        f"printf '%s\\n' '' COMPOSE_PROJECT_NAME={name} >> {quote(str(root / '.env'))}",
    )


def _is_dangling(path: Path) -> bool:
    return path.is_symlink() and not path.exists()


def _dangling(root: Path, folder: str) -> Problem:
    target = (root / folder).readlink()
    return Problem(
        "missing-mount",
        f"{folder} is a link to {target}, which does not exist",
        fix=f"mkdir -p {quote(str(root / target))}",
    )


def _write(root: Path, plan: _Plan) -> None:
    """Each file whole or not at all; the compose file, which makes it a workspace, last."""
    for folder in (root, *(root / one for one in plan.folders)):
        _make(folder)
    for file, text in plan.texts.items():
        write_text(root / file, text, str(root / file))


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        code = "disk-full" if error.errno in {errno.ENOSPC, errno.EDQUOT} else "unreadable"
        raise UsageError(code, f"cannot make {folder}", why=error.strerror or str(error)) from error


def _told(root: Path, written: Iterable[str], plan: _Plan, *, dry_run: bool) -> str:
    lines = [f"workspace {root} (project {plan.name})"]
    lines += [f"  {'would write' if dry_run else 'wrote'}  {file}" for file in written]
    lines += [f"  {'kept':>{len('would write' if dry_run else 'wrote')}}  {file}" for file in plan.kept]
    if dry_run:
        return "\n".join(lines)
    return "\n".join([*lines, "next: kobako add SOURCE"])
