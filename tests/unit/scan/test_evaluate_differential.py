"""What is followed comes to what Python comes to: snippets of our own, written for this test, are run to compare."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kobako.scan.evaluate import Unknown, evaluate
from kobako.scan.evaluate.values import Iterator, Text
from kobako.scan.tree import Tree

OPEN = "unknown"


def run(script: str) -> Any:
    """What Python gives ``setup`` for a snippet of this file's own."""
    given: dict[str, Any] = {}
    exec(compile(script, "setup.py", "exec"), {"__name__": "__main__", "__file__": "setup.py", "setup": given.update})
    return given["install_requires"]


def followed(script: str, root: Path) -> Any:
    outcome = evaluate(Tree(root), "setup.py", ast.parse(script), (sys.version_info[0], sys.version_info[1]))
    return plain(outcome.calls[0].keywords["install_requires"]) if outcome.calls else OPEN


def plain(value: Any) -> Any:
    """A value without places; ``OPEN`` where a part of it is not known."""
    if isinstance(value, Unknown) or (isinstance(value, Text) and value.doubt is not None):
        return OPEN
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Iterator):
        return plain(value.items)
    if isinstance(value, dict):
        pairs = [(plain(key), plain(item)) for key, item in value.items()]
        return OPEN if any(OPEN in pair for pair in pairs) else dict(pairs)
    if isinstance(value, (list, tuple, set, frozenset)):
        items = [plain(item) for item in value]
        return OPEN if OPEN in items else type(value)(items)
    return value


