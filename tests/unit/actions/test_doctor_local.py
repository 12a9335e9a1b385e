"""What doctor makes of a machine that has no container engine. The answers are recorded; no program runs."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from kobako.engines.local.checks import NEEDED, LocalChecks, look
from kobako.engines.local.sandbox import TRIAL
from kobako.model.check import Check
from kobako.pipconfig import PipConfig
from kobako.probe import GIB, Machine
from unit.actions.test_doctor import Recorded

PYTHON = Path("/opt/kobako/bin/python")
BWRAP = " ".join(TRIAL)
OWN = "{}.{}".format(*sys.version_info)

# Debian 12, Kobako in a virtual environment
UV = {"/opt/kobako/bin/uv --version": (0, "uv 0.9.7\n", "")}
PROGRAMS = {
    **UV,
    "bwrap --version": (0, "bubblewrap 0.8.0\n", ""),
    BWRAP: (0, "", ""),
}
TOOLS = frozenset({"nsenter", "setpriv", "unshare", "mount", "apt-get"})
DEVICES = {"/": 1, "/home/me": 1, "/work": 1, "/opt/kobako/bin/uv": 1}
FORBIDDEN = (1, "", "bwrap: No permissions to creating new namespace, likely because the kernel does not allow it\n")


def machine(**changed: Any) -> Recorded:
    return Recorded(**{"programs": PROGRAMS, "there": TOOLS, "devices": DEVICES, **changed})


def all_of(probe: Recorded, pip: PipConfig | None = None) -> list[Check]:
    return LocalChecks(probe, Path("/work/space"), Path("/home/me"), pip or PipConfig(), PYTHON).all()


def check(name: str, probe: Recorded, pip: PipConfig | None = None) -> Check:
    (found,) = (one for one in all_of(probe, pip) if one.name == name)
    return found


def test_all_is_well() -> None:
    found = all_of(machine())
    assert [one.name for one in found if one.status == "ok"] == [
        *("uv", "interpreters", "bubblewrap", "util-linux", "pip-index", "uv-cache", "local-limits")
    ]
    assert {one.name for one in found} > NEEDED
    assert all(one.found and one.means for one in found)
    assert not any(one.fix for one in found)


def test_a_bare_machine() -> None:
    found = all_of(Recorded(programs={}))
    bad = {one.name: one.status for one in found if one.status != "ok"}
    assert bad == {"uv": "missing", "bubblewrap": "missing", "util-linux": "unchecked"}
    assert all(one.found and one.means for one in found)


def test_uv() -> None:
    assert check("uv", machine()).found == "0.9.7 (/opt/kobako/bin/uv)"
    on_path = machine(programs={**PROGRAMS, "uv": (0, "", ""), "/usr/bin/uv --version": (0, "uv 0.8.0 (x)\n", "")})
    on_path.devices = {"/": 1}
    assert check("uv", on_path).found == "0.8.0 (/usr/bin/uv)"
    assert check("uv", machine(devices={"/": 1})) == Check(
        *("uv", "missing", "there is no uv beside Kobako's Python or on the PATH", "uv makes the environments"),
        "/opt/kobako/bin/python -m pip install uv",
    )
    wrong = (1, "", "exec format error\n")
    broken = check("uv", machine(programs={**PROGRAMS, "/opt/kobako/bin/uv --version": wrong}))
    assert broken[1:3] == ("broken", "/opt/kobako/bin/uv: exec format error")


@pytest.mark.parametrize(
    ("folders", "env", "wanted"),
    [
        ({}, {}, set()),
        ({"/usr/bin": ("python3", "python3.11", "python3.11-config", "python3-config")}, {}, {"3.11"}),
        ({"/usr/local/bin": ("python3.12", "python3.8")}, {}, {"3.8", "3.12"}),
        (
            {
                "/home/me/.pyenv/versions": ("2.7.18", "3.6.15", "3.9.18", "3.13.0", "miniconda3-4.7"),
                "/home/me/.pyenv/versions/2.7.18/bin": ("python",),
                "/home/me/.pyenv/versions/3.6.15/bin": ("python",),
                "/home/me/.pyenv/versions/3.13.0/bin": ("python",),
                "/home/me/.pyenv/versions/miniconda3-4.7/bin": ("python",),
            },
            {},
            {"3.6", "3.13"},
        ),
        ({"/e/versions": ("3.7.16",), "/e/versions/3.7.16/bin": ("python",)}, {"PYENV_ROOT": "/e"}, {"3.7"}),
        ({"/home/me/.local/share/uv/python": ("cpython-3.8.20-linux-x86_64-gnu", ".lock")}, {}, {"3.8"}),
        ({"/d/uv/python": ("cpython-3.8.20-linux-x86_64-gnu",)}, {"XDG_DATA_HOME": "/d"}, {"3.8"}),
        ({"/p": ("cpython-3.10.1-linux-x86_64-gnu", "pypy-3.9")}, {"UV_PYTHON_INSTALL_DIR": "/p"}, {"3.10"}),
    ],
)
def test_interpreters(folders: Mapping[str, tuple[str, ...]], env: Mapping[str, str], wanted: set[str]) -> None:
    found = check("interpreters", machine(folders=folders, env=env)).found
    listed = sorted(wanted | {OWN}, key=lambda version: int(version.split(".")[1]))
    assert found == f"Python {' '.join(listed)}; any other is downloaded by uv"


@pytest.mark.parametrize(
    ("there", "fix"),
    [
        ({"apt-get"}, "sudo apt-get install bubblewrap"),
        ({"dnf"}, "sudo dnf install bubblewrap"),
        (set(), "https://github.com/containers/bubblewrap#installation"),
    ],
)
def test_no_bubblewrap(there: set[str], fix: str) -> None:
    found = check("bubblewrap", machine(programs=UV, there=frozenset(there)))
    assert (found.status, found.found, found.fix) == ("missing", "there is no bwrap on the PATH", fix)


@pytest.mark.parametrize(
    ("texts", "why", "fix"),
    [
        (
            {"/proc/sys/kernel/unprivileged_userns_clone": "0\n", "/proc/sys/user/max_user_namespaces": "96365\n"},
            "kernel.unprivileged_userns_clone is 0",
            "sudo sysctl -w kernel.unprivileged_userns_clone=1",
        ),
        (
            {"/proc/sys/kernel/unprivileged_userns_clone": "1\n", "/proc/sys/user/max_user_namespaces": "0\n"},
            "user.max_user_namespaces is 0",
            "sudo sysctl -w user.max_user_namespaces=15000",
        ),
        (
            {"/proc/sys/kernel/apparmor_restrict_unprivileged_userns": "1\n"},
            "kernel.apparmor_restrict_unprivileged_userns is 1",
            "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
        ),
        ({}, FORBIDDEN[2].strip(), ""),
    ],
)
def test_bubblewrap_that_is_forbidden(texts: dict[str, str], why: str, fix: str) -> None:
    found = check("bubblewrap", machine(programs={**PROGRAMS, BWRAP: FORBIDDEN}, texts=texts))
    assert (found.status, found.found, found.fix) == ("broken", f"0.8.0 may not make a sandbox: {why}", fix)


def test_a_forbidding_switch_that_does_not_stop_bubblewrap() -> None:
    texts = {"/proc/sys/kernel/apparmor_restrict_unprivileged_userns": "1\n"}
    assert check("bubblewrap", machine(texts=texts))[1:3] == ("ok", "0.8.0")


def test_the_tools_that_go_with_bubblewrap() -> None:
    found = check("util-linux", machine(there=frozenset({"nsenter", "unshare", "mount", "apt-get"})))
    assert (found.status, found.found) == ("missing", "there is no setpriv on the PATH")
    assert found.fix == "sudo apt-get install util-linux"
    alone = Recorded(programs=UV)
    assert check("util-linux", alone)[1:3] == ("unchecked", "of use only together with bubblewrap")


@pytest.mark.parametrize(
    ("pip", "found"),
    [
        (PipConfig(), "pip's default index"),
        (PipConfig(index_url="https://me:secret@pypi.example.com:8443/token/simple"), "pypi.example.com:8443"),
        (PipConfig(extra_index_urls=("https://secret@a.example/simple",)), "pip's default index, a.example"),
        (
            PipConfig(no_index=True, index_url="https://a.example", find_links=("/wheels",)),
            "no index, find-links /wheels",
        ),
        (PipConfig(find_links=("https://b.example/x.html",)), "pip's default index, find-links b.example"),
        (PipConfig(index_url="file:///my%20index", cert="/ca.crt"), "/my index, certificate /ca.crt"),
        (PipConfig(index_url="https://[wrong"), "?"),
        (PipConfig(index_url="https://a.example:port"), "?"),
    ],
)
def test_where_packages_come_from(pip: PipConfig, found: str) -> None:
    probe = machine(devices={**DEVICES, "/wheels": 1, "/my index": 1, "/ca.crt": 1})
    assert check("pip-index", probe, pip)[1:3] == ("ok", found)


@pytest.mark.parametrize(
    "pip",
    [
        PipConfig(cert="/gone"),
        PipConfig(client_cert="/gone"),
        PipConfig(find_links=("/gone",)),
        PipConfig(find_links=("file:///gone",)),
        PipConfig(extra_index_urls=("file:///gone",)),
    ],
)
def test_pip_is_told_to_use_what_is_not_there(pip: PipConfig) -> None:
    found = check("pip-index", machine(), pip)
    assert (found.status, found.found) == ("broken", "pip is told to use what is not there: /gone")
    assert found.fix == "pip config debug"


@pytest.mark.parametrize(
    ("env", "folder"),
    [
        ({}, "/home/me/.cache/uv"),
        ({"XDG_CACHE_HOME": "/work/c"}, "/work/c/uv"),
        ({"XDG_CACHE_HOME": "/work/c", "UV_CACHE_DIR": "/work/uv"}, "/work/uv"),
    ],
)
def test_the_cache_of_uv(env: dict[str, str], folder: str) -> None:
    assert check("uv-cache", machine(env=env))[1:3] == ("ok", f"500 GiB free in {folder}")


def test_a_cache_that_is_of_no_use() -> None:
    move = "export UV_CACHE_DIR=/work/space/.kobako/uv"
    closed = check("uv-cache", machine(read_only=frozenset({"/home/me"})))
    assert (closed[1:3], closed.fix) == (("broken", "/home/me cannot be written by this user"), move)
    far = check("uv-cache", machine(devices={**DEVICES, "/work": 2}))
    why = "/home/me/.cache/uv lies on another file system than /work/space: copies instead of hard links"
    assert (far[1:3], far.fix) == (("missing", why), move)
    full = check("uv-cache", machine(free=3 * GIB))
    assert (full[1:3], full.fix) == (("missing", "3.0 GiB free in /home/me/.cache/uv"), "uv cache prune")
    assert check("uv-cache", machine(closed=frozenset({"/home/me"}))).status == "unchecked"


def test_pip_is_read_as_the_user_has_it(tmp_path: Path) -> None:
    env = {
        "HOME": str(tmp_path),
        "PIP_INDEX_URL": "https://secret@pypi.example.com/simple",
        "PIP_CONFIG_FILE": "/dev/null",
    }
    (found,) = (one for one in look(machine(env=env), tmp_path) if one.name == "pip-index")
    assert found.found == "pypi.example.com"


def test_the_machine_itself(tmp_path: Path) -> None:
    probe = Machine({})
    assert probe.device(str(tmp_path)) == tmp_path.stat().st_dev
    assert probe.device(str(tmp_path / "gone")) is None
    assert probe.writable(str(tmp_path))
    assert not probe.writable(str(tmp_path / "gone"))
