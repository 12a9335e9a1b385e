"""A stranger's Dockerfile, packages and programs on the local engine: nothing outside of the sandbox may change or be seen.

Each attempt is made as root and as an ordinary user, whose home folder holds what nobody inside may read.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from engines.localbox import environment, index, ordinary, sdist
from infra.need import need
from infra.run import Outcome, kobako_argv, run
from infra.terminal import Terminal
from infra.user import Someone
from infra.wheels import write_wheel
from infra.workspaces import write_files

pytestmark = [pytest.mark.network, pytest.mark.timeout(240)]

SECRET = "TOP-SECRET-hunter2"
MARK = f"escaped-{os.getpid()}"
NUMBER = "73001"
SYSTEM = ("/", "/tmp", "/etc", "/usr", "/usr/bin", "/usr/lib", "/usr/local", "/usr/local/bin", "/var/tmp", "/root")
BASE = "FROM python:3.11-slim\n"
SERVICE = """\
  {name}:
    build: {{context: ., dockerfile: ./docker/{name}}}
    command: sleep 1000
    volumes: ["./data:/workspace/data", "./ro:/workspace/ro:ro"]
"""

# Tries, wherever it is loaded, to write where nobody may, and makes a file where it runs outside.
PRELOAD = r"""
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <unistd.h>
static void make(const char *path) { int fd = open(path, O_CREAT | O_WRONLY, 0644); if (fd >= 0) close(fd); }
static void attack(const char *place, const char *file, FILE *log) {
  if (!mount("none", place, 0, MS_REMOUNT | MS_BIND | MS_NOSUID | MS_NODEV, 0)) fprintf(log, "remounted %s\n", place);
  make(file);
  if (!umount2(place, MNT_DETACH)) fprintf(log, "unmounted %s\n", place);
}
__attribute__((constructor)) static void loaded(void) {
  FILE *log = fopen("/tmp/loaded", "a");
  if (log) {
    fprintf(log, "loaded\n");
    attack("/workspace/ro", "/workspace/ro/MARK", log); attack("/usr", "/usr/MARK", log);
    attack("/proc/sys", "/usr/bin/MARK", log);
    fclose(log);
  }
  make("VICTIM/preloaded");
}
"""


@dataclass
class Host:
    """A machine with a workspace of two services, secrets, and a folder that an escape would write to."""

    place: Path
    user: Someone | None
    env: dict[str, str]
    canary: int = 0

    @property
    def home(self) -> Path:
        return self.place / "home"

    @property
    def folder(self) -> Path:
        return self.home / "ws"

    @property
    def victim(self) -> Path:
        return self.place / "victim"

    def __call__(self, *words: str, timeout: float = 60, stdin: str | None = None) -> Outcome:
        argv = [*kobako_argv(self.user), *words]
        return run(argv, cwd=self.folder, env=self.env, user=self.user, timeout=timeout, stdin=stdin)

    def build(self, steps: str, *, ok: bool | None = True) -> Outcome:
        """Build ``box`` from these steps. ``{victim}`` and the like stand for paths of the host."""
        names = {"home": self.home, "ws": self.folder, "victim": self.victim, "mark": MARK, "number": NUMBER}
        for name, value in names.items():
            steps = steps.replace(f"{{{name}}}", str(value))
        (self.folder / "docker" / "box").write_text(BASE + steps, encoding="utf-8")
        done = self("-v", "build", "box")
        if ok is not None:
            assert (done.code == 0) == ok, str(done)
        assert done.code in {0, 5}, str(done)
        return done

    def places(self) -> dict[str, str]:
        """What may not change: all that is the caller's, the environments of others, uv's cache as far as it was filled."""
        found = dict(_tree(self.home, leave_out=(self.folder / ".kobako", self.home / ".cache", self.home / ".local")))
        found |= dict(_tree(self.victim))
        for image in (self.folder / ".kobako/local/built").glob("other.json"):
            found[str(image)] = _digest(image)
        found |= dict(_tree(self.folder / ".kobako/local/live/other/env"))
        found |= dict(_tree(self.home / ".cache/uv/archive-v0"))
        for path in ("/proc/sys/kernel/core_pattern", "/proc/sys/kernel/hostname", "/etc/passwd", "/etc/localtime"):
            found[path] = Path(path).read_bytes().hex()[:200]
        return found

    @contextlib.contextmanager
    def unharmed(self) -> Iterator[None]:
        recipe = str(self.folder / "docker" / "box")
        before = self.places()
        yield
        after = self.places()
        changed = {path for path in before if after.get(path) != before[path]} - {recipe}
        fresh = {path for path in after if path not in before and "/archive-v0/" not in path} - {recipe}
        marks = [Path(place, MARK) for place in SYSTEM if os.path.lexists(f"{place}/{MARK}")]
        for path in (*marks, *(Path(one) for one in fresh)):  # the next attempt starts from a clean machine
            _remove(path)
        assert not changed | fresh | {str(path) for path in marks}
        assert Path(f"/proc/{self.canary}/stat").exists(), "a process outside was killed"
        deadline = time.monotonic() + 3
        while left := _processes(NUMBER):
            assert time.monotonic() < deadline, f"left running: {left}"
            time.sleep(0.05)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _tree(top: Path, leave_out: tuple[Path, ...] = ()) -> Iterator[tuple[str, str]]:
    for path in sorted(top.iterdir()) if top.is_dir() else ():
        if path in leave_out:
            continue
        found = path.lstat()
        if path.is_dir() and not path.is_symlink():
            yield str(path), f"{found.st_mode:o} {found.st_uid}"
            yield from _tree(path, leave_out)
        elif path.is_symlink():
            yield str(path), os.readlink(path)
        elif path.is_file():
            yield str(path), f"{found.st_mode:o} {found.st_uid} {_digest(path)}"


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _processes(words: str) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdecimal() and words.encode() in (entry / "cmdline").read_bytes().split(b"\0"):
                found.append(int(entry.name))
    return found


@pytest.fixture(scope="module", params=["root", "someone"])
def host(request: pytest.FixtureRequest) -> Iterator[Host]:
    need("bubblewrap", shutil.which("bwrap"), "apt-get install bubblewrap")
    place = Path(tempfile.mkdtemp(prefix="kobako-hostile-", dir="/tmp"))
    place.chmod(0o755)
    (place / "home").mkdir()
    (place / "victim").mkdir()
    user = None
    if request.param == "someone":
        user = ordinary(request.getfixturevalue("someone"), place / "home")
    elif os.geteuid() != 0:
        pytest.skip("root's part needs root")
    host = Host(place, user, environment(place, user))
    (place / "served/simple/evilpkg").mkdir(parents=True)
    with index(place / "served", SECRET) as url:
        _plant(host, url)
        if user is not None:
            user.own(host.home)
            user.own(host.victim)
        done = host("up", "other")
        assert done.code == 0, str(done)
        secretive = subprocess.Popen(["sleep", "1000"], env={"SECRET": SECRET}, user=user.uid if user else None)
        host.canary = secretive.pid
        try:
            yield host
        finally:
            host("rm", "other", "box")
            secretive.kill()
            secretive.wait()
            shutil.rmtree(place)


def _plant(host: Host, url: str) -> None:
    paths = [str(host.home / name) for name in (".ssh/id_rsa", ".netrc", ".config/pip/pip.conf", "ws/.env")]
    script = f"touch {host.home}/{MARK} {host.victim}/{MARK} /usr/{MARK}; {APPEND}; id -u"
    made = sdist(paths, script)
    files: dict[str, str | bytes] = {
        **dict.fromkeys((".ssh/id_rsa", ".netrc"), SECRET),
        ".bashrc": "true\n",
        ".config/pip/pip.conf": f"[global]\nextra-index-url = {url}\n",
        "ws/.env": f"TOKEN={SECRET}\nCOMPOSE_PROJECT_NAME=hostile\n",
        "ws/docker-compose.yaml": "services:\n" + "".join(SERVICE.format(name=name) for name in ("box", "other")),
        "ws/docker/other": BASE + f"RUN pip install six markupsafe\nRUN echo {SECRET} > /opt/other\n",
        "ws/docker/box": BASE,
        "ws/data/.keep": "",
        "ws/ro/kept": "as it is\n",
        "ws/evilpkg-1.0.tar.gz": made,
        "ws/hello": "hello\n",
    }
    write_files(host.home, files)
    (host.folder / "leads-home").symlink_to(host.home)
    code = f"import os; os.path.isdir('{host.victim}') and os.mkdir('{host.victim}/pth')\n"
    write_wheel(host.folder, "startup", "1.0", files={"startup.pth": code})
    served = host.place / "served/simple/evilpkg"
    (served / "evilpkg-1.0.tar.gz").write_bytes(made)
    (served / "index.html").write_text('<a href="evilpkg-1.0.tar.gz">evilpkg-1.0.tar.gz</a>', encoding="utf-8")


APPEND = "for f in $(find /opt/kobako/env -type f); do echo '# evil' >> $f; done"
HOPS = "RUN cd / && i=0; while [ $i -lt {count} ]; do ln -s a$((i+1)) a$i; i=$((i+1)); done; ln -s {victim} a{count}\n"

ATTEMPTS = {
    "reads the caller's files": (
        "RUN cat {home}/.ssh/* {home}/.netrc {home}/.config/pip/pip.conf {ws}/.env; ls {home} {victim}; "
        "grep -rs TOP-SECRET /root /home /opt /etc /tmp /var /workspace {home}; cat /etc/shadow && exit 9; true\n"
    ),
    "reads other services": "RUN cat {ws}/.kobako/local/images/*/root/opt/other; ls {ws}/.kobako && exit 9; true\n",
    "reads processes": "RUN cat /proc/*/environ /proc/*/cmdline | tr '\\0' '\\n'; true\n",
    "writes": (
        "RUN for d in {home} {victim} {ws} {home}/.cache/uv /etc /usr /usr/bin /usr/lib /tmp /var/tmp /root; do "
        "mkdir -p $d; touch $d/{mark}; done; echo x >> {home}/.bashrc; true\n"
    ),
    "mounts": (
        "RUN grep CapEff /proc/self/status; for o in remount,rw remount,rw,bind; do "
        "mount -o $o /usr && touch /usr/{mark}; mount -o $o /proc/sys; mount -o $o /; done; "
        "unshare -Urm sh -c 'mount -o remount,rw,bind /usr; touch /usr/{mark}'; "
        "nsenter -t 1 -a touch /usr/{mark}; chroot /proc/1/root touch /usr/{mark}; touch /usr/{mark} /usr/bin/{mark}; "
        "for s in core_pattern hostname; do (: >> /proc/sys/kernel/$s) 2>/dev/null && echo WRITABLE $s; done; "
        "hostname {mark}; umount -l /usr && echo WRITABLE; true\n"
    ),
    "kills": "RUN (sleep 0.2; kill -9 -1) & kill -TERM -1; kill -9 $PPID; sleep 1; true\n",
    "leaves processes": (
        "RUN for i in $(seq 60); do sleep {number} & done; setsid sleep {number} & (env -i setsid sleep {number} &) ; "
        "trap '' TERM HUP INT; nohup sleep {number} & true\n"
    ),
    "forks": "RUN b() { [ $1 -gt 0 ] && { b $(($1-1)) & b $(($1-1)) & }; sleep {number}; }; b 7 & sleep 1\n",
    "writes through hard links": f"RUN pip install six\nRUN {APPEND}; pip --version; true\n",
    "copies through a link": "RUN ln -s / /x; ln -s {victim} /y\nCOPY hello /x/tmp/{mark}\nCOPY hello /y/{mark}\n",
    "copies through 41 links": HOPS.replace("{count}", "41") + "COPY hello /a0/{mark}\nCOPY hello /a1/{mark}\n",
    "copies through 40 links": HOPS.replace("{count}", "40") + "COPY hello /a0/{mark}\nCOPY hello /a0\n",
    "copies what lies behind a link": "COPY leads-home/.netrc /leak\nRUN cat /leak\n",
    "works behind a link": "RUN ln -s {victim} /y; ln -s /oldroot{victim} /z\nWORKDIR /y\nCOPY hello {mark}\n"
    "RUN touch {mark}\nWORKDIR /z/deep\nCOPY hello .\nRUN touch {mark}\n",
    "links the list of what is missing": "RUN ln -s {victim}/{mark} /opt/kobako/missing.txt; ln -s {home}/.netrc /opt/m\n"
    "RUN apt-get install -y no-such-package\nRUN rm -f /opt/kobako/missing.txt; ln -s {home}/.netrc /opt/kobako/missing.txt\n",
    "replaces Kobako's folder": "RUN mv /opt/kobako /opt/k; ln -s {victim} /opt/kobako\n"
    "RUN apt-get install -y no-such-package; touch /opt/kobako/{mark}\n",
    "has mount points made outside": "RUN mv /opt /k; ln -s /../../oldroot{victim} /opt\nRUN true\n",
    "a pipe as the list": "RUN rm -f /opt/kobako/missing.txt; mkfifo /opt/kobako/missing.txt\n",
    "links /etc": "RUN mv /etc /e; ln -s {victim} /etc\n"
    "RUN ln -snf /usr/share/zoneinfo/Asia/Tokyo /etc/localtime && echo Asia/Tokyo > /etc/timezone\n",
    "a program instead of Python": "RUN p=/opt/kobako/env/bin/python; rm $p; "
    "printf '#!/bin/sh\\nmkdir {victim}/python\\nexec /usr/bin/python3 \"$@\"\\n' > $p; chmod +x $p\nRUN pip install six\n",
    "code at the start of Python": "RUN s=/opt/kobako/env/lib/python3.11/site-packages; "
    "echo \"import os; os.path.isdir('{victim}') and os.mkdir('{victim}/pth')\" > $s/x.pth; cp $s/x.pth $s/sitecustomize.py\n"
    "RUN pip install six\nRUN pip install tomli\n",
    "a wheel with code at the start of Python": "COPY startup-1.0-py3-none-any.whl /tmp/\n"
    "RUN pip install /tmp/startup-1.0-py3-none-any.whl\nRUN pip install six\nRUN pip install tomli\n",
    "packages elsewhere": "RUN s=/opt/kobako/env/lib/python3.11; rm -rf $s/site-packages; ln -s {victim} $s/site-packages\n"
    "RUN pip install six\n",
    "requirements of the host": "RUN printf -- '-r {home}/.netrc\\n' > /tmp/r.txt\nRUN pip install -r /tmp/r.txt\n",
}


@pytest.mark.parametrize("attempt", list(ATTEMPTS))
def test_a_build_step(host: Host, attempt: str) -> None:
    with host.unharmed():
        done = host.build(ATTEMPTS[attempt], ok=None)
    shown = done.stdout + done.stderr
    assert SECRET not in shown
    assert "WRITABLE" not in shown
    assert "Kobako itself failed" not in shown


@pytest.mark.parametrize("how", ["copied", "from the index"])
def test_a_package_that_is_built(host: Host, how: str) -> None:
    steps = "RUN pip install six evilpkg\n"
    if how == "copied":
        steps = "RUN pip install six\nCOPY evilpkg-1.0.tar.gz /tmp/\nRUN pip install /tmp/evilpkg-1.0.tar.gz\n"
    with host.unharmed():
        done = host.build(steps, ok=True if how == "copied" else None)
    assert SECRET not in done.stdout + done.stderr
    if done.code:  # the index needs a password, which nobody inside may have
        return
    module = next(host.folder.glob(".kobako/local/images/*/env/lib/python3.11/site-packages/evilpkg/__init__.py"))
    said = module.read_text(encoding="utf-8")
    assert "0\\n" in said, "it was run, as root inside"
    assert SECRET not in said


def _library(host: Host) -> Path:
    need("gcc", shutil.which("gcc"), "apt-get install gcc libc6-dev")
    library = host.folder / "data" / "p.so"
    source = PRELOAD.replace("VICTIM", str(host.victim)).replace("MARK", MARK).encode()
    argv = ["gcc", "-shared", "-fPIC", "-x", "c", "-", "-o", str(library)]
    subprocess.run(argv, input=source, check=True, capture_output=True)
    return library


def test_variables_for_the_loader_are_for_the_inside(host: Host) -> None:
    library = _library(host)
    with host.unharmed():
        host.build(
            f"ENV LD_PRELOAD=./data/p.so:{library} LD_LIBRARY_PATH=./data\nRUN true\nRUN pip install six\n", ok=None
        )
        host("exec", "box", "true")
        host("exec", "-e", f"LD_PRELOAD={library}", "box", "true")
        host("train", "box")
    host("rm", "box")


def test_commands_enter_without_any_power(host: Host) -> None:
    """What was planted inside is loaded by every program that starts there: none of them may be one that can mount."""
    _library(host)
    host.build("RUN true\n")
    plant = "cp data/p.so /opt/p.so; echo /opt/p.so > /etc/ld.so.preload"
    with host.unharmed():
        assert host("exec", "-w", "/workspace", "box", "sh", "-c", plant).code == 0
        assert host("exec", "box", "true").code == 0
        assert host("exec", "--user", "1234", "box", "true").code == 0
        said = host("exec", "box", "cat", "/tmp/loaded").stdout.splitlines()
    assert set(said) == {"loaded"}
    host("rm", "box")


def test_what_a_command_sees(host: Host) -> None:
    host.build("RUN pip install six markupsafe\n")
    with host.unharmed():
        env = host("exec", "box", "env").stdout
        names = {line.partition("=")[0] for line in env.splitlines()}
        ours = {"HOME", "PATH", "LANG", "VIRTUAL_ENV", "KOBAKO_LOCAL", "KOBAKO_SESSION"}
        pip = {
            "PIP_FIND_LINKS",
            "PIP_INDEX_URL",
            "PIP_EXTRA_INDEX_URL",
            "PIP_CERT",
            "SSL_CERT_FILE",
            "REQUESTS_CA_BUNDLE",
        }
        assert names <= ours | pip | {"PWD", "OLDPWD", "SHLVL", "_"}
        look = (
            f"ls -A {host.home} {host.folder}; cat /etc/shadow; cat /proc/*/environ; ls /workspace/; ls /; "
            f"touch /usr/{MARK} /workspace/ro/{MARK} /bin/{MARK} && echo WRITABLE; echo x > /workspace/ro/kept; "
            "(: >> /proc/sys/kernel/core_pattern) 2>/dev/null && echo WRITABLE; "
            f"{APPEND}; touch /opt/fine /etc/fine /root/fine data/fine; mount -o remount,rw,bind /workspace/ro; "
            f"touch /workspace/ro/{MARK}; kill -9 {host.canary}; grep Cap /proc/self/status; rm /workspace/data/fine"
        )
        seen = host("exec", "-w", "/workspace", "box", "sh", "-c", look)
        listed = host("exec", "box", "sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '").stdout
    assert SECRET not in seen.stdout + seen.stderr + env
    assert "WRITABLE" not in seen.stdout
    assert "data\nro\n" in seen.stdout
    assert {line.split()[1] for line in seen.stdout.splitlines() if line.startswith("Cap")} == {"0000000000000000"}
    assert "sleep 1000" in listed
    assert str(os.getpid()) not in listed
    assert host("exec", "other", "sh", "-c", "test ! -e /opt/fine; python -c 'import six'").code == 0
    host("rm", "box")


def test_a_service_behind_links(host: Host) -> None:
    """Mounts go where they are said to be, also where a step has laid a link."""
    with host.unharmed():
        host.build("RUN ln -s /oldroot{victim} /workspace\n", ok=None)
        host("up", "box")
        host.build("RUN ln -s {victim} /workspace\n", ok=None)
        host("up", "box")
    host("rm", "box")


def test_the_caller_s_terminal(host: Host, terminal: Callable[..., Terminal]) -> None:
    """A build step neither types on the terminal nor reads what is typed there."""
    typing = "import fcntl,termios; f=open('/dev/tty','rb+',buffering=0); [fcntl.ioctl(f,termios.TIOCSTI,c) for c in (b'x',b'\\n')]"
    (host.folder / "docker" / "box").write_text(f'{BASE}RUN python -c "{typing}"; true\n', encoding="utf-8")
    words = " ".join([*kobako_argv(host.user), "build", "box"])
    line = f"{words}; read -r -t 1 typed; echo typed=${{typed}}="
    screen = terminal(["/bin/bash", "-c", line], cwd=host.folder, env=host.env, user=host.user)
    screen.expect(r"typed==", timeout=60)