SNIPPETS = [
    "r = ['a']\nr.extend(open('r.txt'))\nr += open('r.txt')",
    "f = open('r.txt')\nr = [f.read(), list(f), f.readlines()]",
    "f = open('r.txt')\nr = [f.readline(), f.readline(), list(f)]",
    "f = open('r.txt')\nr = [f.read(3)]",
    "f = open('r.txt')\nx = f.read()\nf.seek(0)\nr = f.read()",
    "r = open('crlf.txt').read().split('\\n')",
    "r = [l for l in open('crlf.txt')]",
    "r = list(map(lambda a, b: a + b, ['a', 'b'], ['c', 'd']))",
    "r = list(map('{}=={}'.format, ['a', 'b'], [1, 2]))",
    "r = [len([1, 2]), len('abc'), len({1: 2}), len(())]",
    "class L(list): pass\nr = [isinstance(L(), list)]",
    ("class A:\n    def f(self): return ['a']\nclass B(A):\n    def f(self): return super().f() + ['b']\n"
    "class C(B):\n    def f(self): return super().f() + ['c']\nr = C().f()"),
    "class A:\n    x = 1\nr = [hasattr(A(), 'x'), hasattr(A(), 'y'), getattr(A(), 'y', 2), getattr(A(), 'x', 2)]",
    "import os, sys\nr = [hasattr(os, 'sched_getaffinity'), getattr(sys, 'float_info', 5)]",
    "d = {'a': 1}\nr = [d.get('a'), d.get('b'), d.get('b', 3), d.pop('a'), d.pop('a', 4), d.setdefault('c', 5), d]",
    "d = {}\nd.update([('a', 1), ['b', 2]], c=3)\nr = d",
    "r = ['%s %d %r %5s|%-5s|%05d|%.2f|%x|%%' % ('a', 2, 'b', 'c', 'd', 7, 1.5, 255)]",
    "r = ['{} {!r} {:>5} {:<4}| {:05d} {:.1f} {x} {0}'.format('a', 'b', 'c', 'd', 7, 1.25, x=3) if False else '{0}{1}'.format(1, 2)]",
    "v = (1, 2, 3)\nr = ['.'.join(map(str, v)), '%d.%d.%d' % v, str(v), str(v[:1]), str([]), str(()), str({})]",
    "r = [f'{1 + 1}{\"a\"!r}{1.5:.2f}{\"x\":>3}{{}}']",
    "r = [x for y in (['a'], ['b', 'c']) for x in y if x != 'b']",
    "r = [(i, x) for i, x in enumerate('abc', 1)] + list(zip('ab', [1, 2, 3]))",
    "a, *b, c = 'one two three four'.split()\nr = [a, b, c]",
    "r = ['a;b;c'.partition(';'), 'a;b;c'.rpartition(';'), 'a;b;c'.split(';', 1), 'a;b;c'.rsplit(';', 1), 'abc'.split('x')]",
    "r = ['  a b '.strip(), 'xxaxx'.strip('x'), 'abab'.replace('a', 'c', 1), 'a\\tb  c'.split(), 'A-b'.lower().title()]",
    "r = ['a\\nb\\r\\nc\\x0bd'.splitlines(), 'a\\nb\\n'.splitlines(keepends=True), 'abc'[::-1], 'abc'[-2:], 'abc'[1]]",
    "r = ['abc'.find('c'), 'abc'.startswith(('x', 'a')), 'abc'.endswith('bc'), 'abc'.count('b'), 'abc'.index('b'), '1'.isdigit()]",
    "r = []\nfor x in range(5):\n    if x == 1: continue\n    if x == 4: break\n    r.append(x)\nelse:\n    r.append('never')",
    "r = []\nn = 3\nwhile n:\n    n -= 1\n    r.append(n)\nelse:\n    r.append('end')",
    ("r = []\ntry:\n    r.append(1)\n    {}['x']\n    r.append(2)\nexcept (ValueError, KeyError) as e:\n    r.append(3)\nelse:\n    r.append(4)\n"
    "finally:\n    r.append(5)"),
    "def f():\n    try:\n        return ['a']\n    finally:\n        g.append('b')\ng = []\nr = f() + g",
    "def f(a, b=['x'], *c, d, e=5, **k):\n    b.append(a)\n    return [a, b, c, d, e, k]\nr = [f(1, d=2), f(3, d=4), f(5, [6], 7, 8, d=9, z=0)]",
    "def f(n):\n    return [n] + f(n - 1) if n else []\nr = f(5)",
    "def f():\n    for i in range(3):\n        x = yield i\n    yield from ['a', 'b']\nr = list(f())",
    "def outer():\n    n = 0\n    def inner():\n        nonlocal n\n        n += 1\n        return n\n    inner()\n    return inner()\nr = [outer()]",
    "x = 1\ndef f():\n    global x\n    x = 2\nf()\nr = [x]",
    "a = b = ['x']\na += ['y']\nb = b + ['z']\nr = [a, b]",
    "t = ('a',)\nt += ('b',)\ns = 'a'\ns += 'b' * 2\nr = [t, s, ['q'] * 2, 7 // 2, 7 / 2, -7 % 3, 1 | 2, 5 & 4, 5 ^ 1, ~5, -5, not 5]",
    "r = sorted(['b', 'A', 'c'], key=str.lower) + sorted([3, 1, 2], reverse=True) + sorted({'y', 'x'})",
    "r = [min([2, 1]), max('a', 'b'), sum([1, 2], 3), any([0, 1]), all([1, 0]), any([]), all([]), max(['aa', 'b'], key=len)]",
    "r = [{'a', 'b'} - {'a'}, {'a'} | {'b'}, {'a', 'b'} & {'a'}, {'a'} ^ {'b'}, {'a'}.union(['c']), {'a', 'b'}.difference({'a'})]",
    "r = [1 < 2 < 3, 1 < 2 > 3, 'a' in 'abc', 'a' not in ['b'], None is None, 1 == 1.0, (1, 2) < (1, 3), 'b' > 'a', [1] == [1], {} == {}]",
    "r = [1 and 2, 0 or 'x', '' or [] or 5, None and 1, not '', 1 if [] else 2]",
    "r = [int('3'), int(3.9), float('1.5'), str(1.0), str(True), bool(''), list('ab'), tuple([1]), dict(a=1), int('0x1f', 16)]",
    "x = [3, 1, 2]\nx.sort()\ny = x.copy()\nx.reverse()\ny.insert(1, 9)\ny.remove(3)\nr = [x, y, y.pop(), y.pop(0), x.index(1), x.count(1), y]",
    "x = list('abcdef')\ndel x[0]\ndel x[-1]\nx[0] = 'z'\nr = [x, x[1:3], x[::2]]",
    "from collections import defaultdict, OrderedDict\nd = defaultdict(list)\nd['a'].append(1)\nd['b']\nr = [dict(d), list(OrderedDict(x=1).items())]",
    "from itertools import chain\nr = list(chain(['a'], 'b')) + list(chain.from_iterable([['c'], ['d']]))",
    "import copy\na = {'x': [1]}\nb = copy.deepcopy(a)\nc = copy.copy(a)\na['x'].append(2)\nr = [a, b, c]",
    "import os.path\nr = [os.path.join('a', '/b', 'c'), os.path.basename('a/b.txt'), os.path.dirname('a/b'), os.path.splitext('a.b.c'), os.path.normpath('a/../b/.')]",
    "from pathlib import Path\np = Path('a') / 'b' / '../c.txt'\nr = [str(p), p.name, p.stem, p.suffix, str(p.parent), p == Path('a/b/../c.txt'), p.parts, str('x' / Path('y'))]",
    "from textwrap import dedent\nr = [dedent('''\n    a\n      b\n\n   c\n  \t\n'''), dedent('a\\n  b'), dedent('\\ta\\n\\tb'), dedent('')]",
    "import json\nr = json.loads('{\"a\": [1, 2.5, null, true, \"x\"]}')",
    ("import configparser\nc = configparser.ConfigParser(delimiters=['='])\nc.read('s.ini')\n"
    "r = [c['a']['x'], c.get('a', 'y'), c.get('a', 'z', fallback='f'), c.has_section('b'), c.has_option('a', 'x'), c.sections()]"),
    "import ast\nr = ast.literal_eval(\"['a', {'b': (1, 2)}]\")",
    "exec('y = [1]\\ny.append(2)')\nr = y + eval('[3]')",
    "ns = {}\nexec('v = \"1.0\"', ns)\nr = [ns['v'], ns.get('w')]",
    ("import re\nr = [re.split(r'[,;]\\s*', 'a, b;c'), re.findall(r'(\\w)=(\\d)', 'a=1 b=2'), re.sub(r'(\\w)', r'<\\1>', 'ab'), "
    "re.match(r'(?P<n>\\w+)(\\d)?', 'ab').groups(), re.match('x', 'y'), re.search('b+', 'abbc').group()]"),
    "r = ['a' 'b', b'c'.decode(), u'd', r'\\n', '\\u00e9', '''e\nf''']",
    "if (n := 3) > 2:\n    r = [n]",
    "r = [*'ab', *[1], *(2,), *{'k': 1}]\nr = r + [{**{'a': 1}, 'b': 2}]",
    "import sys\nr = ['new'] if sys.version_info >= (3, 8) else ['old']",
    "import sys\nr = [sys.platform.startswith('linux'), sys.version_info[0], sys.version_info.major, sys.version_info[:2] > (3, 0)]",
    "for k, v in {'a': 1, 'b': 2}.items(): pass\nr = [k, v]",
    "r = list(reversed(['a', 'b'])) + list(filter(None, ['', 'c'])) + list(filter(lambda x: x > 'd', 'def'))",
    "g = (x * 2 for x in 'abc')\nr = [next(g), list(g), next(g, 'end')]",
    "r = list(dict.fromkeys(['b', 'a', 'b']))",
    "from contextlib import suppress\nr = ['a']\nwith suppress(ImportError):\n    import no_such_module_at_all\n    r = ['b']",
    ("class A:\n    def __init__(self, x): self.x = x\n    def __str__(self): return f'<{self.x}>'\n    @property\n    def y(self): return self.x * 2\n"
    "    @staticmethod\n    def s(a): return a\n    @classmethod\n    def c(cls): return cls('k').x\n"
    "a = A('v')\nr = [str(a), a.y, a.s(1), A.s(2), A.c(), a.c(), f'{a}', '%s' % a]"),
    "from types import SimpleNamespace\nn = SimpleNamespace(a=['x'])\nn.b = 2\nr = n.a + [n.b]",
    "r = [i for i in range(10) if i % 2 == 0][1:3] + list(range(5, 0, -2))",
    "x = 'abc'\nr = [x[0:2], x[-1], x * 2, 'b' in x, x.upper(), x.capitalize(), 'a,b'.split(','), '-'.join(x)]",
]  # fmt: skip


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "r.txt").write_text("one\n# two\n\nthree==3\n")
    (tmp_path / "crlf.txt").write_bytes(b"one\r\ntwo\r\n")
    (tmp_path / "s.ini").write_text("[a]\nx = 1\ny = a:b\n  c\n")
    (tmp_path / "setup.py").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("snippet", SNIPPETS)
