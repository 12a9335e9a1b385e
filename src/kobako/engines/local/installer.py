"""Installs with uv, from outside or, where somebody's code has to run for it, inside the sandbox.

A wheel is unpacked, and nothing of it runs: that is done from outside, where uv can link files from its cache. What
exists as a source only is built inside, with a cache of its own that no other service, interpreter or PyTorch shares.
Which of the two it is, is asked inside beforehand (and remembered): from outside uv would quietly take an older
version of which there is a wheel.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from kobako import pipconfig, process, uv
from kobako.engines.local import builds, given, kept, origin, pip, sandbox, tree
from kobako.engines.local.given import Call
from kobako.engines.local.paths import Bind
from kobako.engines.local.pip import Install
from kobako.engines.local.place import Place
from kobako.engines.local.sandbox import How
from kobako.engines.local.stage import CONFIG, Means, Stage, variables
from kobako.engines.local.tasks import digest
from kobako.errors import BuildError, Where
from kobako.masking import mask
from kobako.model.result import Problem
from kobako.pipconfig import PipConfig
from kobako.process import Outcome, Setting
from kobako.protocols import Narrator

_WEEK = 7 * 24 * 3600
_NEEDS_CODE = re.compile(
    r"building from source is disabled|[Bb]uilding source distributions is disabled|has no usable wheels|"
    r"[Bb]uilding .* is disabled|no wheels? (?:is|are) (?:available|usable)|Wheels are required for"
)
_NO_ANSWER = re.compile(
    r"error sending request|Failed to fetch|Could not connect|dns error|timed out|Network is unreach"
)
_INSTALLED = re.compile(r"^ \+ (\S+)", re.MULTILINE)


class _Way(NamedTuple):
    """``torch`` is the CPU build to take, ``BACKEND`` for uv to find one, "" for no word on it; ``code`` says that
    somebody's code has to run.
    """

    torch: str
    code: bool


@dataclass(frozen=True)
class Installer:
    """``place`` has the caches."""

    means: Means
    place: Place
    narrator: Narrator

    def run(self, stage: Stage, call: Call) -> None:
        """Install. Raises ``BuildError`` with the step's place."""
        self._install(stage, call)
        if not self.means.gpu:
            self._pair(stage, call)

    def _pair(self, stage: Stage, call: Call) -> None:
        """Mend what a CPU build of torch cannot work with: whatever wants torchvision brings the index's, which is
        compiled for CUDA.
        """
        held = stage.packages()
        alone = builds.unpaired(held, stage.interpreter)
        if not alone:
            return
        wanted = tuple(f"{name}=={held[name].partition('+')[0]}" for name in alone)
        fresh = (*(f"--reinstall-package={name}" for name in alone), f"--torch-backend={BACKEND}")
        cpu = call._replace(install=Install((*fresh, *wanted), names=alone))
        found = frozenset[str]() if stage.touched else _chosen(self._tried(stage, _impatient(cpu), self._pip(call), ""))
        if all(any(one.startswith(f"{two}+cpu") for one in found) for two in wanted):
            self._install(stage, cpu)
            return
        named = " and ".join(wanted)
        what = f"no CPU build of {named} is at hand: torch is taken from the package index, too: {_SIZE}"
        why = f"{named} of the index is compiled for CUDA, and cannot be imported beside torch {held['torch']}"
        fix = f"put a CPU wheel of {named} into a folder of find-links, beside that of torch"
        self.narrator.warn(Problem("torch-size", what, why, fix))
        other = (f"torch=={held['torch'].partition('+')[0]},!={held['torch']}",)
        self._install(stage, call._replace(install=Install(other, names=("torch",))))

    def _install(self, stage: Stage, call: Call) -> None:
        settings = self._pip(call)
        if call.install.of_pip and origin.configures_pip(stage.root):
            self._with_pip(stage, call, settings)
            return
        call = call._replace(install=self._judged(stage, call))
        if call.install.needs_code and self.means.tools is None:
            raise self._needs_sandbox(call, "it comes from files, or asks for a build")
        call = call._replace(shelf=kept.shelf(self.means, self.place, stage, call, settings))
        if stage.touched:
            self._inside(stage, call, settings, self._at_hand(stage, settings))
            return
        way = self._way(stage, call, settings)
        if way.code:
            self._inside(stage, call, settings, way.torch)
        else:
            self._outside(stage, call, settings, way.torch)

    def _way(self, stage: Stage, call: Call, settings: PipConfig) -> _Way:
        """How to do it; remembered for a week, since asking takes as long as doing."""
        held = sorted(stage.packages().items())
        offered = builds.offered(settings, stage.interpreter)
        means = [self.means.tools is not None, self.means.gpu, list(stage.interpreter), offered]
        asked = [
            call.install.arguments,
            given.files(stage, call),
            dict(call.environment),
            uv.flags(settings),
            uv.indexes(settings),
            means,
            held,
        ]
        path = self.place.cache("ways") / f"{digest(asked)}.json"
        with contextlib.suppress(OSError, ValueError):
            if time.time() - path.stat().st_mtime < _WEEK:
                return _Way(*json.loads(path.read_bytes()))
        warned: list[Problem] = []
        torch = self._torch(stage, call, settings, warned)
        code = self.means.tools is not None and (
            call.install.needs_code or self._takes_code(stage, call, settings, torch)
        )
        for problem in warned:
            self.narrator.warn(problem)
        if not warned:  # what could not be had may be had tomorrow
            self.place.write(path, [torch, code])
        return _Way(torch, code)

    def venv(self, stage: Stage, where: Where) -> None:
        """An empty environment that can be moved."""
        argv = [self.means.uv, "venv", "--relocatable", "--no-project", "--no-config", "--quiet"]
        outcome = self._uv([*argv, f"--python={stage.interpreter.path}", str(stage.env)], stage)
        if not outcome.ok:
            raise _error(outcome, "making an environment", where)
        shutil.copyfile(stage.env / "pyvenv.cfg", stage.folder / CONFIG)

    def _pip(self, call: Call) -> PipConfig:
        both = {**call.environment, **call.install.environment}
        said = {name: value for name, value in both.items() if name in pip.PIP_MEANT}
        return pipconfig.read({**self.means.env, **said})

    def _outside(self, stage: Stage, call: Call, settings: PipConfig, torch: str) -> None:
        argv = self._argv(stage.python, call.install, settings, _build(stage, torch))
        outcome = self._uv([*argv, "--no-build", *(given.arguments(stage, call) or ())], stage, call)
        if outcome.ok:
            return
        if _NEEDS_CODE.search(outcome.stderr) and self.means.tools is None and not call.install.wheels_only:
            raise self._needs_sandbox(call, _said(outcome))
        raise _error(outcome, call.name, call.where)

    def _with_pip(self, stage: Stage, call: Call, settings: PipConfig) -> None:
        """The image has a configuration of its own for pip, which only pip itself can honour."""
        if self.means.tools is None:
            raise self._needs_sandbox(call, "the image configures pip in a file")
        tree.separate(stage.env)
        stage.touched = True
        env = {**origin.variables(settings, stage.root), **origin.proxies(self.means.env)}
        env |= variables(call.environment)
        pip_install = ("python3", "-m", "pip", "install", *call.install.words)
        command = ["/bin/sh", "-c", sandbox.IN_FOLDER, "kobako", call.workdir, *pip_install]
        view = stage.view(origin.folders(settings, self.means.env))
        how = How({**env, **call.install.environment})
        with sandbox.command(self.means.tools, view, command, how) as (argv, keep):
            outcome = process.run_in(Setting(sandbox.CLEAN, keep=keep), argv, self.narrator.child)
        if not outcome.ok:
            raise _error(outcome, call.name, call.where)

    def _needs_sandbox(self, call: Call, said: str) -> BuildError:
        return BuildError(
            "needs-sandbox",
            f"cannot install without running a stranger's code: {call.name}",
            why=f"{said}\nbuilding from source needs bubblewrap: {self.means.without}",
            fix="kobako doctor says what to do; or use --engine docker",
            where=call.where,
        )

    def _judged(self, stage: Stage, call: Call) -> Install:
        """The install; one that says more than names of packages is done inside."""
        dollars = any("$" in word for word in call.install.arguments)
        if dollars or given.arguments(stage, call) is None:
            return call.install._replace(needs_code=True)
        return call.install

    def _takes_code(self, stage: Stage, call: Call, settings: PipConfig, torch: str) -> bool:
        """Whether the versions that uv would choose freely are others than those that exist as wheels."""
        bound = self._tried(stage, call, settings, torch)
        if not bound.ok and not _NEEDS_CODE.search(bound.stderr):
            raise _error(bound, call.name, call.where)
        if bound.ok and (call.install.wheels_only or origin.without_secrets(settings) != settings):
            return False  # the index wants to know who asks, and a stranger's code is not to hear that
        free = self._uv_inside(stage, call, settings, torch, dry=True) if bound.ok else None
        return free is None or not free.ok or _chosen(free) != _chosen(bound)

    def _inside(self, stage: Stage, call: Call, settings: PipConfig, torch: str) -> None:
        self.narrator.child(f"{call.name}: built inside the sandbox")
        tree.separate(stage.env)
        stage.touched = True
        outcome = self._uv_inside(stage, call, settings, torch)
        if not outcome.ok and torch and "No solution found" in outcome.stderr:
            outcome = self._uv_inside(stage, call, settings, "")  # it wants another torch than the one at hand
        if not outcome.ok:
            error = _error(outcome, call.name, call.where)
            if origin.without_secrets(settings) != settings:
                error.why += "\n(indexes with credentials are not shown to a stranger's code: " + _SHELF + ")"
            raise error
        if call.shelf is not None:
            kept.put(call.shelf)

    def _uv_inside(self, stage: Stage, call: Call, settings: PipConfig, torch: str, *, dry: bool = False) -> Outcome:
        assert self.means.tools is not None  # noqa: S101 - asked before
        settings = origin.without_secrets(settings)
        assert call.shelf is not None  # noqa: S101 - looked up before
        extra = [Bind(self.means.uv, _UV), Bind(str(kept.opened(call.shelf)), _CACHE, "bind")]
        extra += [Bind(str(_constraint(stage, torch)), _TORCH)] if torch not in {"", BACKEND} else []
        view = stage.view(origin.folders(settings, self.means.env), tuple(extra))._replace(frozen=dry)
        options = [*_build(stage, torch, inside=True), *(["--dry-run"] if dry else []), *given.inside(call)]
        options += ["--no-build"] if call.install.wheels_only else []
        options += [f"--find-links={_CACHE}/{kept.LINKS}"] if kept.links(call.shelf) else []
        argv = self._argv(f"{sandbox.ENV_INSIDE}/bin/python", call.install, settings, options)
        argv[0] = _UV
        env = {
            **variables(call.environment),
            **origin.proxies(self.means.env),
            **origin.proxies(call.environment),
            **uv.environment(settings),
        }
        # the cache is this install's alone: a stranger's code may write into it
        env |= {"UV_CACHE_DIR": _CACHE, "UV_LINK_MODE": "copy"}
        said = uv.indexes(settings)
        env |= {name: value for name, value in said.items() if not origin.names_index(name, call.install.arguments)}
        env |= {name: value for name, value in call.install.environment.items() if name not in _OURS}
        env = {name: value for name, value in env.items() if name not in given.PATHS}
        command = ["/bin/sh", "-c", sandbox.IN_FOLDER, "kobako", call.workdir, *argv, *call.install.arguments]
        with sandbox.command(self.means.tools, view, command, How(env)) as (whole, keep):
            return process.run_in(Setting(sandbox.CLEAN, keep=keep), whole, None if dry else self.narrator.child)

    def _argv(self, python: str, install: Install, settings: PipConfig, extra: Sequence[str]) -> list[str]:
        options = uv.flags(settings)
        if "--extra-index-url" in install.arguments:
            options.append("--index-strategy=unsafe-best-match")
        options = list(dict.fromkeys([*options, *extra]))
        # what the line itself says goes before what is said for it; uv takes most options once
        options = [one for one in options if one.partition("=")[0] not in install.options & _ONCE]
        head = [self.means.uv, "pip", "install", "--no-config", "--no-progress", "--color=never", f"--python={python}"]
        return [*head, *options]

    def _uv(self, argv: Sequence[str], stage: Stage, call: Call | None = None) -> Outcome:
        said = {} if call is None else {**call.environment, **call.install.environment}
        env = origin.outside(self.means.env)
        env |= {name: self.means.env[name] for name in _KEPT if name in self.means.env}
        if call is not None:
            env |= {**origin.proxies(call.environment), **uv.environment(self._pip(call))}
        env |= {name: value for name, value in pip.meant_outside(said) if name not in given.PATHS}
        env.setdefault("UV_CACHE_DIR", str(self._cache()))
        if call is None:
            return process.run_in(Setting(env, stage.folder), argv, self.narrator.child)
        env |= {
            name: value
            for name, value in uv.indexes(self._pip(call)).items()
            if not origin.names_index(name, call.install.arguments)
        }
        with stage.trusted(call.where):
            if not stage.asked:
                # uv starts the environment's Python once, to ask what it is: with nothing installed in it
                with stage.emptied():
                    ask = [self.means.uv, "pip", "list", "--no-config", f"--python={stage.python}"]
                    process.run_in(Setting(env, stage.folder), ask)
                stage.asked = True
            return process.run_in(Setting(env, stage.folder), argv, self.narrator.child)

    def _cache(self) -> Path:
        """uv's cache, where it can be written; else one in the workspace."""
        home = self.means.env.get("HOME") or str(Path.home())
        usual = Path(self.means.env.get("XDG_CACHE_HOME") or Path(home) / ".cache") / "uv"
        standing = next((one for one in (usual, *usual.parents) if one.exists()), usual)
        if os.access(standing, os.W_OK | os.X_OK):
            return usual
        self.narrator.child(f"uv's cache cannot be written ({usual}): one in .kobako is used")
        return self.place.cache("uv", "wheels")

    def _torch(self, stage: Stage, call: Call, settings: PipConfig, warned: list[Problem]) -> str:
        """Which CPU build of torch to take: this machine has no GPU, and torch is still to come. See :class:`_Way`."""
        if self.means.gpu or "torch" in stage.packages():
            return ""
        if call.install.needs_code:
            return self._at_hand(stage, settings)
        plain = self._tried(stage, call, settings, "")
        if not plain.ok and _NO_ANSWER.search(plain.stderr):
            return ""
        if not call.install.wants_torch:
            if not plain.ok:
                return self._at_hand(stage, settings)
            if "torch" not in {one.partition("==")[0] for one in _chosen(plain)}:
                return ""
        for version in builds.offered(settings, stage.interpreter):
            if self._tried(stage, call, settings, version).ok:
                return version
        if self._tried(stage, _impatient(call), settings, BACKEND).ok:
            return BACKEND
        size = f"the package index's build for CUDA is taken: {_SIZE}"
        why = "no folder of find-links has one, and PyTorch's own index of CPU builds does not answer"
        fix = "name a folder with a CPU wheel of torch: PIP_FIND_LINKS=/folder"
        warned.append(Problem("torch-size", f"no CPU build of torch is at hand: {size}", why, fix))
        return ""

    def _at_hand(self, stage: Stage, settings: PipConfig) -> str:
        """The CPU build to take in case torch is wanted, where nobody can be asked whether it is."""
        held = self.means.gpu or "torch" in stage.packages()
        return "" if held else next(iter(builds.offered(settings, stage.interpreter)), "")

    def _tried(self, stage: Stage, call: Call, settings: PipConfig, torch: str) -> Outcome:
        """What would be installed, from wheels alone."""
        argv = self._argv(stage.python, call.install, settings, _build(stage, torch))
        return self._uv([*argv, "--dry-run", "--no-build", *(given.arguments(stage, call) or ())], stage, call)


