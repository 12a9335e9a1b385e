"""``kobako demo``: a complete small workspace that builds, trains and verifies, made by what ``init`` and ``add`` use.

Each step makes what is missing and leaves what is there, so a demo that was interrupted goes on where it stood.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager
from importlib import resources
from pathlib import Path
from shlex import quote
from typing import Any, NamedTuple

from kobako import engines, process, settings, transaction
from kobako.actions import add, build, init, start, train, up, verify
from kobako.actions.context import Context
from kobako.actions.facts import Wishes
from kobako.actions.run import Request
from kobako.errors import INTERRUPTED, TERMINATED, EngineError, KobakoError, Stopped, UsageError, WorkError
from kobako.model.result import Problem, Result
from kobako.model.service import Service
from kobako.protocols import Narrator
from kobako.workspace import read_text, write_text

NAME = "digits"
DEFAULT = "kobako-demo"
CONFIG = f"configs/{NAME}/demo.json"
"""The first file that is written: the folder that has it is a demo's."""

SCRIPT = f"{NAME}/tools/clearml_train.py"
RESULTS = f"{NAME}/work_dirs/demo"
VERIFY = ("python", SCRIPT, f"--config={CONFIG}", "--epochs=2", f"--work_dir={NAME}/work_dirs/verify")
"""What proves the environment: the same training, shorter, in a folder of its own."""

_DECIDES_OTHERWISE = frozenset({"COMPOSE_FILE", "COMPOSE_PROJECT_NAME", "COMPOSE_ENV_FILES"})
"""Variables that would lead Kobako to another workspace than the one that it makes."""


class DemoRequest(NamedTuple):
    """``directory`` is relative to where Kobako was started. ``base`` is an image."""

    directory: str = DEFAULT
    base: str | None = None
    output_to_stderr: bool = False


class _Trained(NamedTuple):
    """What the training wrote into its ``result.json``."""

    accuracy: float
    loss: float
    seconds: float


def demo(context: Context, request: DemoRequest) -> Result:
    """Make the workspace, build, train, verify from zero. Raises what these verbs raise.

    The result is a failed one when the environment is not verified. ``context`` is the new workspace's afterwards, so
    that logs are written there.
    """
    root = context.start / request.directory
    root = root.resolve() if ".." in root.parts else root
    shown = _shown(root, context.start)
    named = settings.engine_name(context.engine_flag, context.env, None).value
    _refuse(named, context)  # before anything is written
    try:
        _check(root, shown)
    except OSError as error:
        raise UsageError("unreadable", f"cannot use {shown}", why=error.strerror or str(error)) from error
    files = dict.fromkeys(_config(root))
    files.update(dict.fromkeys(_workspace(context, root)))
    files.update(dict.fromkeys(_service(_inside(context), request.base)))
    inner = _inside(context)
    service = inner.service(NAME)
    base = _base_of(inner, service, request.base)
    engine = inner.engine(service)
    inner.narrator.say(f"workspace {shown}: service {NAME} on {base}, engine {engine.name}")
    if engine.states([service])[service.name] == "absent":
        inner.narrator.say("the first build downloads PyTorch, which takes a while")
    for problem in build.build(inner, (NAME,)).problems:
        inner.narrator.warn(problem)
    up.up(inner, (NAME,))
    trained = _train(inner, request, shown)
    verified = verify.verify(inner, NAME)
    data = {
        "folder": str(root),
        "service": service.name,
        "engine": engine.name,
        "base": base,
        **trained._asdict(),
        "files": list(files),
        "verified": verified.data["verified"],
    }
    if verified.status == "failed":
        return Result("demo", "failed", verified.exit_code, data, verified.problems)
    return Result("demo", data=data, text=_told(data, verified, shown))


def _refuse(named: str | None, context: Context) -> None:
    """An engine that was asked for and is surely of no use here."""
    problem = engines.in_the_way(named, context.env) if named is not None else None
    if problem is not None:
        fix = f"{problem.fix}; or without it: kobako demo --engine local"
        raise EngineError(problem.code, problem.what, why=problem.why, fix=fix)


