"""``kobako scan`` on texts made to hang it, to crash it or to fill the memory: it ends by itself, with an answer.

Nothing is timed. The scan may use far more CPU and memory than an honest tree of that size takes, and far less than
work without a bound would; each tree also declares something innocent, which must be in the answer.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.scanning import EVERY_KIND, INNOCENT, YAMLS, each_scanned, everywhere, names, removed, scanned, write


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    with removed(tmp_path / "tree") as folder:
        yield folder


# Long lines, large files


def test_a_line_of_100_mb(root: Path) -> None:
    """Under every name."""
    write(root, "train.py", b"x = '" + b"a" * 100_000_000 + b"'\n")
    for name in EVERY_KIND:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        if name != "train.py":
            os.link(root / "train.py", root / name)
    write(root, "requirements.txt", INNOCENT)
    assert names(scanned(root)) == {"numpy"}


def test_files_larger_than_any_memory(root: Path) -> None:
    """A terabyte each, all of it a hole."""
    for name in (*EVERY_KIND, "requirements.txt"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        with (root / name).open("wb") as file:
            file.truncate(2**40)
    asked = [one["what"] for one in scanned(root)["questions"]]
    assert "requirements.txt is named, but it is not in the repository or too large to read" in asked


def test_hundreds_of_large_modules(root: Path) -> None:
    """Half a gigabyte of code, one megabyte on the disk."""
    text = "import torch, a.b as c\n" * 45_000
    for kind, first in (("imports", text), ("lists", "x = [\n" + "'a',\n" * 150_000 + "]\n")):
        write(root, f"{kind}/a.py", first)
        for number in range(250):
            os.link(root / kind / "a.py", root / kind / f"b{number}.py")
    write(root, "requirements.txt", INNOCENT)
    assert "numpy" in names(scanned(root, cpu=90))


# Texts against patterns: each as every kind of file, and in every place that is looked at, below the size at which no
# reader reads it any more, and above that at which a pattern or a loop that goes back over what it has read takes hours

SIZE = 120_000
BOMBS: dict[str, str] = {
    "spaces": " ",
    "tabs": "\t",
    "blank lines": "\n",
    "carriage returns": "\r",
    "dashes": "-",
    "one word": "a",
    "words": "a ",
    "dots": "a.",
    "commas": "a,",
    "digits": "0",
    "equals signs": "=",
    "lines of two equals signs": "==\n",
    "short lines": "fi\n",
    "versions": "1.",
    "bounds": ">=1,",
    "brackets": "[",
    "parentheses": "(",
    "braces": "{",
    "mapping in mapping": "{a: ",
    "list in list": "- ",
    "key in key": "? ",
    "quotes": '"',
    "backslashes": "\\",
    "continued lines": "\\\n",
    "backticks": "`",
    "fences": "```\n",
    "comments never closed": "<!--",
    "tags never closed": "<a ",
    "links never closed": "[](",
    "headings": "# a\n",
    "table": "| - ",
    "substitutions": "$(",
    "variables": "${",
    "redirections": "<<E\n",
    "commands": "a && ",
    "installs": "pip install a\n",
    "options": "-r requirements.txt\n",
    "clones": "cd ..\n",
    "images": "FROM a\n",
    "Python versions": "Python 3.8, ",
    "torch versions": "torch==1.10 ",
    "NUL bytes": "\0",
    "sections": "[a]\n",
    "keys": "a=\n",
}


@pytest.mark.parametrize("text", BOMBS.values(), ids=BOMBS)
def test_repeated_without_end(root: Path, text: str) -> None:
    everywhere(root, text * (SIZE // len(text)) + "!")
    assert "numpy" in names(scanned(root))


def in_place(text: str) -> dict[str, str]:
    """Files that are well-formed around the text, by name."""
    quoted = json.dumps(text)
    block = "\n        ".join(text.splitlines())
    setup = f"from setuptools import setup\nX = {quoted}\nsetup(name=X, version=X, python_requires=X, classifiers=[X], "
    return {
        "setup.py": f"{setup}install_requires=[X, 'a' + X, *X.splitlines(), *X.split(',')])\n",
        "setup.cfg": f"[options]\npython_requires = {block}\ninstall_requires =\n        {block}\n",
        "pyproject.toml": f"[project]\nname = 'a'\nrequires-python = {quoted}\ndependencies = [{quoted}]\n",
        "Pipfile": f"[packages]\na = {quoted}\n{quoted} = '*'\n[requires]\npython_version = {quoted}\n",
        "environment.yml": f"dependencies:\n- {quoted}\n- {json.dumps('python=' + text)}\n- pip: [{quoted}]\n",
        "requirements/runtime.txt": f"a>={text}\nb @ git+https://{text}\nc; python_version > '{text}'\n--find-links {text}\n-{text}\n[{text}\n",
        "README.md": f"# Requirements\n- Python >= {text}\n- PyTorch {text}\n# Install\n```bash\npip install {text}\n```\n`pip install {text}`\n",
        "INSTALL.md": f"```\nconda install {text}\napt-get install {text}\ngit clone https://{text}\ncd {text}\n```\n# {text}\nCUDA {text}\n",
        ".github/workflows/ci.yml": f"jobs:\n  a:\n    strategy: {{matrix: {{python-version: [{quoted}]}}}}\n    steps:\n    - run: {quoted}\n    - run: |\n        {block}\n",
        "Dockerfile": f"FROM a\nENV A={quoted}\nRUN {text}\n",
        "docker/Dockerfile": f"FROM {text}\nRUN pip install {text}\n",
        "docker-compose.yml": f"services: {{a: {{image: {quoted}, command: {quoted}}}}}\n",
        "train.py": f"import argparse\np = argparse.ArgumentParser({quoted})\np.add_argument('--a', default={quoted}, help={quoted})\np.parse_args()\n",
        "a/__init__.py": f"import mmcv\nmmcv_minimum_version = {quoted}\nassert mmcv.__version__ >= {quoted}, {quoted}\n",
        "a/b.py": f"# {text}\nx = {quoted}\nimport {text}\n",
        "look.ipynb": json.dumps(
            {"cells": [{"cell_type": "code", "source": ["import torch\n", f"!pip install {text}\n", text]}]}
        ),
    }


@pytest.mark.parametrize("text", BOMBS.values(), ids=BOMBS)
def test_repeated_without_end_in_its_place(root: Path, text: str) -> None:
    """What is read first may hide the rest: each file is also a tree of its own."""
    roots = []
    for number, (name, content) in enumerate(in_place(text * (SIZE // 4 // len(text)) + "!").items()):
        write(root, name, content)
        roots.append(root / f".{number}")
        write(roots[-1], name, content)
        if name != "requirements/runtime.txt":
            write(roots[-1], "requirements/base.txt", INNOCENT)
    write(root, "requirements.txt", INNOCENT)
    each_scanned([root, *roots])


# Code


def nested(depth: int, before: str, middle: str = "1", after: str = "") -> str:
    return f"x = {before * depth}{middle}{after * depth}\n"


def blocks(depth: int) -> str:
    return "".join(f"{' ' * level}def f{level}():\n" for level in range(depth)) + " " * depth + "import torch\n"


def deep(depth: int) -> dict[str, str]:
    """Code that is nested so deep, each in its way."""
    return {
        "parentheses": nested(depth, "(", after=")"),
        "brackets": nested(depth, "[", after="]"),
        "braces": nested(depth, "{1:", after="}"),
        "signs": nested(depth, "-"),
        "negations": nested(depth, "not "),
        "attributes": f"x = a{'.b' * depth}\n",
        "calls": f"x = a{'()' * depth}\n",
        "items": f"x = a{'[0]' * depth}\n",
        "sums": f"x = 'a'{' + os.x' * depth}\n",
        "powers": f"x = a{' ** b' * depth}\n",
        "lambdas": nested(depth, "lambda: "),
        "choices": nested(depth, "a if b else "),
        "elifs": "if a:\n    pass\n" + "elif b: import c\n" * depth,
        "loops": "".join(f"{' ' * level}for _ in x:\n" for level in range(min(depth, 99)))
        + " " * 99
        + "import torch\n",
        "functions": blocks(min(depth, 500)),
        "imports": f"import a{'.b' * depth}\n",
        "relative imports": f"from {'.' * depth}a import b\n",
        "patterns": f"match x:\n    case {'[' * min(depth, 150)}{']' * min(depth, 150)}: pass\n",
        "strings": "x = " + "'a' " * depth + "\n",
        "formatted": "x = " + "f'{a}' " * depth + "\n",
        "decorators": "@a\n" * depth + "def f(): pass\n",
        "targets": "a = " * depth + "1\n",
    }


@pytest.mark.parametrize("depth", [150, 700, 980, 1400, 2900, 100_000])
def test_code_nested_deep(root: Path, depth: int) -> None:
    """Around every limit that there is: the parser's, the interpreter's, that of whoever walks the tree."""
    for name, code in deep(depth).items():
        write(root, f"{name}/x.py", f"import argparse\n{code}import numpy\n")
        write(root, f"{name}/tools/train.py", f"{code}import argparse\nparser = argparse.ArgumentParser()\n{code}")
        value = code.removeprefix("x = ") if code.startswith("x = ") else "1\n"
        setup = f"from setuptools import setup\n{code}x = \\\n{value}setup(install_requires=x, version=x)\n"
        write(root, f"{name}/setup.py", setup)
        write(root, f"{name}/requirements.txt", INNOCENT)
    every = each_scanned([root / name for name in deep(1)])
    assert [name for name, found in every.items() if "numpy" not in found] == []
    write(root, "requirements.txt", INNOCENT)
    assert "numpy" in names(scanned(root))


def test_ten_megabytes_of_nested_brackets(root: Path) -> None:
    everywhere(root, "[" * 5_000_000 + "]" * 5_000_000)
    assert names(scanned(root)) == {"numpy"}


def test_fifty_thousand_branches(root: Path) -> None:
    flat = "".join(f"if a == {number}:\n    import m{number}\n" for number in range(20_000))
    write(root, "chain.py", "if a:\n    pass\n" + "elif b:\n    pass\n" * 50_000)
    write(root, "flat.py", flat)
    write(root, "requirements.txt", INNOCENT)
    assert names(scanned(root)) == {"numpy"}


# setup.py that computes without end

SETUPS = {
    "a loop without end": "while True:\n    pass\n",
    "a loop that makes its own work": "x = [1]\nfor one in x:\n    x.append(one)\n",
    "a generator without end": "def f():\n    while True:\n        yield 'a'\nx = list(f())\n",
    "recursion": "def f(n):\n    return f(n + 1)\nx = f(0)\n",
    "recursion that branches": "def f(n):\n    return f(n + 1) + f(n + 1)\nx = f(0)\n",
    "two that call each other": "f = lambda n: g(n)\ng = lambda n: f(n)\nx = f(0)\n",
    "a text that doubles": "x = 'a'\nfor _ in range(100):\n    x += x\n",
    "a list that doubles": "x = ['a']\nfor _ in range(100):\n    x = x + x\n",
    "a list in itself": "x = []\nx.append(x)\nx = str(x)\n",
    "lists of one another": "x = ['a']\nfor _ in range(100):\n    x = [x, x, x]\nx = str(x)\n",
    "an enormous text": "x = 'a' * 10**12\n",
    "an enormous list": "x = ['a'] * 10**12\n",
    "an enormous range": "x = [str(i) for i in range(10**15)]\n",
    "an enormous number": "x = 10**10**10\n",
    "an enormous shift": "x = 1 << 10**12\n",
    "digits": "x = int('9' * 10**6)\ny = str(10**10**5)\n",
    "a wide format": "x = '%1000000000d' % 1\n",
    "a wide f-string": "x = f\"{'a':>1000000000}\"\n",
    "a wide format method": "x = '{:>1000000000}'.format('a')\n",
    "justified": "x = 'a'.ljust(10**10)\n",
    "replaced": "x = 'a' * 1000\nfor _ in range(20):\n    x = x.replace('a', 'aaaaaaaa')\n",
    "joined": "x = 'a' * 1000\nfor _ in range(20):\n    x = x.join(x)\n",
    "loops in loops": "".join(f"{' ' * depth}for a{depth} in range(1000):\n" for depth in range(12)) + " " * 12 + "pass\n",
    "loops in one": "x = [a for a in range(9999) for b in range(9999) for c in range(9999)]\n",
    "a pattern that goes back": "import re\nx = re.search(r'(a+)+$', 'a' * 60 + '!')\ny = re.sub('(a|a)*b', '', 'a' * 99)\n",
    "a pattern from a file": "import re\nx = re.search(r'^(([a-z])+.)+[A-Z]([a-z])+$', open('README.md').read())\n",
    "itself": "exec(open(__file__).read())\nexec(open('setup.py').read())\nimport setup\n",
    "itself read again and again": "x = ''\nfor _ in range(10**6):\n    x += open('setup.py').read()\n",
    "a walk over the disk": "import glob, os\nx = glob.glob('/**', recursive=True)\ny = list(os.walk('/'))\n",
    "a device": "x = open('/dev/zero').read()\ny = open('../../../dev/zero').read()\n",
    "a program": "import os, subprocess\nos.system('touch ran')\nsubprocess.run(['touch', 'ran'])\nopen('ran', 'w').write('a')\n",
    "a class that answers all": "class A:\n    __getattr__ = lambda s, n: s\n    __call__ = lambda s: s\nx = A().a.b().c\n",
    "input": "x = input()\nimport sys\ny = sys.stdin.read()\n",
}  # fmt: skip


@pytest.mark.parametrize("code", SETUPS.values(), ids=SETUPS)
def test_a_setup_script_that_never_ends(root: Path, code: str) -> None:
    """What stands beside it is still read; nothing of it is run."""
    write(
        root,
        "setup.py",
        f"x = y = ''\n{code}from setuptools import setup\nsetup(name='a', install_requires=['numpy', x, y])\n",
    )
    write(root, "README.md", "a" * 60 + "!" + "a" * 60)
    write(root, "requirements.txt", INNOCENT)
    scanned(root)
    assert not (root / "ran").exists()


# Formats that expand


LAUGHS = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 40))
MERGES = "a0: &a0 {x: y}\n" + "".join(
    f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}], k{n}: v}}\n" for n in range(1, 40)
)
BODIES = {
    "environment.yml": "dependencies: *a39\nchannels: *a39\n",
    "docker-compose.yml": "services: {a: *a39, b: {build: *a39, image: *a39, command: *a39}}\n",
    ".github/workflows/ci.yml": "jobs: {a: {strategy: {matrix: {python-version: *a39, include: *a39}}, steps: *a39}}\n",
    ".gitlab-ci.yml": "image: *a39\nscript: *a39\na: {script: *a39}\n",
    ".travis.yml": "python: *a39\ninstall: *a39\nmatrix: {include: *a39}\n",
    ".circleci/config.yml": "jobs: {a: {docker: *a39, steps: *a39}}\n",
}


@pytest.mark.parametrize("bomb", [LAUGHS, MERGES], ids=["lists", "merge keys"])
def test_yaml_that_laughs_a_billion_times(root: Path, bomb: str) -> None:
    for name in YAMLS:
        write(root, name, bomb + BODIES[name])
    write(root, "requirements.txt", INNOCENT)
    assert names(scanned(root)) == {"numpy"}


def test_yaml_that_holds_itself(root: Path) -> None:
    for name in YAMLS:
        write(
            root,
            name,
            "a: &a [*a, {b: *a, <<: *a}]\njobs: &j {x: *j, steps: *j, <<: *j}\nservices: &s {x: *s}\ndependencies: &d [*d]\n",
        )
    write(root, "requirements.txt", INNOCENT)
    assert names(scanned(root)) == {"numpy"}


@pytest.mark.parametrize("depth", [300, 900, 5_000, 100_000])
def test_toml_json_and_yaml_nested_deep(root: Path, depth: int) -> None:
    for name in ("pyproject.toml", "Pipfile"):
        write(root, name, f"a = {'[' * depth}{']' * depth}\n[{'.'.join('a' * min(depth, 9_000))}]\nb = 1\n")
    write(root, "a.ipynb", "[" * depth + "]" * depth)
    write(root, "b.ipynb", '{"cells": [' + '{"source": [' * depth + "]}" * depth + "]}")
    write(root, "c.ipynb", '{"cells": [{"cell_type": "code", "source": ' + "[" * depth + "]" * depth + "}]}")
    for name in YAMLS:
        write(root, name, "a: " + "[" * depth + "]" * depth + "\n")
    write(root, "requirements.txt", INNOCENT)
    assert names(scanned(root)) == {"numpy"}


def test_a_notebook_with_a_hundred_thousand_cells(root: Path) -> None:
    cells = [
        {"cell_type": "code", "source": ["import torch\n", f"!pip install p{n % 7}"], "outputs": []}
        for n in range(100_000)
    ]
    small = [*cells[:20_000], {"cell_type": "code", "source": "\u3042" * 1_000_000}]
    write(root, "large.ipynb", json.dumps({"cells": cells, "metadata": {}}))
    write(root, "small.ipynb", json.dumps({"cells": small, "metadata": {}}))
    write(
        root,
        "odd.ipynb",
        json.dumps({"cells": [1, None, [], {"cell_type": "code", "source": {"a": 1}}, {"source": 1}]}),
    )
    write(root, "flat.ipynb", json.dumps("a" * 1_000_000))
    write(root, "requirements.txt", INNOCENT)
    assert "numpy" in names(scanned(root))


def test_requirements_that_include_themselves(root: Path) -> None:
    both = (
        "numpy\n-r a.txt\n-r b.txt\n-c a.txt\n-r ../{root}/a.txt\n-r ./././a.txt\n-r /etc/passwd\n-r a.txt/../a.txt\n"
    )
    write(root, "requirements.txt", both.format(root=root.name) * 500)
    write(root, "a.txt", both.format(root=root.name) * 500)
    write(root, "b.txt", both.format(root=root.name) * 500)
    assert names(scanned(root)) == {"numpy"}


def test_requirements_that_include_without_end(root: Path) -> None:
    """Two hundred files of which each includes all: 200 ** 200 ways to go."""
    every = "".join(f"-r r{number}.txt\n-c r{number}.txt\n" for number in range(200))
    for number in range(200):
        write(root, f"r{number}.txt", every)
    write(root, "requirements.txt", INNOCENT + every)
    assert names(scanned(root)) == {"numpy"}


def test_a_hundred_thousand_requirements(root: Path) -> None:
    write(root, "requirements.txt", INNOCENT + "".join(f"p{number}>=1,<2,!=1.{number}\n" for number in range(100_000)))
    write(root, "constraints.txt", "".join(f"numpy!=1.{number}\n" for number in range(20_000)))
    write(
        root,
        "setup.py",
        "from setuptools import setup\nsetup(python_requires='" + ",".join(f"!=3.{n}" for n in range(5_000)) + "')\n",
    )
    assert "numpy" in names(scanned(root))


def test_one_package_declared_ten_thousand_times(root: Path) -> None:
    write(
        root,
        "requirements.txt",
        "-c c.txt\n" + "".join(f"numpy[e{n}]>=1.{n}; python_version > '3.{n}'\n" for n in range(10_000)),
    )
    write(root, "c.txt", "".join(f"numpy>=1.{number}\n" for number in range(10_000)))
    assert names(scanned(root)) == {"numpy"}


def test_everything_told_ten_thousand_times(root: Path) -> None:
    said = "".join(f"- Python 3.{n % 900}, PyTorch >= 1.{n}, CUDA 11.{n}\n" for n in range(10_000))
    shell = "".join(
        f"pip install q{n}==1.{n}\nconda install r{n}={n}\napt-get install s{n}\ncd d{n}\n" for n in range(5_000)
    )
    write(root, "README.md", f"# Requirements\n{said}\n```\n{shell}\n```\n")
    write(
        root,
        "Dockerfile",
        "FROM python:3.8\n"
        + "".join(f"ENV A{n}=${{A{n - 1}}}${{A{n - 1}}}\n" for n in range(1, 300))
        + "RUN pip install ${A299}\n",
    )
    for number in range(300):
        write(root, f".github/workflows/{number}.yml", f"jobs: {{a: {{steps: [{{run: 'pip install t{number}'}}]}}}}\n")
    write(root, "requirements.txt", INNOCENT)
    assert "numpy" in names(scanned(root))


def test_every_entry_point_there_could_be(root: Path) -> None:
    body = "import argparse\np = argparse.ArgumentParser()\n" + "".join(
        f"p.add_argument('--a{n}', help='{n}')\n" for n in range(5_000)
    )
    for number in range(40):
        write(
            root,
            f"tools/train{number}.py",
            f"{body}def main():\n    p.parse_args()\nif __name__ == '__main__':\n    main()\n",
        )
    write(root, "train.py", "from a import *\nfrom train import *\nimport train\n")
    write(root, "a.py", "from train import parser\nfrom a import *\n")
    write(root, "requirements.txt", INNOCENT)
    assert names(scanned(root)) == {"numpy"}
