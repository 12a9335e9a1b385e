"""A private Docker Engine: found in the cache or fetched, started on a socket of its own, and always ended.

Two runs at once do not meet: each takes a free slot of the cache, and with it a data root. What a killed run left (a
daemon, containers, mounts, a run folder) is ended when its slot is taken next. The data root stays between runs.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from infra import processes
from infra.api import Api
from infra.cache import cache_folder, locked, try_lock
from infra.client import SOCKET_GROUP, Compose, clean_environment, link_or_copy, path_without, write_config
from infra.debian import unpack
from infra.user import Someone

# Debian 12's own Engine is too old to stand for today's; these run on its C library.
RELEASE = "forky"
PACKAGES = ("docker.io", "docker-cli", "docker-compose", "docker-buildx", "containerd")
SYSTEM_PROGRAMS = ("runc", "iptables", "mmdebstrap", "docker-compose", "setpriv", "apt-get", "dpkg-deb")
HOOK = "nvidia-container-runtime-hook"
SLOTS = 4
BUILD_CACHE_LIMIT = "4GB"


def missing_programs() -> list[str]:
    return [name for name in SYSTEM_PROGRAMS if shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin") is None]


def programs() -> Path:
    """The folder of the unpacked Docker programs, fetched the first time."""
    cache = cache_folder()
    root = cache / f"docker-{RELEASE}"
    with locked(cache / "docker.lock"):
        if not root.exists():
            fresh = Path(tempfile.mkdtemp(prefix="docker-", dir=cache))
            unpack(PACKAGES, RELEASE, fresh)
            fresh.chmod(0o755)
            fresh.rename(root)
    return root


class Engine:
    """A running daemon. ``expected`` holds image tags that may be there between tests, besides ``kobako-test/...``."""

    def __init__(self, slot: Path, lock: IO[str], *, nvidia: bool) -> None:
        self.nvidia = nvidia
        self.expected: set[str] = set()
        self.run_folder = Path(tempfile.mkdtemp(prefix="kobako-engine-", dir="/tmp"))
        self.run_folder.chmod(0o755)
        self.socket = self.run_folder / "docker.sock"
        self.api = Api(self.socket)
        self.slot = slot
        self._lock = lock
        self._daemon: subprocess.Popen[bytes] | None = None
        self._bin = self.run_folder / "bin"

    def start(self) -> None:
        (self.slot / "run").write_text(str(self.run_folder), encoding="utf-8")
        root = programs()
        link_or_copy(root / "usr/bin/docker", self._bin / "docker")
        for plugin in ("docker-compose", "docker-buildx"):
            link_or_copy(root / "usr/libexec/docker/cli-plugins" / plugin, self.run_folder / "plugins" / plugin)
        (self.run_folder / "daemon.json").write_text("{}\n", encoding="utf-8")
        with (self.slot / "dockerd.log").open("wb") as log:
            self._daemon = subprocess.Popen(
                self._command(root),
                env={**clean_environment(), "PATH": self._daemon_path(root)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._wait_until_up()

    def _command(self, root: Path) -> list[str]:
        run = self.run_folder
        # A killed test run takes its daemon along: pdeathsig gives it the chance to end its containers.
        argv = ["setpriv", "--pdeathsig", "TERM", str(root / "usr/sbin/dockerd")]
        argv += ["--config-file", str(run / "daemon.json"), "--data-root", str(self.slot / "data")]
        argv += ["--exec-root", str(run / "exec"), "--pidfile", str(run / "docker.pid")]
        argv += ["--host", f"unix://{self.socket}", "--group", str(SOCKET_GROUP), "--shutdown-timeout", "2"]
        # A containerd of the system, where one runs, is used too: keep apart from its other users.
        space = f"kobako-{self.slot.name}"
        argv += ["--containerd-namespace", space, "--containerd-plugins-namespace", f"{space}-plugins"]
        return [*argv, "--bridge=none", "--iptables=false", "--ip6tables=false"]

    def _daemon_path(self, root: Path) -> str:
        # The daemon honours NVIDIA reservations when it finds the hook on its PATH, whatever the hook does.
        system = path_without([HOOK], "/usr/sbin:/usr/bin:/sbin:/bin", self.run_folder / "farm")
        parts = [str(root / "usr/sbin"), str(root / "usr/bin"), system]
        if self.nvidia:
            hook = self.run_folder / "hooks" / HOOK
            hook.parent.mkdir(exist_ok=True)
            hook.write_text("#!/bin/sh\nexit 0\n", encoding="utf-8")
            hook.chmod(0o755)
            parts.insert(0, str(hook.parent))
        return os.pathsep.join(parts)

    def _wait_until_up(self, seconds: float = 60) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until and self._daemon is not None and self._daemon.poll() is None:
            if self.api.answers():
                return
            time.sleep(0.05)
        raise RuntimeError(f"dockerd does not answer:\n{self.log()[-4000:]}")

    def log(self) -> str:
        return (self.slot / "dockerd.log").read_text(encoding="utf-8", errors="replace")

    def kill(self) -> None:
        """End the daemon as a crash would, containers and all. ``restart`` brings it back."""
        if self._daemon is not None:
            self._daemon.kill()
            self._daemon.wait()
        _sweep(self.run_folder, self.slot, remove=False)

    def restart(self) -> None:
        self.kill()
        for stale in ("docker.pid", "docker.sock"):
            (self.run_folder / stale).unlink(missing_ok=True)
        self.start()

    def stop(self) -> None:
        daemon, self._daemon = self._daemon, None
        if daemon is not None:
            if daemon.poll() is None and self.api.answers():
                for container in self.api.containers():
                    self.api.remove("containers", container["Id"])
                self.docker("builder", "prune", "--force", "--max-used-space", BUILD_CACHE_LIMIT, check=False)
            daemon.terminate()
            try:
                daemon.wait(20)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        _sweep(self.run_folder, self.slot)
        self._lock.close()

    def environment(self, compose: Compose = "both", *, user: Someone | None = None) -> dict[str, str]:
        """The environment of a child process that talks to this Engine.

        ``compose`` says which Compose is there: the plugin of the client ("v2"), /usr/bin/docker-compose ("v1"), both
        or none. For v1 with BuildKit set DOCKER_BUILDKIT=1 and COMPOSE_DOCKER_CLI_BUILD=1 as a user would. ``user``
        gets a client's configuration of their own, which they can write, and their HOME.
        """
        found = clean_environment()
        path = found.get("PATH", "/usr/bin:/bin")
        if compose in {"v2", "none"}:
            path = path_without(["docker-compose"], path, self.run_folder / "farm")
        plugins = [self.run_folder / "plugins/docker-buildx"]
        if compose in {"both", "v2"}:
            plugins.append(self.run_folder / "plugins/docker-compose")
        folder = self.run_folder / f"config-{compose}-{user.uid if user else 0}"
        found["DOCKER_CONFIG"] = str(write_config(folder, plugins))
        found["DOCKER_HOST"] = f"unix://{self.socket}"
        found["PATH"] = f"{self._bin}{os.pathsep}{path}"
        if user:
            user.own(folder)
            found |= {"HOME": str(user.home), "USER": user.name, "LOGNAME": user.name}
        return found

    def docker(
        self, *argv: str, check: bool = True, cwd: Path | None = None, stdin: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run the Docker client; a failure raises RuntimeError with what it said, unless ``check`` is false."""
        done = subprocess.run(
            ["docker", *argv],
            env=self.environment(),
            cwd=cwd,
            input=stdin,
            check=False,
            capture_output=True,
            text=True,
        )
        if check and done.returncode != 0:
            raise RuntimeError(f"docker {' '.join(argv)}: {done.returncode}\n{(done.stdout + done.stderr)[-4000:]}")
        return done