class _Decided:
    """Tells as the one behind it does, and asks nothing: the demo's container is the demo's to remove."""

    def __init__(self, narrator: Narrator) -> None:
        self._narrator = narrator

    def say(self, line: str) -> None:
        self._narrator.say(line)

    def warn(self, problem: Problem) -> None:
        self._narrator.warn(problem)

    def step(self, name: str) -> AbstractContextManager[None]:
        return self._narrator.step(name)

    def child(self, line: str) -> None:
        self._narrator.child(line)

    def confirm(self, _question: str, *, person: bool = False) -> bool:  # noqa: ARG002 - as the protocol has it
        return True


def _inside(context: Context) -> Context:
    """The workspace as its files are now."""
    made = Context(context.start, context.env, _Decided(context.narrator), context.engine_flag)
    made.screen = context.screen
    return made


def _shown(root: Path, origin: Path) -> str:
    """The folder as a person would type it."""
    relative = os.path.relpath(root, origin)
    return str(root) if relative.startswith(os.pardir) else relative


def _check(root: Path, shown: str) -> None:
    """The folder is new, empty, or a demo's. Folders and a half-written configuration are what a kill can leave."""
    if not os.path.lexists(root) or (root / CONFIG).is_file():
        return
    if not root.is_dir():
        raise UsageError("exists", f"{shown} is there already and is not a folder", fix="kobako demo another-folder")
    partial = f".{Path(CONFIG).name}."
    if any(path.is_symlink() or not (path.is_dir() or path.name.startswith(partial)) for path in root.rglob("*")):
        raise UsageError(
            "exists",
            f"{shown} is there already and is left as it is",
            why=f"it is not empty, and not a demo's: it has no {CONFIG}",
            fix="kobako demo another-folder",
        )


def _files() -> Path:
    return Path(str(resources.files("kobako.demo"))) / "files"


def _config(root: Path) -> Iterator[str]:
    file = root / CONFIG
    if file.exists():
        return
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError("unreadable", f"cannot make {file.parent}", why=error.strerror or str(error)) from error
    write_text(file, read_text(_files() / "configs" / file.name), CONFIG)
    yield CONFIG


def _workspace(context: Context, root: Path) -> Iterator[str]:
    """What ``init`` makes; ``context`` is the workspace's from here on."""
    context.env = {name: value for name, value in context.env.items() if name not in _DECIDES_OTHERWISE}
    made = init.init(context, str(root))
    context.start = root
    for problem in made.problems:
        context.narrator.warn(problem)
    yield from made.data["files"]


def _service(context: Context, base: str | None) -> Iterator[str]:
    """The repository with its Dockerfile and its service, and what ``verify`` is to run."""
    if NAME not in context.project.services:
        # The interpreter that Kobako itself runs in is surely here: an engine without images need not bring one.
        own = f"python:{sys.version_info.major}.{sys.version_info.minor}-slim"
        request = add.AddRequest(str(_files() / NAME), wishes=Wishes(base or own, ask_index=False))
        yield from add.add(context, request).data["files"]
        context = _inside(context)
    if context.service(NAME).hints.verify is None:
        _set_verify(context)


def _set_verify(context: Context) -> None:
    from kobako.compose.edit import set_key  # noqa: PLC0415 - the YAML parser is needed from here on

    file = context.found.files[0]
    shown = context.workspace.relative(file)
    with transaction.alone(context.workspace):
        text = read_text(file, shown)
        write_text(file, set_key(text, ("services", NAME, "x-kobako", "verify"), list(VERIFY), file=shown), shown)


def _base_of(context: Context, service: Service, named: str | None) -> str:
    """What the Dockerfile is built on: it may be an earlier demo's, or changed since."""
    from kobako.dockerfile import recipe  # noqa: PLC0415 - the parsers are needed here only

    start.check_recipe(context, service)
    if service.build is None or service.build.dockerfile is None:
        return service.image or ""
    shown = context.workspace.relative(service.build.dockerfile)
    found = recipe.base(recipe.read_recipe(read_text(Path(service.build.dockerfile), shown), shown))
    if named is not None and named != found:
        problem = Problem("exists", f"{shown} is left as it is: it is built on {found}", f"--base says {named}")
        context.narrator.warn(problem._replace(fix=f"kobako demo --base {quote(named)} another-folder"))
    return found