BACKEND = "cpu"
_SIZE = "several GB with its libraries"


def _impatient(call: Call) -> Call:
    """The same, for an index that may not be reached from here."""
    impatience = {"UV_HTTP_TIMEOUT": "4", "UV_HTTP_CONNECT_TIMEOUT": "3", "UV_HTTP_RETRIES": "0"}
    return call._replace(install=call.install._replace(environment={**call.install.environment, **impatience}))


def _build(stage: Stage, torch: str, *, inside: bool = False) -> list[str]:
    """The options that make uv take a build of torch."""
    if torch in {"", BACKEND}:
        return ["--torch-backend=cpu"] if torch else []
    return [f"--constraint={_TORCH if inside else _constraint(stage, torch)}"]


def _constraint(stage: Stage, torch: str) -> Path:
    path = stage.folder / "torch.txt"
    path.write_text(f"torch=={torch}\n", encoding="ascii")
    return path


_UV = "/opt/kobako/uv"
_CACHE = "/opt/kobako/cache"
_TORCH = "/opt/kobako/torch.txt"
_SHELF = "put a wheel of it into a folder of find-links"
_KEPT = (
    *("UV_CACHE_DIR", "UV_PYTHON_INSTALL_DIR", "UV_OFFLINE", "UV_LINK_MODE", "UV_CONCURRENT_DOWNLOADS"),
    *("UV_HTTP_TIMEOUT", "UV_HTTP_RETRIES", "UV_HTTP_CONNECT_TIMEOUT"),
)
"""What a person has set for uv on this machine, and not for one project."""
_ONCE = frozenset({"--index-strategy", "--torch-backend", "--no-index", "--dry-run", "--no-deps", "--prerelease"})
_OURS = frozenset({"UV_SYSTEM_PYTHON", "UV_CACHE_DIR", "UV_LINK_MODE", "UV_PYTHON", "UV_BREAK_SYSTEM_PACKAGES"})