def _sweep(run_folder: Path, slot: Path, *, remove: bool = True) -> None:
    """End every process, mount and file of a run folder, whoever started it."""
    left = processes.of_folder(run_folder)
    # the daemon first and alone: asked politely, it ends its containers itself
    processes.end({pid for pid in left if b"dockerd" in _command_line(pid)})
    processes.end(left, seconds=2)
    processes.unmount_below(run_folder)
    processes.unmount_below(slot)
    if remove:
        shutil.rmtree(run_folder, ignore_errors=True)
        (slot / "run").unlink(missing_ok=True)


def _command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _take_slot(kind: str) -> tuple[Path, IO[str]]:
    for number in range(SLOTS):
        slot = cache_folder() / "engines" / f"{kind}-{number}"
        lock = try_lock(slot / "lock")
        if lock is not None:
            return slot, lock
    raise RuntimeError(f"{SLOTS} test runs hold all engines of {cache_folder() / 'engines'}: wait for one to end")


@contextmanager
def running(*, nvidia: bool = False) -> Iterator[Engine]:
    """A daemon for the block. ``nvidia``: one that honours NVIDIA reservations. Needs root."""
    slot, lock = _take_slot("nvidia" if nvidia else "plain")
    recorded = slot / "run"
    if recorded.exists() and recorded.read_text(encoding="utf-8").startswith("/tmp/kobako-engine-"):
        _sweep(Path(recorded.read_text(encoding="utf-8")), slot)
    engine = Engine(slot, lock, nvidia=nvidia)
    try:
        engine.start()
        yield engine
    finally:
        engine.stop()