def _train(context: Context, request: DemoRequest, shown: str) -> _Trained:
    """Train for real; the script's own lines go straight through."""
    argument = f"--config={CONFIG}"
    with context.narrator.step(f"training {NAME}"):
        asked = Request(NAME, (argument,), output_to_stderr=request.output_to_stderr)
        code = train.train(context, asked).exit_code
        if code in {INTERRUPTED, TERMINATED}:  # on a terminal, Ctrl-C is a byte for the program inside
            raise Stopped(signal.SIGINT if code == INTERRUPTED else signal.SIGTERM)
        if code:
            raise WorkError(
                "command-failed",
                f"the training ended with exit code {code}",
                fix=f"kobako train --workspace {quote(shown)} {NAME} {argument}",
            )
    file = f"{RESULTS}/result.json"
    try:
        found = json.loads(read_text(context.workspace.root / file, file))
        return _Trained(*(float(found[field]) for field in _Trained._fields))
    except KobakoError as error:
        raise WorkError("command-failed", f"the training left no {file}", why=error.why) from error
    except (ValueError, KeyError, TypeError) as error:
        raise WorkError("command-failed", f"{file} does not say how the training went", why=str(error)) from error


def _told(data: dict[str, Any], verified: Result, shown: str) -> str:
    took = sum(step["seconds"] for step in verified.data["steps"])
    return "\n".join(
        [
            f"{NAME} is trained and verified (engine {data['engine']})",
            f"  trained   {100 * data['accuracy']:.1f} % right, loss {data['loss']:.6f}, in {data['seconds']:.1f} s",
            f"  verified  removed, built from zero, started and trained again: {took:.1f} s",
            "",
            f"in {shown}:",
            *_rows((file, what) for file, what in _PLACES),
            "",
            "next:",
            *_activation(),
            *([] if shown == os.curdir else [f"  cd {quote(shown)}"]),
            *_rows(_next(data["engine"])),
        ]
    )


def _activation() -> list[str]:
    """What makes `kobako` a command of this shell, where it is not one yet."""
    ours = Path(sys.executable).parent
    found = process.which("kobako")
    if (found is not None and Path(found).parent == ours) or not (ours / "activate").is_file():
        return []
    near = os.path.relpath(ours / "activate")
    return [f"  source {quote(near if len(near) < len(str(ours)) else str(ours / 'activate'))}"]


def _rows(pairs: Iterator[tuple[str, str]]) -> Iterator[str]:
    for left, right in pairs:
        yield f"  {left:<38}  {right}".rstrip()


_PLACES = (
    ("docker-compose.yaml", "the service, yours to edit"),
    (f"docker/{NAME}", "its Dockerfile, the same"),
    (f"{NAME}/", "the repository: network, entry script"),
    (CONFIG, "what the training is told"),
    (f"{RESULTS}/", "checkpoints, result.json, curves"),
)


def _next(engine: str) -> Iterator[tuple[str, str]]:
    yield f"kobako shell {NAME}", "go in and try things by hand"
    yield f"kobako train {NAME} --epochs=40", "train again, longer"
    yield "kobako ps", "what there is, and what runs"
    yield "kobako doctor", "what this machine has"
    if engine == "docker":
        yield f"tensorboard --logdir={NAME}/work_dirs", "the curves (pip install tensorboard)"
        yield f"docker compose build {NAME}", "the same files without Kobako"
        yield f"docker compose up -d {NAME}", ""
    else:
        yield f"kobako exec {NAME} \\", "the curves"
        yield f"    tensorboard --logdir={NAME}/work_dirs", ""
    yield f"kobako rm {NAME}", "end it; then the folder can go too"
