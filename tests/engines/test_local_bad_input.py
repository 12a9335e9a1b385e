"""Bad input and bad luck on the local engine: a clear error or simply working, and never anything half-made."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from engines.boxes import Box
from infra.client import clean_environment, link_or_copy, path_without
from infra.fixtures import Kobako
from infra.need import need
from infra.run import Outcome, kobako_argv, kobako_environment, start
from infra.user import Someone
from infra.wheels import write_wheel
from infra.workspaces import write_files
from kobako import uv
from kobako.engines.local import interpreters, sandbox

# an environment's pip comes from the package index
pytestmark = pytest.mark.network

BASE = "FROM python:3.11-slim\n"
TINY = "COPY wheels /wheels\nRUN pip install --no-index -f /wheels tiny\n"
RECIPE = "docker/Box"


def compose(number: str) -> str:
    """``number`` is how long the service sleeps at a time: it is known by that among this machine's processes."""
    return (
        "services:\n  box:\n    container_name: Box\n    build:\n      context: .\n      dockerfile: ./docker/Box\n"
        f'    volumes:\n      - "./data:/workspace/data"\n    command: /bin/sh -c "while sleep {number}; do :; done"\n'
    )


@pytest.fixture
def number() -> str:
    return f"{random.randint(10_000, 99_999)}.{random.randint(1000, 9999)}"


@pytest.fixture
def box(kobako: Kobako, number: str) -> Iterator[Box]:
    """A workspace on the local engine whose recipe installs one small package."""
    with tempfile.TemporaryDirectory(prefix="kobako-ws-", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        write_files(
            folder,
            {
                "docker-compose.yaml": compose(number),
                RECIPE: BASE + TINY,
                "data/.keep": "",
                ".dockerignore": ".kobako\n",
            },
        )
        write_wheel(folder / "wheels", "tiny", "7.0")
        made = Box(folder, kobako, {**clean_environment(), "KOBAKO_ENGINE": "local"})
        yield made
        made("rm", "-f", "box")
        assert processes(number) == []


@pytest.fixture
def boxed(box: Box) -> Box:
    """The same, on a machine where commands of a recipe can be run."""
    tools, why = sandbox.find()
    need("bubblewrap that works", tools, f"apt-get install bubblewrap util-linux ({why})")
    return box


def recipe(box: Box, text: str) -> None:
    (box.folder / RECIPE).write_text(text, encoding="utf-8")


def processes(number: str) -> list[int]:
    """The sleeping processes of a service or a recipe."""
    wanted = f"sleep\0{number}\0".encode()
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if (entry / "cmdline").read_bytes() == wanted:
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def half_made(box: Box) -> list[str]:
    """What lies in the engine's folder and is neither whole nor of use."""
    local = box.folder / ".kobako" / "local"
    found = [*local.glob("images/.*"), *local.glob("live/.*"), *local.glob("trash/*"), *local.glob("**/.*.tmp")]
    found += [folder for folder in local.glob("images/*") if not (folder / "image.json").is_file()]
    found += [folder for folder in local.glob("live/*") if not (folder / "root").is_dir()]
    return [str(path.relative_to(local)) for path in found]


def fails(box: Box, code: int, *words: str, said: str, line: int) -> Outcome:
    """A command that must fail with that problem at that line of the recipe, say what to do, and leave nothing."""
    done = box(*words)
    assert done.code == code, str(done)
    assert done.out == b""
    assert "error: " in done.stderr
    assert f"({RECIPE}:{line})" in done.stderr, str(done)
    assert "fix: " in done.stderr, str(done)
    answer = box(*words, "--json").json
    assert [one["code"] for one in answer["problems"]] == [said], answer
    assert answer["problems"][0]["where"] == {"file": RECIPE, "line": line}
    assert half_made(box) == []
    return done


def until(true: Callable[[], object], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.02)


def begun(box: Box, *words: str) -> subprocess.Popen[bytes]:
    return start([*kobako_argv(), *words], cwd=box.folder, env=kobako_environment(box.env))


def test_a_base_that_nobody_knows(box: Box) -> None:
    recipe(box, "# mine\n\nFROM example.com/odd:1\nRUN pip install six\n")
    done = fails(box, 5, "build", "box", said="unknown-base", line=3)
    assert "x-kobako" in done.stderr
    recipe(box, "FROM Not/A/Name\n")
    fails(box, 5, "build", "box", said="unknown-base", line=1)


def test_what_cannot_be_honoured_is_told_at_once(boxed: Box) -> None:
    recipe(boxed, f"{BASE}RUN touch /made\nCOPY --from=x /a /b\nRUN --mount=type=secret,id=x true\n")
    done = fails(boxed, 5, "build", "box", said="not-honoured", line=3)
    assert "line 4: RUN true" in done.stderr
    assert not (boxed.folder / ".kobako/local/images").exists()


def test_no_wheel_for_this_interpreter(box: Box) -> None:
    wheel = next((box.folder / "wheels").iterdir())
    wheel.rename(wheel.with_name("tiny-7.0-cp27-cp27mu-manylinux1_x86_64.whl"))
    fails(box, 5, "build", "box", said="build-failed", line=3)


def test_a_version_for_later_interpreters_only(box: Box) -> None:
    old = next((short for short in ("3.8", "3.9", "3.10") if interpreters.find(short, os.environ)), None)
    need("a Python older than 3.11", old, "uv python install 3.10")
    recipe(box, f"FROM python:{old}\nRUN pip install --only-binary :all: 'numpy==2.3.0'\n")
    done = fails(box, 5, "build", "box", said="build-failed", line=2)
    assert "Python" in done.stderr
    assert "numpy" in done.stderr


def test_an_index_that_does_not_answer(box: Box, tmp_path: Path) -> None:
    bare = {name: value for name, value in box.env.items() if not name.startswith(("PIP_", "UV_"))}
    index = "http://me:hunter2@127.0.0.1:9/simple"
    box.env = {**bare, "PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": index, "UV_HTTP_RETRIES": "0"}
    box.env["UV_CACHE_DIR"] = str(tmp_path / "cache")
    began = time.monotonic()
    done = fails(box, 5, "build", "box", said="index-unreachable", line=1)
    assert "kobako doctor" in done.stderr
    assert "hunter2" not in done.stderr
    assert time.monotonic() - began < 30


@pytest.fixture
def stranger(someone: Someone, box: Box, tmp_path: Path) -> Someone:
    """Somebody else's workspace; uv is on their PATH."""
    program = uv.program()
    assert program is not None
    link_or_copy(Path(program), box.folder / ".programs" / "uv")
    someone.own(box.folder)
    box.env["PATH"] = f"{box.folder / '.programs'}:/usr/bin:/bin"
    box.user = someone
    return someone


def test_a_home_that_cannot_be_written(box: Box, stranger: Someone) -> None:
    home = box.folder / "home"
    home.mkdir(mode=0o755)
    box.user = replace(stranger, home=home)
    box.ok("build", "box")
    assert half_made(box) == []
    assert list(home.iterdir()) == []


@pytest.fixture
def small_disk(box: Box) -> Iterator[Path]:
    """A folder of 2 MB."""
    place = box.folder / "small"
    place.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "kobako-test", str(place)], check=False)
    need("a machine where tests may mount", done.returncode == 0, "run them in a machine of their own")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_home_that_is_full(box: Box, stranger: Someone, small_disk: Path) -> None:
    home = stranger.own(small_disk)
    box.user = replace(stranger, home=home)
    fails(box, 5, "build", "box", said="disk-full", line=1)