def test_what_is_certain_is_right(snippet: str, root: Path) -> None:
    script = f"{snippet}\nsetup(install_requires=r)"
    found = followed(script, root)
    assert found in (OPEN, run(script))


# --- snippets put together by chance -------------------------------------------------------------------------------

TEXTS = st.sampled_from(["a", "b", "a==1", "", " c ", "x;y", "a#b", "1.2.3"])
TEXT = st.one_of(
    TEXTS.map(repr),
    st.sampled_from(["s", "s.strip()", "s.upper()", "s + 'q'", "s[1:]", "s[-1:]", "'-'.join(a)", "a[0]", "f'{s}-{n}'"]),
    st.sampled_from(["'%s=%d' % (s, n)", "'{}:{:>3}'.format(n, s)", "s.replace('a', 'bb')", "s.partition('=')[0]"]),
    st.sampled_from(["str(a)", "str(d)", "max(a)", "d.get(s, 'none')", "a.pop()", "(s or 'e')", "s.split('=')[-1]"]),
)
LISTS = st.one_of(
    st.lists(TEXT, max_size=3).map(lambda items: f"[{', '.join(items)}]"),
    st.sampled_from(
        ["a", "b", "a + b", "a[1:]", "a[::-1]", "sorted(b)", "list(d)", "list(d.values())", "s.split('=')"]
    ),
    st.sampled_from(
        ["[x for x in a if x]", "[x + s for x in b]", "list(filter(None, a))", "list(set(a) | set(b))[:0]"]
    ),
    st.sampled_from(["sorted(set(a) - set(b))", "[y for x in (a, b) for y in x]", "list(map(str.strip, a))", "a * 2"]),
    st.sampled_from(
        ["list(dict.fromkeys(a))", "[k + v for k, v in d.items()]", "sorted(a, key=len)", "f(a)", "f(b, s)"]
    ),
)
CONDITION = st.sampled_from(
    [
        "s",
        "a",
        "not b",
        "n > 2",
        "s in a",
        "s in d",
        "len(a) > len(b)",
        "a == b",
        "s.startswith('a')",
        "n % 2",
        "'a' in s",
    ]
)
SIMPLE = st.one_of(
    TEXT.map(lambda text: f"s = {text}"),
    LISTS.map(lambda items: f"a = {items}"),
    LISTS.map(lambda items: f"b += {items}"),
    LISTS.map(lambda items: f"b = a = {items}"),
    TEXT.map(lambda text: f"a.append({text})"),
    TEXT.map(lambda text: f"d[{text}] = s"),
    LISTS.map(lambda items: f"b.extend({items})"),
    st.sampled_from(["n += 1", "n = len(a)", "del a[0]", "a.sort()", "b.reverse()", "d.update(x=s)", "s, n = n, s"]),
    st.sampled_from(["s, *a = b", "a.insert(0, s)", "b.remove(s)", "d.pop(s, None)", "a[:] = b", "n = int(s)", "raise KeyError"]),
)  # fmt: skip


