"""``kobako scan`` on folders, links and bytes that a repository should not hold: it ends by itself, with an answer."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.need import need
from infra.scanning import EVERY_KIND, INNOCENT, everywhere, names, removed, scanned, write


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    with removed(tmp_path / "tree") as folder:
        yield folder


# Folders


def test_three_hundred_thousand_files(root: Path) -> None:
    write(root, "requirements.txt", INNOCENT)
    for number in range(6):  # a file may have 65,000 names
        folder = root / f"d{number}"
        folder.mkdir()
        first = folder / "a.py"
        first.write_text("import torch\n")
        for name in range(50_000):
            os.link(first, folder / f"m{name}.py")
    assert "numpy" in names(scanned(root, cpu=90))


def test_a_folder_three_thousand_deep(root: Path) -> None:
    write(root, "requirements.txt", INNOCENT)
    at = os.open(root, os.O_RDONLY)
    for _ in range(3_000):  # no path is that long: step by step
        os.mkdir("d", dir_fd=at)
        below = os.open("d", os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = below
    os.close(os.open("x.py", os.O_CREAT, dir_fd=at))
    os.close(at)
    assert names(scanned(root)) == {"numpy"}


def test_loops_of_links(root: Path) -> None:
    write(root, "requirements.txt", INNOCENT)
    write(root, "pkg/__init__.py", "import torch\n")
    for name, target in (
        ("up", ".."),
        ("here", "."),
        ("a", "b"),
        ("b", "a"),
        ("me", "me"),
        ("requirements", "requirements"),
    ):
        (root / "pkg" / name).symlink_to(target)
        (root / name).symlink_to(target if name != "up" else "pkg")
    for name in ("x.py", "setup.py", "README.md", "pyproject.toml", "environment.yml", "Dockerfile"):
        (root / name).symlink_to(name)
    assert "numpy" in names(scanned(root))


SECRET = "stolen-secret-package==6.6.6"


def test_links_out_of_the_tree_are_not_read(root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    write(outside, "pkg/setup.py", f"from setuptools import setup\nsetup(install_requires=['{SECRET}'])\n")
    write(outside, "pkg/x.py", "import stolen_secret_package\nimport transformers\n")
    write(outside, "all", f"{SECRET}\n")
    write(outside, "yaml", f"dependencies:\n- pip:\n  - {SECRET}\n")
    write(
        outside,
        "toml",
        f"[project]\nname = 'a'\ndependencies = ['{SECRET}']\n[packages]\nstolen-secret-package = '*'\n",
    )
    write(outside, "shell", f"FROM a\nRUN pip install {SECRET}\n```\npip install {SECRET}\n```\n")
    links = {
        **dict.fromkeys(("requirements.txt", "requirements/runtime.txt", "requirements/mminstall.txt"), "all"),
        **dict.fromkeys(("pyproject.toml", "Pipfile", "setup.cfg", "settings.ini"), "toml"),
        **dict.fromkeys(("README.md", "Dockerfile", "install.sh", "docs/install.md"), "shell"),
        **dict.fromkeys(("environment.yml",), "yaml"),
        **dict.fromkeys(("x.py", "tools/train.py"), "pkg/x.py"),
        **dict.fromkeys(("setup.py",), "pkg/setup.py"),
        **dict.fromkeys(("src", "pkg", ".github"), "pkg"),
    }
    for number, (name, target) in enumerate(links.items()):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        relative = os.path.relpath(outside / target, (root / name).parent)
        (root / name).symlink_to(relative if number % 2 else outside / target)
    (root / "passwd.py").symlink_to("/etc/passwd")
    write(root, "kept.py", "import numpy\n")
    text = json.dumps(scanned(root))
    assert "numpy" in text
    assert not [word for word in ("stolen", "transformers", "6.6.6", "root:") if word in text]


def test_a_path_that_leads_out_of_the_tree_is_not_read(root: Path, tmp_path: Path) -> None:
    write(tmp_path, "outside.txt", f"{SECRET}\n")
    paths = (
        "../outside.txt",
        str(tmp_path / "outside.txt"),
        f"a/../../{root.name}/../outside.txt",
        f"file://{tmp_path}/outside.txt",
    )
    write(root, "requirements.txt", INNOCENT + "".join(f"-r {path}\n-c {path}\n" for path in paths))
    opened = "".join(f"x += open({path!r}).read().splitlines()\n" for path in paths)
    write(root, "setup.py", f"from setuptools import setup\nx = []\n{opened}setup(name='a', install_requires=x)\n")
    write(
        root,
        "pyproject.toml",
        f"[project]\nname='a'\ndynamic=['dependencies']\n[tool.setuptools.dynamic]\ndependencies={{file={json.dumps(paths)}}}\n",
    )
    write(root, "setup.cfg", f"[options]\ninstall_requires = file: {', '.join(paths)}\n")
    text = json.dumps(scanned(root))
    assert "numpy" in text
    assert "stolen" not in text


@pytest.mark.parametrize("kind", ["fifo", "socket", "device"])
def test_what_is_no_file_is_not_opened(root: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A FIFO would block whoever opens it; /dev/zero never ends."""
    need("root", kind != "device" or os.geteuid() == 0, "devices are made by root alone")
    monkeypatch.chdir(root)  # a socket's path is short
    for name in (*EVERY_KIND, "requirements.txt", "a.py"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        if kind == "fifo":
            os.mkfifo(name)
        elif kind == "socket":
            with socket.socket(socket.AF_UNIX) as one:
                one.bind(name)
        else:
            os.mknod(name, 0o644 | stat.S_IFCHR, os.makedev(1, 5))
    write(root, "kept.py", "import numpy\n")
    (root / "link.py").symlink_to("requirements.txt")
    (root / "requirements" / "base.txt").symlink_to("../requirements.txt")
    (root / "folder").mkdir()
    (root / "folder" / "__init__.py").mkdir()
    assert names(scanned(root)) == {"numpy"}


def test_folders_with_the_names_of_files(root: Path) -> None:
    for name in EVERY_KIND:
        (root / name).mkdir(parents=True)
    write(root, "requirements.txt", INNOCENT)
    assert names(scanned(root)) == {"numpy"}


# Bytes


def test_names_that_are_no_text(root: Path) -> None:
    folder = os.fsencode(root)
    for name in (
        b"\xff.py",
        b"\xe3\x81.txt",
        b"requirements-\xff.txt",
        b"a\nb.py",
        b"\x1b[31m.py",
        b"a b.py",
        b"-r.py",
        b"'\".py",
    ):
        Path(os.fsdecode(folder + b"/" + name)).write_text("import torch\n")
    os.mkdir(folder + b"/\xfe")
    Path(os.fsdecode(folder + b"/\xfe/setup.py")).write_text("import torch\n")
    write(root, "\u202egpj.py", "import torch\n")
    write(root, "a" * 250 + ".py", "import torch\n")
    write(root, "requirements.txt", INNOCENT)
    answer = scanned(root)
    assert "numpy" in names(answer)
    assert "\x1b" not in json.dumps(answer, ensure_ascii=False)


BYTES = {
    "undecodable": b"\xff\xfe\xfd\x80numpy\x81\n" * 1000,
    "Latin-1": "# -*- coding: latin-1 -*-\n# d\xe9j\xe0 vu\n".encode("latin-1") * 1000,
    "UTF-16": "import torch\n".encode("utf-16"),
    "half a UTF-16": "import torch\n".encode("utf-16")[:-1],
    "UTF-32": "import torch\n".encode("utf-32"),
    "UTF-8 with a mark": b"\xef\xbb\xbfimport torch\n",
    "an unknown coding": b"# -*- coding: no-such-thing -*-\nimport torch\n",
    "a coding that runs": b"# -*- coding: rot13 -*-\nvzcbeg gbepu\n",
    "half a surrogate": b'import \xed\xa0\x80torch\n"\\ud800": "\\ud800"\n',
    "zeros": b"\0" * 1000,
    "random": bytes(range(256)) * 100,
    "nothing": b"",
    "a gzip": b"\x1f\x8b\x08\0\0\0\0\0\0\3" + b"\x80" * 100,
    "one odd character": "\u2028\x85\x0b\x0c\x1c".encode() * 1000,
}  # fmt: skip


@pytest.mark.parametrize("content", BYTES.values(), ids=BYTES)
def test_content_that_is_no_text(root: Path, content: bytes) -> None:
    everywhere(root, content)
    answer = scanned(root)
    assert "numpy" in names(answer)
    json.dumps(answer, ensure_ascii=False).encode()  # what was read is text, whole characters alone


def test_lone_surrogates_that_were_escaped(root: Path) -> None:
    """``\\ud800`` in Python and JSON is a text that no encoding can write."""
    write(
        root,
        "setup.py",
        "from setuptools import setup\nsetup(name='\\ud800', install_requires=['a\\ud800', '\\ud800==1', 'numpy'])\n",
    )
    write(
        root, "a.ipynb", '{"cells": [{"cell_type": "code", "source": "!pip install \\ud800 numpy\\nimport \\ud800"}]}'
    )
    write(
        root,
        "train.py",
        "import argparse\np = argparse.ArgumentParser()\np.add_argument('--\\ud800', help='\\ud800', default='\\ud800')\np.parse_args()\n",
    )
    write(root, "environment.yml", 'dependencies: ["\\ud800", "\\0", {"\\ud800": "\\ud800"}]\n')
    assert "numpy" in names(scanned(root))


# Folders that change or refuse


def test_folders_that_may_not_be_read(root: Path) -> None:
    write(root, "requirements.txt", INNOCENT)
    write(root, "closed/x.py", "import torch\n")
    write(root, "requirements/runtime.txt", "torch\n")
    write(root, "x.py", "import torch\n")
    for name in ("closed", "requirements", "x.py"):
        (root / name).chmod(0)
    # root may read everything, unless that privilege is taken from it
    without = ("setpriv", "--bounding-set=-dac_override,-dac_read_search") if os.geteuid() == 0 else ()
    assert names(scanned(root, through=without)) == {"numpy"}


VANISHING = """
import os, sys, threading
from pathlib import Path
from kobako.scan import scan
root = Path(sys.argv[1])
gone, read = [], os.scandir
def scandir(path):
    entries = list(read(path))
    for entry in entries:
        if entry.name.startswith("gone"):
            Path(entry.path).unlink(missing_ok=True) if entry.is_file() else os.rename(entry.path, entry.path + "x")
    class Entries(list):
        __enter__ = lambda self: self
        __exit__ = lambda self, *_: None
    return Entries(entries)
os.scandir = scandir
print(sorted(one.name for one in scan(root).requirements))
"""


def test_files_that_vanish_meanwhile(root: Path) -> None:
    """Everything named "gone" is away as soon as its folder was listed."""
    write(root, "requirements.txt", INNOCENT)
    for name in (
        "gone.py",
        "gone.ipynb",
        "gone/x.py",
        "docs/gone.md",
        "requirements/gone.txt",
        ".github/workflows/gone.yml",
    ):
        write(root, name, "import torch\n")
    done = subprocess.run([sys.executable, "-c", VANISHING, str(root)], capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("['numpy']\n", 0), done.stderr


def test_a_scan_of_what_is_no_repository(root: Path) -> None:
    """The folders that every system has are large, odd, and change all the time."""
    scanned("/proc/self")
    scanned("/dev")