def test_bubblewrap_that_is_forbidden(box: Box, tmp_path: Path) -> None:
    said = "bwrap: No permissions to create new namespace, likely because the kernel does not allow it."
    fake = tmp_path / "bwrap"
    fake.write_text(f"#!/bin/sh\necho '{said}' >&2\nexit 1\n", encoding="utf-8")
    fake.chmod(0o755)
    box.env["PATH"] = f"{tmp_path}:{box.env['PATH']}"
    box.ok("build", "box")
    told = [line for line in box.ok("up", "box").stderr.splitlines() if said in line]
    assert len(told) == 1
    assert told[0].startswith("Box runs straight on this machine: ")
    assert box.ok("exec", "-T", "box", "python", "-c", "import tiny; print(tiny.__version__)").stdout == "7.0\n"
    recipe(box, BASE + TINY + "RUN touch /made\n")
    assert said in fails(box, 5, "build", "box", said="needs-sandbox", line=4).stderr


def test_a_recipe_that_changed_since(box: Box) -> None:
    box.ok("build", "box")
    recipe(box, BASE + TINY.replace(" tiny", " other"))
    done = box.ok("up", "box")
    warning = next(line for line in done.stderr.splitlines() if line.startswith("warning: "))
    assert "has changed since it was built" in warning
    assert f"({RECIPE}:3)" in warning
    assert "kobako build Box" in done.stderr
    assert box.ok("exec", "-T", "box", "python", "-c", "import tiny; print(tiny.__version__)").stdout == "7.0\n"


