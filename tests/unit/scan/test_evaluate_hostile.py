"""A stranger's setup.py that means harm: nothing of it is run, nothing outside is read, and the reading ends soon."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from kobako.scan.declaring import setup_py
from kobako.scan.declaring.declared import Declared
from kobako.scan.tree import Tree


def read(root: Path, script: str) -> Declared:
    root.mkdir(exist_ok=True)
    (root / "setup.py").write_text(script, encoding="utf-8")
    found = setup_py.read(Tree(root))
    assert found is not None
    return found


def shown(found: Declared) -> list[str]:
    return [str(one) for one in found.requirements]


def test_nothing_is_executed(tmp_path: Path) -> None:
    target = tmp_path / "touched"
    lines = [
        f"open({str(target)!r}, 'w').write('x')",
        f"__import__('os').system('touch {target}')",
        f"import subprocess; subprocess.run(['touch', {str(target)!r}])",
        f"exec(\"open({str(target)!r}, 'w')\")",
        f"eval(\"open({str(target)!r}, 'w')\")",
        f"().__class__.__base__.__subclasses__()[0]; str.join.__globals__['open']({str(target)!r}, 'w')",
        f"import pathlib; pathlib.Path({str(target)!r}).write_text('x'); pathlib.Path({str(target)!r}).touch()",
        "'{0.__class__.__init__.__globals__}'.format(open); '%s' % open",
        "setup(install_requires=['six'])",
    ]
    found = read(tmp_path / "r", "\n".join(lines))
    assert shown(found) == ["six"]
    assert not target.exists()


def test_files_outside_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret\n")
    root = tmp_path / "r"
    root.mkdir()
    (root / "link.txt").symlink_to("../secret.txt")
    names = [
        "../secret.txt",
        "link.txt",
        str(tmp_path / "secret.txt"),
        "a/../../secret.txt",
        "/repository/../secret.txt",
    ]
    for name in names:
        found = read(root, f"setup(install_requires=open({name!r}).read().split())")
        assert "secret" not in "".join(shown(found))
        assert found.requirements == []
        assert found.questions


HOSTILE = [
    "while True: pass",
    "while True:\n    x = 'a'",
    "x = 'a' * 10**9",
    "x = 'a'\nwhile True: x += x",
    "x = ['a']\nwhile True: x += x",
    "x = ('a',)\nfor i in range(100): x = x + x",
    "x = [0] * 10**10",
    "x = 2**10**9",
    "x = 2\nfor i in range(10**6): x = x * x",
    "x = 1 << 10**10",
    "x = list(range(10**12))",
    "x = [i for i in range(10**5) for j in range(10**5)]",
    "x = sum(range(10**9))",
    "def f(n): return f(n + 1)\nx = f(0)",
    "def f(): return f() + f()\nx = f()",
    "f = lambda: [f(), f()]\nx = f()",
    "import re\nx = re.match('(a+)+$', 'a' * 5000 + 'b')",
    "import re\nx = re.match('(a|a)*$', 'a' * 5000 + 'b')",
    "import re\nx = re.search('(.*)(.*)(.*)(.*)(.*)x', 'a' * 20000)",
    "import re\nx = re.findall('((a*)*)*b', 'a' * 2000)",
    "import re\nx = re.sub('(?:(?:a?){50}){50}', '', 'a' * 30)",
    "import re\nx = re.match('a{1000000000}', 'a')",
    "import re\nx = re.match('(' * 900 + 'a' + ')' * 900, 'a')",
    "import re\nx = re.sub('', 'a' * 100000, 'b' * 100000)",
    "import re\nx = re.match(r'(.*)\\1\\1\\1$', 'a' * 5000)",
    "x = 'a' * 1000\nfor i in range(10**6): x = x.replace('a', 'aa')",
    "x = '{:>1000000000}'.format('a')",
    "x = '%1000000000d' % 1",
    "x = '%*d' % (10**9, 1)",
    "x = f'{1:>{10**9}}'",
    "x = 'a'.ljust(10**10) + 'a'.zfill(10**10)",
    "x = ','.join(['a' * 1000] * 100000)",
    "x = []\nx.append(x)\ny = []\ny.append(y)\nz = x == y\nstr(x)",
    "x = y = []\nfor i in range(60):\n    x = [x, x]\n    y = [y, y]\nz = x == y, str(x), x in [y], sorted([x, y])",
    "x = ()\nfor i in range(60): x = (x, x)\nz = {x: 1}, hash(x), x == x",
    "d = {}\nfor i in range(60): d = {'a': d, 'b': d}\nz = str(d)\nimport copy\ncopy.deepcopy(d)",
    "d = {}\nd['d'] = d\nimport copy\nx = copy.deepcopy(d)",
    "x = {i * (2**61 - 1) for i in range(10**5)}",
    "x = {i << 40 for i in range(10**5)}",
    "import json\nx = json.loads('[' * 100000)",
    "import json\nx = json.loads('1' * 100000)",
    "x = int('1' * 100000)",
    "x = 10.0 ** 10000",
    "x = 1 // 0",
    "class A(A2): pass\nclass B:\n    def __getattr__(self, n): return self.x\nx = B().y",
    "class A:\n    @property\n    def x(self): return self.x\ny = A().x",
    "import setup\nfrom setup import *",
    "exec(open('setup.py').read())",
    "def g():\n    while True: yield 1\nx = list(g())",
    "import itertools\nfor i in itertools.count(): pass\nx = 'a'.translate({97: 'b' * 10**6})",
    "x = " + "+".join(["'a'"] * 3000),
    "x = " + "-" * 90 + "1",
    "for a in range(300):\n for b in range(300):\n  for c in range(300):\n   for d in range(300): pass",
    "import glob, os\nx = [glob.glob('**/' * 50 + '*' * 200) for i in range(10**6)]\ny = list(os.walk('.'))",
    "try:\n    raise ValueError\nfinally:\n    raise KeyError",
    "import torch\nwhile torch.x:\n    while torch.y:\n        while torch.z: pass",
    "import torch\n" + "".join(f"{'  ' * n}if torch.x{n}:\n" for n in range(18)) + "  " * 18 + "x = 1",
    "import torch\nx = []\nfor i in range(16):\n    if torch.x: x = x + [i]\n    else: x = [x, x]",
    "x = '\\ud800'\nprint(x)\nopen(x)\nopen('a\\0b')\nimport os\nos.path.exists('\\0')",
    "import configparser\nc = configparser.ConfigParser()\nc.read_string('[a]\\nx = %(y)s%(y)s\\ny = %(x)s')\nc['a']['x']",
    "match 1:\n    case _: x = 1",
    "open = exec = eval = setup2 = None\nopen('x')",
    "import torch\nfor i in range(10**5):\n    if torch.x + sum([" + ",".join("1" * 4000) + "]): pass",
    "x = {str(i): i for i in range(10**4)}\nfor i in range(10**6): i in x, x.get(-1)",
    "x = [0] * 10**5\nwhile len(x): 1 in x, x == x[:], x.count(1), x.insert(0, 1), x.pop(0)",
    "import torch\nx = [torch.x] * 10**5\nwhile x: pass\nwhile True: len(x), bool(x), any(x)",
    "x = open('big.txt').read()\nwhile True: x[-1], x[900000:900001], x.strip(), x.upper(), x + 'a'",
    "import re\nx = open('big.txt').read()[:200000]\nwhile True: re.findall('a', x), re.sub('b', 'c', x), re.split('a', x)",
    "x = open('big.txt').read().split('b')\nsetup(install_requires=[x] * 10**4, extras_require={str(i): x for i in range(10**4)})",
    "x = [[]] * 10**5\nsetup(install_requires=[x] * 10**5)",
    "setup(install_requires=['p%d' % i for i in range(10**5)])",
    "import torch\nfor i in range(10**4): globals()['n%d' % i] = i\nfor i in range(10**5):\n    if torch.x: y = i",
    "f = open('out.txt', 'w')\nwhile True:\n    f.write('a' * 10**5)\n    open('out.txt').read()",
    "import configparser\nc = configparser.ConfigParser()\nc.read_string('[a]\\n' + ''.join('k%d = 1\\n' % i for i in range(20000)))\nd = c['a']",
    "from nowhere import compute\nfor i in range(10**5): setup(name='x', install_requires=compute('requirements.txt'))",
    "x = set(range(20000))\nwhile True: list(x), x | x, sorted(x)",
    "s = '{0' + '[a]' * 100000 + '}'\nd = {}\nd['a'] = d\nwhile True: s.format(d)",
    "x = 'a' * 1000000\nwhile True: repr(x)",
    "x = ['a' * 900000] * 1000\nwhile True: repr(x), str(x)",
    "x = ['a' * 900000] * 90000\nwhile True: ''.join(x)",
    "x = round(1.5, 10**9); y = round(12345, -10**9); z = round(2.5); w = abs(-2**250)",
    "def f(*a, **k): return [a, k]\ny = {str(i): i for i in range(19000)}\nx = [f(**y) for i in range(10**5)]",
    "import re\np = re.compile('(' * 40 + 'a' + ')' * 40)\nwhile True: p.match('a')",
    "import re\nx = re.sub('(a*)', '\\\\1' * 400000, 'a' * 100000)",
    "import re\nm = re.match('(a*)', 'a' * 200000)\nx = [m.group(0) for i in range(10**5)]",
    "import textwrap\nx = '\\n' * 50000 + ' a'\nwhile True: textwrap.dedent(x)",
    "import textwrap\nx = (' ' * 300 + '\\n') * 330\nwhile True: textwrap.dedent(x)",
    "import configparser\nc = configparser.ConfigParser(allow_no_value=[], delimiters=[''])\nc.read_string('[a]\\nb\\nc')\nc['a'], c[['x']], c.get([], {}), c.items({}), c.has_option([], 1), c.options(5), c.sections()",
    "import configparser\nc = configparser.ConfigParser(delimiters='a' * 900000)\nc = configparser.ConfigParser(delimiters=['=' + str(i) for i in range(10000)])\nwhile True: c.read_string('[a]\\nb = 1\\n' * 1000)",
    "import pathlib\np = pathlib.Path('a')\nwhile True: p = p / p",
    "import pathlib\np = pathlib.Path('a/' * 400000)\nwhile True: p = p / 'b'; p.parents; p.parent; p.parts; p.resolve(); p.exists()",
    "import os\np = 'a/' * 400000\nwhile True: os.path.join(p, p); os.path.normpath(p); os.path.abspath(p); os.path.exists(p)",
    "import os\np = 'a'\nwhile True: p = os.path.join(p, p)",
    "class C: pass\nB = C\nfor i in range(40):\n    class C(C, C): \n        def f(self): return super().f()\nisinstance(C(), B); isinstance(C(), type(B())); C().f()",
    "class K: pass\nclass C: pass\nfor i in range(28):\n    class C(C, C): pass\nisinstance(C(), K)",
    "class C:\n    def f(self): return 1\nfor i in range(28):\n    class C(C, C):\n        def f(self): return super().f()\nC().f()",
    "import pkg_resources\nwhile True: list(pkg_resources.parse_requirements('a' + '\\\\\\nb' * 20000))",
    "x = ['x' * 900000 + str(i) for i in range(20)] * 100\nsetup(install_requires=x, extras_require={str(i): x for i in range(1000)})",
    "x = ['\\n'.join(['x'] * 90000)] * 2000\nsetup(install_requires=x)",
    "y = set(range(19000))\nx = [y.copy() for i in range(10**5)]",
    "x = 'a b ' * 25000\nwhile True: x.split()",
    "y = {str(i): i for i in range(19000)}\nx = [list(y.items()) for i in range(10**5)]",
    "y = set(range(19000))\nx = [y | y for i in range(10**5)]",
    "from functools import partial, reduce\nf = print\nfor i in range(10**6): f = partial(f, 1)\nf()",
    "x = '\\n'.join(['a'] * 90000)\nfor l in x.splitlines(): l.split('a')\nwhile True: x.splitlines()",
    "x = ['-r big.txt'] * 2000\nsetup(install_requires=x)",
]  # fmt: skip


@pytest.mark.parametrize("script", HOSTILE)
def test_a_hostile_script_ends(script: str, tmp_path: Path) -> None:
    """The call of setup stands behind it: either it is reached, or it is asked about. Never does it take long."""
    (tmp_path / "big.txt").write_text("ab" * 490_000 + "\n" * 10_000)
    start = time.process_time()
    found = read(tmp_path, f"{script}\nsetup(install_requires=['six'])")
    assert time.process_time() - start < 3
    assert "six" in shown(found) or found.questions or found.problems


def test_a_large_file_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"a\n" * 3_000_000)
    found = read(tmp_path, "setup(install_requires=open('a.txt').read().split())")
    assert [str(one) for one in found.questions] == [
        "setup.py:1: install_requires is read from a.txt, which is too large to read"
    ]


@pytest.mark.parametrize("script", ["(" * 5000, "x = " + "[" * 300 + "]" * 300, "\0", "x = '" + "a" * 2_000_000 + "'"])
def test_what_is_no_python_of_a_person_s(script: str, tmp_path: Path) -> None:
    (tmp_path / "setup.py").write_text(f"{script}\nsetup(install_requires=['six'])")
    found = setup_py.read(Tree(tmp_path))
    assert found is None or found.questions or shown(found) == ["six"]