SHORT = "\n    a, b = a[:9], b[:9]"
"""What is repeated must not grow for ever."""


def indented(lines: list[str]) -> str:
    return "".join(f"\n    {part}" for line in lines for part in line.split("\n"))


def compound(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    body = st.lists(inner, min_size=1, max_size=3).map(indented)
    return st.one_of(
        st.builds("if {}:{}\nelse:{}".format, CONDITION, body, body),
        st.builds(f"for s in list({{}}):{SHORT}{{}}".format, LISTS, body),
        st.builds(f"for i in range(3):{SHORT}{{}}\n    if {{}}: break\nelse:{{}}".format, body, CONDITION, body),
        st.builds("try:{}\nexcept (KeyError, ValueError, IndexError):{}".format, body, body),
        st.builds("try:{}\nexcept Exception:{}\nelse:{}".format, body, body, body),
        st.builds("def f(a, s='k'):\n    a, b, n = a[:9], ['l'], 1{}\n    return a + [s]".format, body),
    )


STATEMENT = st.recursive(SIMPLE, compound, max_leaves=6)
START = "a = ['a', 'b==1']\nb = ['c']\nd = {'a': '1'}\ns = 'a==1'\nn = 3\nf = lambda x, y='z': x + [y]\n"


@settings(max_examples=200, deadline=None)
@given(st.lists(STATEMENT, min_size=1, max_size=6))
def test_what_is_certain_is_right_by_chance(tmp_path_factory: pytest.TempPathFactory, lines: list[str]) -> None:
    script = START + "\n".join(lines) + "\nsetup(install_requires=[a, b, d, s, n])"
    try:
        expected = run(script)
    except (ArithmeticError, LookupError, TypeError, ValueError, AttributeError, NameError, RecursionError):
        return  # no setup.py is published that fails
    assert followed(script, tmp_path_factory.getbasetemp()) in (OPEN, expected), script