def _chosen(outcome: Outcome) -> frozenset[str]:
    return frozenset(_INSTALLED.findall(outcome.stderr))


def _said(outcome: Outcome) -> str:
    talk = ("Using Python", "Resolved", "warning:")
    lines = [line for line in outcome.stderr.splitlines() if line.strip() and not line.startswith(talk)]
    # masked before it is cut: half an address would no longer be seen as one
    return mask("\n".join(lines))[-1500:] or outcome.last_lines()


def _error(outcome: Outcome, name: str, where: Where) -> BuildError:
    said = _said(outcome)
    if "No space left on device" in said or "os error 28" in said:
        return BuildError("disk-full", f"no space left: {name}", why=said, fix="free some space", where=where)
    if _NO_ANSWER.search(said):
        fix = "check the connection, and pip's configuration: kobako doctor"
        return BuildError(
            "index-unreachable", f"the package index does not answer: {name}", why=said, fix=fix, where=where
        )
    if "has no wheels with a matching" in said or "no usable wheels" in said:
        fix = "ask for a version that fits the base's Python, or choose another base"
        return BuildError("build-failed", f"nothing fits this Python: {name}", why=said, fix=fix, where=where)
    return BuildError("build-failed", f"cannot build at {name}", why=said, fix="correct the line", where=where)