def test_two_at_once(box: Box, number: str) -> None:
    for verb in ("build", "up", "up"):
        both = [begun(box, verb, "box"), begun(box, verb, "box")]
        for one in both:
            _, err = one.communicate(timeout=60)
            assert one.returncode == 0, err.decode()
        assert half_made(box) == []
    assert len(processes(number)) == 1
    assert [path.name for path in (box.folder / ".kobako/local/live").iterdir()] == ["box"]
    box.ok("rm", "-f", "box")
    assert processes(number) == []


def test_up_without_a_build_twice_at_once(box: Box, number: str) -> None:
    both = [begun(box, "up", "box"), begun(box, "exec", "-T", "box", "echo", "here")]
    outs = [one.communicate(timeout=60) for one in both]
    assert [one.returncode for one in both] == [0, 0], outs
    assert outs[1][0] == b"here\n"
    assert len(processes(number)) == 1


def test_a_build_killed_in_the_middle(boxed: Box, number: str) -> None:
    before = boxed.ok("build", "box").stdout
    slow = f"{BASE}{TINY}RUN touch /half && sleep {number}\n"
    recipe(boxed, slow)
    build = begun(boxed, "build", "box")
    until(lambda: processes(number))
    build.kill()
    build.communicate()
    until(lambda: not processes(number))
    # what was built before is there as it was
    recipe(boxed, BASE + TINY)
    assert boxed.ok("build", "box").stdout == before
    assert half_made(boxed) == []
    recipe(boxed, slow.replace(f"sleep {number}", "true"))
    boxed.ok("build", "box")
    assert boxed.ok("exec", "-T", "box", "ls", "/half").stdout == "/half\n"
    assert half_made(boxed) == []


@pytest.mark.parametrize("seconds", [0.2, 0.5, 0.8, 1.1, 1.4])
def test_up_killed_at_any_moment(box: Box, number: str, seconds: float) -> None:
    """Whatever it was at: the next command works, and there is one of everything."""
    up = begun(box, "up", "box")
    time.sleep(seconds)
    up.kill()
    up.communicate()
    box.ok("exec", "-T", "box", "true")
    assert len(processes(number)) == 1
    box.ok("build", "box")
    assert half_made(box) == []


@pytest.mark.parametrize("sandboxed", [True, False])
def test_a_start_killed_at_any_moment(box: Box, number: str, tmp_path: Path, sandboxed: bool) -> None:
    """The next command finds a service that runs, or starts one; no other is left behind."""
    if sandboxed:
        need("bubblewrap that works", sandbox.find()[0], "apt-get install bubblewrap util-linux")
    else:
        box.env["PATH"] = path_without(["bwrap"], box.env["PATH"], tmp_path)
    box.ok("build", "box")
    for moment in range(8):
        up = begun(box, "up", "box")
        time.sleep(0.2 + moment * 0.05)
        up.kill()
        up.communicate()
        box.ok("exec", "-T", "box", "true")
        assert len(processes(number)) == 1, moment
        box.ok("rm", "-f", "box")
        assert processes(number) == [], moment


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_build_stopped_in_the_middle(boxed: Box, number: str, signum: int, code: int) -> None:
    recipe(boxed, f"{BASE}{TINY}RUN trap '' INT TERM; sleep {number}\n")
    build = begun(boxed, "build", "box")
    until(lambda: processes(number))
    os.killpg(build.pid, signum)  # as a terminal does it
    out, err = build.communicate(timeout=30)
    assert (build.returncode, out) == (code, b""), err.decode()
    assert processes(number) == []
    assert half_made(boxed) == []
    states = boxed.ok("ps", "--json").json["data"]["services"]
    assert [one["state"] for one in states] == ["absent"]


def test_ctrl_c_while_installing(box: Box, tmp_path: Path) -> None:
    """In the middle of uv's own work, with nothing in its cache."""
    box.env["UV_CACHE_DIR"] = str(tmp_path / "cache")
    recipe(box, f"{BASE}RUN pip install jupyterlab\n")
    build = begun(box, "build", "box")
    until(lambda: [*(box.folder / ".kobako/local").glob("images/[!.]*")])
    os.killpg(build.pid, signal.SIGINT)
    _, err = build.communicate(timeout=30)
    assert build.returncode == 130, err.decode()
    assert half_made(box) == []
    recipe(box, BASE + TINY)
    box.ok("build", "box")
