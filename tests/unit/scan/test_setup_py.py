"""What a setup.py declares, told without running it."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from kobako.scan.declaring import setup_py
from kobako.scan.declaring.declared import Declared
from kobako.scan.tree import Tree

FILES = {
    "requirements.txt": "# what it runs on\nnumpy>=1.20\n\ntorch >= 1.7  # any build\nPyYAML\n",
    "requirements/base.txt": "six\ntqdm\n",
    "requirements/tests.txt": "pytest\n",
    "README.md": "A text.\n",
    "pack/__init__.py": "import torch\nfrom .version import __version__\n",
    "pack/version.py": "__version__ = '1.2.3'\n",
}
OF_FILE = ["numpy>=1.20", "torch>=1.7", "pyyaml"]


def read(root: Path, script: str, files: dict[str, str] | None = None, folder: str = "") -> Declared:
    for name, text in {**FILES, **(files or {}), f"{folder}/setup.py".lstrip("/"): dedent(script)}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    found = setup_py.read(Tree(root), folder)
    assert found is not None
    return found


def shown(found: Declared) -> list[str]:
    return [str(one) for one in found.requirements]


def asked(found: Declared) -> list[str]:
    return [str(one) for one in found.questions]


WRITTEN = [
    ("setup(install_requires=['numpy', 'torch>=1.7'])", ["numpy", "torch>=1.7"]),
    ("setup(install_requires=('numpy', 'six'))", ["numpy", "six"]),
    ("setup(install_requires={'six', 'numpy'})", ["numpy", "six"]),
    ("setup(install_requires='numpy\\ntorch>=1.7')", ["numpy", "torch>=1.7"]),
    ("setup(install_requires='''\n    numpy  # why\n    # nothing\n    six\n''')", ["numpy", "six"]),
    ("setup(install_requires=None)", []),
    ("setup(install_requires=[])", []),
    ("REQ = ['numpy']\nsetuptools.setup(install_requires=REQ + ['six'])", ["numpy", "six"]),
    ("REQ = ['numpy']\nREQ += ['six']\nsetup(install_requires=REQ)", ["numpy", "six"]),
    ("REQ = ['numpy']\nREQ.append('six')\nREQ.extend(('tqdm',))\nsetup(install_requires=REQ)", ["numpy", "six", "tqdm"]),
    ("REQ = ['a', 'b', 'c']\nREQ.remove('b')\nREQ.insert(0, 'd')\ndel REQ[1]\nsetup(install_requires=REQ)", ["d", "c"]),
    ("d = {'core': ['numpy', 'six']}\nsetup(install_requires=d['core'])", ["numpy", "six"]),
    ("d = dict(core=['numpy'])\nd.update(more=['six'])\nsetup(install_requires=d['core'] + d.get('more', []))", ["numpy", "six"]),
    ("kw = dict(install_requires=['numpy'])\nsetup(**kw)", ["numpy"]),
    ("kw = {}\nkw['install_requires'] = ['numpy']\nsetup(name='x', **kw)", ["numpy"]),
    ("V = '1.7'\nsetup(install_requires=['torch>=' + V, f'six=={V}', *['numpy']])", ["torch>=1.7", "six==1.7", "numpy"]),
    ("setup(install_requires=['torch=={}'.format('1.7'), 'six==%s' % '1.0', '{n}>={v}'.format(n='a', v=2)])",
     ["torch==1.7", "six==1.0", "a>=2"]),
    ("setup(install_requires=['%s>=%d.%d' % ('numpy', 1, 20), '%(a)s' % {'a': 'six'}])", ["numpy>=1.20", "six"]),
    ("if True:\n    extra = ['numpy']\nsetup(install_requires=list(extra))", ["numpy"]),
    ("P = {'numpy': '1.20', 'six': None}\nsetup(install_requires=[f'{k}>={v}' if v else k for k, v in P.items()])",
     ["numpy>=1.20", "six"]),
    ("P = [('numpy', '1'), ('six', '2')]\nsetup(install_requires=['=='.join(p) for p in P])", ["numpy==1", "six==2"]),
    ("setup(install_requires=sorted({'six', 'numpy'} - {'six'}))", ["numpy"]),
    ("setup(install_requires=list(map(str.strip, ' numpy; six '.split(';'))))", ["numpy", "six"]),
    ("setup(install_requires=list(filter(None, ['numpy', '', 'six'])))", ["numpy", "six"]),
    ("setup(install_requires=sum([['numpy'], ['six']], []))", ["numpy", "six"]),
    ("from itertools import chain\nsetup(install_requires=list(chain(['a'], *[['b'], ['c']])))", ["a", "b", "c"]),
    ("import copy\na = ['numpy']\nb = copy.deepcopy(a)\nb.append('six')\nsetup(install_requires=a)", ["numpy"]),
    ("a = b = ['numpy']\nb += ['six']\nsetup(install_requires=a)", ["numpy", "six"]),
    ("setup(install_requires=[r for r in ['numpy', 'six'] if r != 'six'])", ["numpy"]),
    ("setup(install_requires=[l for l in '''\n  numpy\n  six\n'''.splitlines() if l.strip()])", ["numpy", "six"]),
    ("x = ['numpy']\nif not 'tqdm' in x: x.append('tqdm')\nsetup(install_requires=x)", ["numpy", "tqdm"]),
    ("i = 0\nx = []\nwhile i < 3:\n    i += 1\n    if i == 2: continue\n    x.append(f'p{i}')\nsetup(install_requires=x)", ["p1", "p3"]),
    ("for name in ('a', 'b', 'c'):\n    if name == 'b': break\nelse:\n    name = 'd'\nsetup(install_requires=[name])", ["b"]),
    ("(lambda r: setup(install_requires=r))(['numpy'])", ["numpy"]),
    ("first, *rest = 'numpy six tqdm'.split()\nsetup(install_requires=rest)", ["six", "tqdm"]),
    ("if (n := len('abc')) > 2:\n    r = [f'p{n}']\nsetup(install_requires=r)", ["p3"]),
    ("class Deps:\n    core = ['numpy']\n    more = core + ['six']\nsetup(install_requires=Deps.more)", ["numpy", "six"]),
    ("from collections import defaultdict\nd = defaultdict(list)\nd['x'].append('numpy')\nsetup(install_requires=d['x'])", ["numpy"]),
    ("g = globals()\ng['deps'] = ['numpy']\nsetup(install_requires=deps)", ["numpy"]),
    ("def f(*args, sep='-', **kw):\n    return [a + sep + kw['z'] for a in args]\nsetup(install_requires=f('a', 'b', z='c'))", ["a-c", "b-c"]),
    (("def outer():\n    def inner(x):\n        return [x] + extra\n    extra = ['six']\n    return inner('numpy')\n"
     "setup(install_requires=outer())"), ["numpy", "six"]),
    ("n = []\ndef add(x):\n    global n\n    n = n + [x]\nadd('numpy')\nadd('six')\nsetup(install_requires=n)", ["numpy", "six"]),
    ("def fac(n):\n    return 1 if n < 2 else n * fac(n - 1)\nsetup(install_requires=[f'a=={fac(5)}'])", ["a==120"]),
]  # fmt: skip


@pytest.mark.parametrize(("script", "expected"), WRITTEN)
def test_what_is_written_down(script: str, expected: list[str], tmp_path: Path) -> None:
    found = read(tmp_path, script)
    assert (shown(found), asked(found), found.problems) == (expected, [], [])


READ = [
    "with open('requirements.txt') as f:\n    r = f.read().splitlines()\nsetup(install_requires=r)",
    "setup(install_requires=[x.strip() for x in open('requirements.txt')])",
    "setup(install_requires=open('requirements.txt').read())",
    "setup(install_requires=open('requirements.txt').readlines())",
    "setup(install_requires=open('./requirements.txt', 'rb').read().decode('utf-8').split('\\n'))",
    ("import os\nhere = os.path.abspath(os.path.dirname(__file__))\n"
    "setup(install_requires=open(os.path.join(here, 'requirements.txt')).readlines())"),
    "import os.path as osp\nsetup(install_requires=open(osp.join(osp.dirname(osp.realpath(__file__)), 'requirements.txt')))",
    ("from os import path\nimport io\nwith io.open(path.join(path.dirname(__file__), 'requirements.txt'), encoding='utf8') as f:\n"
    "    r = [l for l in f.read().split('\\n') if l and not l.startswith('#')]\nsetup(install_requires=r)"),
    "import codecs\nsetup(install_requires=codecs.open('requirements.txt', 'r', 'utf-8').readlines())",
    ("import os\nos.chdir(os.path.normpath(os.path.join(os.path.abspath(__file__), os.pardir)))\n"
    "setup(install_requires=open('requirements.txt').read().splitlines())"),
    "from pathlib import Path\nr = (Path(__file__).parent / 'requirements.txt').read_text().split('\\n')\nsetup(install_requires=r)",
    ("from pathlib import Path\nHERE = Path(__file__).resolve().parents[0]\n"
    "with (HERE / 'requirements.txt').open() as f:\n    r = list(f)\nsetup(install_requires=r)"),
    ("import pathlib\nwith pathlib.Path('requirements.txt').open() as f:\n"
    "    import pkg_resources\n    r = [str(x) for x in pkg_resources.parse_requirements(f)]\nsetup(install_requires=r)"),
    ("from pip._internal.req import parse_requirements\nr = parse_requirements('requirements.txt', session='x')\n"
    "setup(install_requires=[str(x.requirement) for x in r])"),
    ("try:\n    from pip._internal.req import parse_requirements\nexcept ImportError:\n    from pip.req import parse_requirements\n"
    "r = list(parse_requirements('requirements.txt', session=False))\n"
    "try:\n    r = [str(x.req) for x in r]\nexcept AttributeError:\n    r = [str(x.requirement) for x in r]\nsetup(install_requires=r)"),
    ("import pip\nr = pip.req.parse_requirements('requirements.txt', session=pip.download.PipSession())\n"
    "setup(install_requires=[str(ir.req) for ir in r])"),
    "def get():\n    f = 'requirements.txt'\n    return open(f).read().splitlines()\nsetup(install_requires=get())",
    "def get(n):\n    return open(f'{n}.txt').read()\nsetup(install_requires=get('requirements'))",
    "import glob\nr = []\nfor name in glob.glob('requirements*.txt'):\n    r += open(name).readlines()\nsetup(install_requires=r)",
    "import os\nr = [l for f in sorted(os.listdir('.')) if f == 'requirements.txt' for l in open(f)]\nsetup(install_requires=r)",
    ("def lines(f):\n    with open(f) as h:\n        for l in h:\n            l = l.split('#')[0].strip()\n            if not l:\n"
    "                continue\n            yield l\nsetup(install_requires=list(lines('requirements.txt')))"),
    ("class Reader:\n    def __init__(self, name):\n        self.name = name\n    def lines(self):\n"
    "        with open(self.name) as f:\n            return f.readlines()\nsetup(install_requires=Reader('requirements.txt').lines())"),
    "import re\nr = re.sub(r'#.*', '', open('requirements.txt').read()).split('\\n')\nsetup(install_requires=r)",
    ("import re\ntext = open('requirements.txt').read()\n"
    "setup(install_requires=[m.group(0) for m in re.finditer(r'^[A-Za-z][^#\\n]*', text, flags=re.MULTILINE)])"),
    ("import re\nr = re.findall(r'^\\s*([\\w.-]+\\s*(?:[<>=!~]+\\s*[^#\\s]+)?)', open('requirements.txt').read(), re.M)\n"
    "setup(install_requires=r)"),
    "name = 'requirements.txt'\nimport os\nr = open(name).readlines() if os.path.exists(name) else ['nothing']\nsetup(install_requires=r)",
    "try:\n    r = open('absent.txt').readlines()\nexcept (IOError, OSError):\n    r = open('requirements.txt').readlines()\nsetup(install_requires=r)",
    "try:\n    r = open('absent.txt').readlines()\nexcept:\n    r = open('requirements.txt').readlines()\nsetup(install_requires=r)",
    "import sys\nif sys.argv[-1] == 'publish':\n    sys.exit()\nif __name__ == '__main__':\n    setup(install_requires=open('requirements.txt'))",
    "def main():\n    setup(install_requires=open('requirements.txt').readlines())\nif __name__ == '__main__':\n    main()",
    "def run():\n    setup(install_requires=open('requirements.txt').readlines())",
    ("from contextlib import contextmanager\n@contextmanager\ndef here():\n    yield 'requirements.txt'\n"
    "with here() as name:\n    setup(install_requires=open(name).readlines())"),
    ("f = open('requirements.txt')\nr = []\nwhile True:\n    line = f.readline()\n    if not line:\n        break\n    r.append(line.rstrip())\n"
    "setup(install_requires=r)"),
    ("import os\nwith open(os.path.join(os.getcwd(), 'requirements.txt')) as f:\n    r = [x for x in map(str.strip, f) if x and x[0] != '#']\n"
    "setup(install_requires=r)"),
    ("import inspect, os\nhere = os.path.dirname(os.path.abspath(inspect.getfile(inspect.currentframe())))\n"
    "setup(install_requires=open(here + '/requirements.txt').readlines())"),
]  # fmt: skip


@pytest.mark.parametrize("script", READ)
def test_ways_to_read_a_requirements_file(script: str, tmp_path: Path) -> None:
    found = read(tmp_path, script)
    assert (shown(found), asked(found), found.problems) == (OF_FILE, [], [])
    assert [str(one.findings[0]) for one in found.requirements] == [
        "requirements.txt:2",
        "requirements.txt:4",
        "requirements.txt:5",
    ]


PLACES = '''
import re
from setuptools import setup
TORCH = "1.7"
deps = {b: a for a, b in (re.findall(r"^(([^!=<>]+)(?:[!=<>].*)?)$", x)[0] for x in [
    "numpy>=1.20",
    "six",
])}
def listed(*names):
    return [deps[name] for name in names]
with open("requirements/base.txt") as file:
    base = file.read().split()
setup(
    python_requires=">=3.7",
    install_requires=listed("six", "numpy") + base + [
        "torch>=" + TORCH,
        f"scipy=={TORCH}",
    ] + """
       pandas
       pillow
    """.splitlines(),
)
'''


def test_places(tmp_path: Path) -> None:
    found = read(tmp_path, PLACES)
    assert [(str(one), str(one.findings[0])) for one in found.requirements] == [
        ("six", "setup.py:7"),
        ("numpy>=1.20", "setup.py:6"),
        ("six", "requirements/base.txt:1"),
        ("tqdm", "requirements/base.txt:2"),
        ("torch>=1.7", "setup.py:16"),
        ("scipy==1.7", "setup.py:17"),
        ("pandas", "setup.py:19"),
        ("pillow", "setup.py:20"),
    ]
    assert found.requirements[4].findings[0].text == "torch>=1.7"
    assert [(one.specifier, str(one.findings[0]), one.firm) for one in found.python] == [(">=3.7", "setup.py:14", True)]
    assert found.questions == []


FAMILY = """
def parse_requirements(fname="requirements.txt", with_version=True):
    import re
    import sys
    from os.path import exists

    def parse_line(line):
        if line.startswith("-r "):
            target = line.split(" ")[1]
            for info in parse_file(target):
                yield info
        else:
            info = {"line": line}
            if line.startswith("-e "):
                info["package"] = line.split("#egg=")[1]
            else:
                pat = "(" + "|".join([">=", "==", ">"]) + ")"
                parts = [p.strip() for p in re.split(pat, line, maxsplit=1)]
                info["package"] = parts[0]
                if len(parts) > 1:
                    op, rest = parts[1:]
                    if ";" in rest:
                        version, marker = map(str.strip, rest.split(";"))
                        info["marker"] = marker
                    else:
                        version = rest
                    info["version"] = (op, version)
            yield info

    def parse_file(path):
        with open(path, "r") as f:
            for line in f.readlines():
                line = line.strip()
                if line and not line.startswith("#"):
                    yield from parse_line(line)

    def items():
        if exists(fname):
            for info in parse_file(fname):
                parts = [info["package"]]
                if with_version and "version" in info:
                    parts.extend(info["version"])
                if not sys.version.startswith("3.4"):
                    marker = info.get("marker")
                    if marker is not None:
                        parts.append(";" + marker)
                yield "".join(parts)

    return list(items())
setup(install_requires=parse_requirements("r.txt"))
"""

FILTER = """
def load(name, sign="#"):
    with open(name) as file:
        lines = [ln.strip() for ln in file.readlines()]
    reqs = []
    for ln in lines:
        if sign in ln:
            ln = ln[: ln.index(sign)].strip()
        if ln.startswith("http") or "dev" in ln:
            continue
        if ln:
            reqs.append(ln)
    return reqs
setup(install_requires=load("r.txt"))
"""

NEEDED_BY = r"""
from collections import defaultdict
def load(path, allowed=None):
    needed, extras = [], defaultdict(list)
    with open(path) as file:
        import re
        def with_name(req):
            m = re.match(r"^(git\+)?(https|ssh)://(git@)?example\.org/([\w-]+)/(?P<name>[\w-]+)\.git", req)
            return req if m is None else f"{m.group('name')} @ {req}"
        for line in file:
            line = line.strip()
            if line.startswith("#") or len(line) <= 0:
                continue
            req, *by = line.split("# needed by:")
            req = with_name(req.strip())
            if by:
                for extra in by[0].strip().split(","):
                    if allowed is not None and extra.strip() not in allowed:
                        raise ValueError(f"invalid extra {extra}")
                    extras[extra.strip()].append(req)
            else:
                needed.append(req)
    return needed, extras
needed, extras = load("r.txt", allowed={"a", "b"})
setup(install_requires=needed, extras_require=extras)
"""

SETTINGS = """
from configparser import ConfigParser
import setuptools
from pkg_resources import parse_version
assert parse_version(setuptools.__version__) >= parse_version("36.2")
config = ConfigParser(delimiters=["="])
config.read("settings.ini")
cfg = config["DEFAULT"]
for o in "version lib_name".split(): assert o in cfg, "missing: {}".format(o)
reqs = ["pip"]
if cfg.get("requirements"): reqs += cfg.get("requirements", "").split()
if cfg.get("more"): reqs += cfg.get("more", "").split()
setuptools.setup(install_requires=reqs, python_requires=">=" + cfg["min_python"])
"""

LOADED = """
import os
from importlib.util import module_from_spec, spec_from_file_location
ROOT = os.path.dirname(__file__)
def load(name, *parts):
    spec = spec_from_file_location(name, os.path.join(ROOT, *parts))
    assert spec, "no such module"
    py = module_from_spec(spec)
    spec.loader.exec_module(py)
    return py
about = load("about", "src", "about.py")
tools = load("tools", "tools", "helper.py")
setup(**about.arguments(tools.load_requirements))
"""

HELPER_OF_LOADED = """
from pathlib import Path
from pkg_resources import Requirement, yield_lines
class WithComment(Requirement):
    def __init__(self, *args, comment="", **kwargs):
        super().__init__(*args, **kwargs)
        self.comment = comment
    def adjust(self):
        return str(self) + (">=1" if self.key == "six" else "")
def load_requirements(name):
    return [WithComment(line).adjust() for line in yield_lines(Path(name).read_text())]
"""

HELPERS = [
    (FAMILY,
     {"r.txt": "-r more.txt\n# no\nnumpy >= 1.20\ntqdm==4;python_version<'3.9'\n", "more.txt": "six\n"},
     ["six <- more.txt:1", "numpy>=1.20 <- r.txt:3", 'tqdm==4; python_version < "3.9" <- r.txt:4']),
    (FILTER,
     {"r.txt": "numpy  # x\nhttps://example.org/a.whl\ndev-tool\nsix\n"},
     ["numpy <- r.txt:1", "six <- r.txt:4"]),
    (NEEDED_BY,
     {"r.txt": "numpy\n\nsix # needed by: a,b\ngit+https://example.org/me/tool.git@v1\n"},
     ["numpy <- r.txt:1", "tool @ git+https://example.org/me/tool.git@v1 <- r.txt:4"]),
    (SETTINGS,
     {"settings.ini": "[DEFAULT]\nversion = 1\nlib_name = x\nmin_python = 3.7\nrequirements = torch>=1.7 numpy\n"},
     ["pip <- setup.py:10", "torch>=1.7 <- settings.ini:5", "numpy <- settings.ini:5"]),
    (LOADED,
     {"src/about.py": "def arguments(load):\n    return dict(install_requires=load('requirements/base.txt'))\n",
      "tools/helper.py": HELPER_OF_LOADED},
     ["six>=1 <- requirements/base.txt:1", "tqdm <- requirements/base.txt:2"]),
    ("from helper import REQS\nfrom setup_tools.deps import more\nsetup(install_requires=REQS + more())",
     {"helper.py": "REQS = ['numpy']\n", "setup_tools/__init__.py": "", "setup_tools/deps.py": "def more():\n    return ['six']\n"},
     ["numpy <- helper.py:1", "six <- setup_tools/deps.py:2"]),
    ("import json\nsetup(install_requires=json.load(open('deps.json'))['run'])",
     {"deps.json": '{"run": [\n"numpy",\n"six>=1"\n]}\n'},
     ["numpy <- deps.json:2", "six>=1 <- deps.json:3"]),
    ("import toml\np = toml.load('p.toml')\nsetup(install_requires=p['tool']['x'])",
     {"p.toml": "[tool]\nx = [\n  'numpy',\n]\n"},
     ["numpy <- p.toml:3"]),
    (("from pathlib import Path\nfrom pkg_resources import Requirement, parse_requirements\nclass Loose(Requirement):\n"
     "    def loose(self):\n        return self.name + ','.join(str(s) for s in self.specifier if s.operator not in ('<', '<='))\n"
     "text = Path('r.txt').read_text()\nsetup(install_requires=[Loose(str(r)).loose() for r in parse_requirements(text)])"),
     {"r.txt": "numpy >=1.20, <2\nsix\n"},
     ["numpy>=1.20 <- r.txt:1", "six <- r.txt:2"]),
]  # fmt: skip


@pytest.mark.parametrize(("script", "files", "expected"), HELPERS)
def test_helpers(script: str, files: dict[str, str], expected: list[str], tmp_path: Path) -> None:
    found = read(tmp_path, script, files)
    assert [f"{one} <- {one.findings[0]}" for one in found.requirements] == expected
    assert (found.questions, found.problems) == ([], [])


ENVIRONMENT = [
    ("import os\nr = ['a'] if os.environ.get('CI') else ['b']\nsetup(install_requires=r)", ["b"]),
    ("import os\nr = ['a'] if 'CI' in os.environ else ['b']\nsetup(install_requires=r)", ["b"]),
    ("import os\nr = ['a'] if int(os.getenv('LITE', '0')) == 1 else ['b']\nsetup(install_requires=r)", ["b"]),
    ("import os\ntry:\n    r = [os.environ['X']]\nexcept KeyError:\n    r = ['b']\nsetup(install_requires=r)", ["b"]),
    ("import os\nos.environ['X'] = 'a'\nsetup(install_requires=[os.environ['X']])", ["a"]),
    (("import sys\nr = ['a']\nif sys.platform == 'win32': r += ['b']\nelif sys.platform.startswith('linux'): r += ['c']\n"
     "setup(install_requires=r)"), ["a", "c"]),
    ("import platform\nsetup(install_requires=['a'] if platform.system() == 'Darwin' else ['b'])", ["b"]),
    ("import os\nsetup(install_requires=['a'] if os.name == 'nt' else ['b'])", ["b"]),
    (("import sys\nr = ['a']\nif sys.version_info < (3, 8): r.append('b')\nif sys.version_info[:2] >= (3, 7): r.append('c')\n"
     "if sys.version_info.major == 2: r.append('d')\nif sys.version_info[0] == 3: r.append('e')\nsetup(install_requires=r)"),
     ["a", "c", "e"]),
    ("import sys\nif 'develop' in sys.argv or len(sys.argv) > 1: r = ['a']\nelse: r = ['b']\nsetup(install_requires=r)", ["b"]),
    (("from pkg_resources import DistributionNotFound, get_distribution\ndef pick(main, other):\n    try:\n"
     "        get_distribution(main)\n    except DistributionNotFound:\n        return other\n    return main\n"
     "setup(install_requires=[pick('a', 'b')])"), ["b"]),
    (("from importlib.metadata import version, PackageNotFoundError\ntry:\n    version('a')\n    r = ['a']\n"
     "except PackageNotFoundError:\n    r = ['b']\nsetup(install_requires=r)"), ["b"]),
    (("r = []\ntry:\n    import cv2\n    major, *rest = cv2.__version__.split('.')\nexcept ImportError:\n"
     "    r.append('opencv-python')\nsetup(install_requires=r)"), ["opencv-python"]),
    ("try:\n    import fancy\n    HAS = True\nexcept Exception:\n    HAS = False\nsetup(install_requires=['a'] if HAS else ['b'])", ["b"]),
    (("import torch, numpy\nfrom torch.utils.cpp_extension import BuildExtension, CUDAExtension\n"
     "setup(install_requires=['a'], ext_modules=[CUDAExtension('x', ['y'])], cmdclass={'build_ext': BuildExtension})"), ["a"]),
    (("try:\n    import torch\n    OK = True\nexcept ImportError:\n    OK = False\n    print('no torch')\n"
     "def ext():\n    assert OK, 'needs torch'\n    return []\nsetup(install_requires=['a'], ext_modules=ext())"), ["a"]),
    (("import subprocess\ntry:\n    sha = subprocess.check_output(['git', 'rev-parse']).decode().strip()\nexcept Exception:\n"
     "    sha = 'x'\nsetup(version=sha, install_requires=['a'])"), ["a"]),
    ("ns = {}\nwith open('pack/version.py') as f:\n    exec(f.read(), ns)\nsetup(install_requires=['core==' + ns['__version__']])",
     ["core==1.2.3"]),
    ("exec(open('pack/version.py').read())\nsetup(install_requires=['core==' + __version__])", ["core==1.2.3"]),
    (("def version():\n    with open('pack/version.py') as f:\n        exec(compile(f.read(), 'pack/version.py', 'exec'))\n"
     "    return locals()['__version__']\nsetup(install_requires=[f'core=={version()}'])"), ["core==1.2.3"]),
    ("import runpy\nv = runpy.run_path('pack/version.py')['__version__']\nsetup(install_requires=[f'core=={v}'])", ["core==1.2.3"]),
    (("import re\nv = re.search(r'^__version__ = [\\'\"]([^\\'\"]*)[\\'\"]', open('pack/version.py').read(), re.M).group(1)\n"
     "setup(install_requires=[f'core=={v}'])"), ["core==1.2.3"]),
    ("import pack\nsetup(install_requires=[f'core=={pack.__version__}'])", ["core==1.2.3"]),
    ("from pack.version import __version__ as v\nsetup(install_requires=[f'core=={v}'])", ["core==1.2.3"]),
    ("import imp\nv = imp.load_source('v', 'pack/version.py').__version__\nsetup(install_requires=[f'core=={v}'])", ["core==1.2.3"]),
    (("for line in open('pack/version.py'):\n    if line.startswith('__version__'):\n        v = line.split('=')[1].strip().strip('\\'')\n"
     "setup(install_requires=['core~=' + v])"), ["core~=1.2.3"]),
    ("import ast\nfor l in open('pack/version.py'):\n    v = ast.literal_eval(l.split('=')[1].strip())\nsetup(install_requires=['core==' + v])",
     ["core==1.2.3"]),
    (("from setuptools import find_packages\nimport versioneer\nsetup(version=versioneer.get_version(), cmdclass=versioneer.get_cmdclass(),\n"
     "      packages=[p for p in find_packages() if p.startswith('x')], install_requires=['a'])"), ["a"]),
    (("from setuptools.command.build_ext import build_ext\nclass Build(build_ext):\n    def run(self):\n        import numpy\n"
     "        self.x = numpy.get_include()\nsetup(cmdclass={'build_ext': Build}, install_requires=['a'])"), ["a"]),
    ("import setuptools.command.test\nfrom distutils.core import setup\nsetup(install_requires=['a'])", ["a"]),
    (("from distutils.util import convert_path\nns = {}\nwith open(convert_path('pack/version.py')) as f:\n    exec(f.read(), ns)\n"
     "setup(version=ns['__version__'], install_requires=['a'])"), ["a"]),
]  # fmt: skip


@pytest.mark.parametrize(("script", "expected"), ENVIRONMENT)
def test_a_fresh_environment_on_linux(script: str, expected: list[str], tmp_path: Path) -> None:
    found = read(tmp_path, script)
    assert (shown(found), asked(found)) == (expected, [])


def test_the_python_is_a_parameter(tmp_path: Path) -> None:
    script = "import sys\nsetup(install_requires=['a'] if sys.version_info < (3, 8) else ['b'])"
    read(tmp_path, script)
    answers = [setup_py.read(Tree(tmp_path), python=python) for python in ((3, 7), (3, 8))]
    assert [shown(found) for found in answers if found] == [["a"], ["b"]]


UNREADABLE = "install_requires is computed in a way that cannot be read without running it"

DOUBTS = [
    ("import torch\nr = ['a']\nif torch.cuda.is_available():\n    r.append('cupy')\nsetup(install_requires=r)",
     ["a", "cupy"], ["setup.py:3: `cupy`: declared or not, depending on `torch.cuda.is_available()`"]),
    ("import torch\nif torch.cuda.is_available():\n    r = ['a', 'onnxruntime-gpu']\nelse:\n    r = ['a', 'onnxruntime']\nsetup(install_requires=r)",
     ["a", "onnxruntime-gpu", "onnxruntime"],
     ["setup.py:2: `onnxruntime-gpu`, `onnxruntime`: declared or not, depending on `torch.cuda.is_available()`"]),
    ("import torch\nsetup(install_requires=['a'] + (['b'] if torch.version.cuda else []))",
     ["a", "b"], ["setup.py:2: `b`: declared or not, depending on `torch.version.cuda`"]),
    ("import torch\nr = ['a', 'b' if torch.version.cuda else 'c']\nsetup(install_requires=r)",
     ["a", "b", "c"], ["setup.py:3: install_requires names `b` or `c`, depending on `torch.version.cuda`"]),
    ("import torch\nv = 'b==1' if torch.x else 'b>=2'\nsetup(install_requires=['a', v])",
     ["a", "b"], ["setup.py:3: install_requires names `b==1` or `b>=2`, depending on `torch.x`"]),
    ("import torch\nif torch.x:\n    r = ['a', 'b==1']\nelse:\n    r = ['a', 'b>=2']\nsetup(install_requires=r)",
     ["a", "b"], ["setup.py:2: `b==1`, `b>=2`: declared or not, depending on `torch.x`"]),
    ("try:\n    import torch\nexcept ImportError:\n    r = ['a', 'torch']\nelse:\n    r = ['a']\nsetup(install_requires=r)",
     ["a", "torch"], ["setup.py:3: `torch`: declared or not, depending on whether `import torch` fails"]),
    ("import torch\ndef get():\n    if torch.x:\n        return ['a']\n    return ['a', 'b']\nsetup(install_requires=get())",
     ["a", "b"], ["setup.py:3: `b`: declared or not, depending on `torch.x`"]),
    ("import torch\ndef get():\n    if torch.x:\n        raise RuntimeError('no')\n    return ['a']\nsetup(install_requires=get())", ["a"], []),
    ("import torch\nr = ['a', 'b']\nif torch.x:\n    r.remove('b')\nsetup(install_requires=r)", ["a", "b"], []),
    ("import torch\nr = [x for x in ['a', 'b'] if x == 'a' or torch.x]\nsetup(install_requires=r)",
     ["a", "b"], ["setup.py:2: `b`: declared or not, depending on `x == 'a' or torch.x`"]),
    ("from nowhere import names\nsetup(install_requires=['a'] + names)", ["a"], [f"setup.py:2: {UNREADABLE}"]),
    ("from nowhere import names\nr = ['a']\nfor n in names:\n    r.append('x-' + n)\nsetup(install_requires=r)",
     ["a"], [f"setup.py:5: {UNREADABLE}"]),
    ("import os\nsetup(install_requires=open('/etc/passwd').read() + open(os.path.expanduser('~/x')).read())",
     [], [f"setup.py:2: {UNREADABLE}"]),
    ("with open('requirements.txt', 'w') as f:\n    f.write('numpy')\nsetup(install_requires=open('requirements.txt').read().split())",
     OF_FILE, [f"setup.py:3: {UNREADABLE}"]),
    ("setup(install_requires=open('absent.txt').read().splitlines())", [],
     ["setup.py:1: install_requires is read from absent.txt, which is not in the repository"]),
    (("with open('requirements/absent.txt') as f:\n    r = [l.strip() for l in f if l.strip() and not l.startswith('#')]\n"
     "setup(install_requires=r)"), [],
     ["setup.py:3: install_requires is read from requirements/absent.txt, which is not in the repository"]),
    ("from pathlib import Path\nsetup(install_requires=[x for x in Path('absent.txt').read_text().split()])", [],
     ["setup.py:2: install_requires is read from absent.txt, which is not in the repository"]),
    (("import os\ndef get(name='absent.txt'):\n    return open(name).readlines() if os.path.exists(name) else []\n"
     "setup(install_requires=get(), extras_require={'x': get('never.txt')})"), [],
     ["setup.py:4: install_requires is read from absent.txt, which is not in the repository"]),
    ("from nowhere import arguments\nsetup(**arguments())", [],
     ["setup.py:2: what setup is given cannot be read without running it"]),
    ("from nowhere import compute\nsetup(install_requires=compute('requirements.txt'))", OF_FILE, [f"setup.py:2: {UNREADABLE}"]),
    ("from nowhere import compute\ndef get(n):\n    return compute(n)\nsetup(install_requires=get('base.txt'))",
     ["six", "tqdm"], [f"setup.py:4: {UNREADABLE}"]),
    ("class X:\n    def go(self):\n        setup(install_requires=['a'])\n", [],
     ["setup.py:3: what it declares cannot be read without running it: its call of setup is not reached by what can be followed"]),
    ("from nowhere import flag\nif flag:\n    setup(install_requires=['a'])\nelse:\n    setup(install_requires=['a', 'b'])", ["a", "b"], []),
]  # fmt: skip


def test_what_is_declared_besides_what_could_be_read(tmp_path: Path) -> None:
    scripts = {
        "setup(install_requires=['a'])": False,
        "import torch\nsetup(install_requires=['b' if torch.x else 'c'])": False,
        "from nowhere import x\nsetup(install_requires=['a', *x])": True,
        "setup(install_requires=['a'] + open('absent.txt').readlines())": True,
        "import os\nr = ['a']\nif os.path.exists('absent.txt'): r += open('absent.txt')\nsetup(install_requires=r)": True,
        "from nowhere import x\nsetup(**x)": True,
        "while True: pass\nsetup(install_requires=['a'])": True,
    }
    assert {script: read(tmp_path, script).is_partial for script in scripts} == scripts


@pytest.mark.parametrize(("script", "expected", "questions"), DOUBTS)
def test_what_cannot_be_told_is_asked(script: str, expected: list[str], questions: list[str], tmp_path: Path) -> None:
    found = read(tmp_path, script)
    assert (shown(found), asked(found)) == (expected, questions)


def test_what_is_declared_without_end_is_cut(tmp_path: Path) -> None:
    script = """
        import torch
        many = [f"p{i}" for i in range(3000)]
        if torch.x:
            perhaps = [f"q{i}" for i in range(60)]
        else:
            perhaps = []
        setup(install_requires=perhaps + many + ["-r requirements.txt"] * 1000, extras_require={str(i): many for i in range(900)})
        """
    found = read(tmp_path, script)
    assert (len(found.requirements), len(found.others) <= 200) == (2000, True)
    assert asked(found)[0].endswith("`q49` and others: declared or not, depending on `torch.x`")


def test_extras_are_seen_and_not_proposed(tmp_path: Path) -> None:
    script = """
        extras = {"test": ["pytest>=7", "mock"], ":python_version < '3.8'": ["dataclasses"], "empty": []}
        extras["all"] = extras["test"] + ["sphinx"]
        extras["gpu:sys_platform == 'linux'"] = {"cupy"}
        setup(install_requires=["a"], extras_require=extras)
        """
    found = read(tmp_path, script)
    assert shown(found) == ["a", 'dataclasses; python_version < "3.8"']
    assert [(one.what, str(one.findings[0])) for one in found.others] == [
        ("extra test: pytest>=7, mock", "setup.py:2"),
        ("extra all: pytest>=7, mock, sphinx", "setup.py:2"),
        ("extra gpu:sys_platform == 'linux': cupy", "setup.py:4"),
    ]


def test_what_else_is_declared(tmp_path: Path) -> None:
    script = """
        import sys
        newest = max(sys.version_info[1], 10) + 1
        setup(
            setup_requires=["cython", "setuptools>=40", "numpy"],
            python_requires=", ".join([">=3.8", "<4"]),
            classifiers=["License :: OSI Approved :: MIT License"]
            + [f"Programming Language :: Python :: 3.{i}" for i in range(8, newest)],
        )
        """
    found = read(tmp_path, script)
    assert [str(one) for one in found.build] == ["cython", "numpy"]
    assert [(one.specifier, one.firm) for one in found.python] == [(">=3.8,<4", True), (">=3.8,<3.11", False)]
    assert found.requirements == []


def test_pbr_reads_the_requirements_by_itself(tmp_path: Path) -> None:
    found = read(tmp_path, "import setuptools\nsetuptools.setup(setup_requires=['pbr>=2'], pbr=True)")
    assert (shown(found), [str(one) for one in found.build]) == (OF_FILE, ["pbr>=2"])


def test_lines_of_a_file_that_was_taken_as_it_is(tmp_path: Path) -> None:
    files = {
        "r.txt": (
            "# numbers\n-r requirements/base.txt\n--extra-index-url https://example.org/simple\n\n"
            "numpy>=1.20  # why\n-e git+https://example.org/me/tool.git#egg=tool\ngit+https://example.org/me/plain.git\n"
            "torch==1.7 \\\n  --hash=sha256:abc\n"
        )
    }
    found = read(tmp_path, "setup(install_requires=open('r.txt').read())", files)
    assert [f"{one} <- {one.findings[0]}" for one in found.requirements] == [
        "six <- requirements/base.txt:1",
        "tqdm <- requirements/base.txt:2",
        "numpy>=1.20 <- r.txt:5",
        "tool @ git+https://example.org/me/tool.git <- r.txt:6",
        "plain @ git+https://example.org/me/plain.git <- r.txt:7",
        "torch==1.7 <- r.txt:8",
    ]
    assert [str(one.finding) for one in found.questions] == ["r.txt:3"]


def test_a_package_of_a_monorepo(tmp_path: Path) -> None:
    script = """
        import os
        from pathlib import Path
        HERE = os.path.dirname(os.path.abspath(__file__))
        own = open("requirements.txt").read().splitlines()
        shared = (Path(HERE).parent.parent / "requirements" / "base.txt").read_text().splitlines()
        setup(install_requires=own + shared + [f"other @ file://localhost{HERE}/../other"])
        """
    found = read(tmp_path, script, {"packages/one/requirements.txt": "scipy\n"}, folder="packages/one")
    assert [f"{one} <- {one.findings[0]}" for one in found.requirements] == [
        "scipy <- packages/one/requirements.txt:1",
        "six <- requirements/base.txt:1",
        "tqdm <- requirements/base.txt:2",
    ]
    assert len(found.questions) == 1
    assert "packages/one/../other" in found.questions[0].what


def test_when_there_is_nothing(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    assert setup_py.read(tree) is None
    (tmp_path / "setup.py").write_text("print('a setup that does nothing')\n")
    assert setup_py.read(tree) is None
    (tmp_path / "setup.py").write_text("def (")
    assert asked(setup_py.read(tree) or Declared()) == ["setup.py:1: it is not Python that can be read"]
    (tmp_path / "setup.py").write_text("from setuptools import setup\nsetup()\n")
    assert setup_py.read(tree) == Declared()


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("git+https://example.org/x.git\nRUN evil", ["x @ git+https://example.org/x.git"]),
        ("foo @ https://example.org/x.zip\r\nRUN evil", ["foo @ https://example.org/x.zip"]),
        ("git+https://example.org/x y.git", []),
        ("git+https://example.org/x.git#egg=a;b", []),
        ("git+https://example.org/x.git ; evil == 1", []),
        ("https://example.org/\x1b.zip", []),
    ],
)
def test_nothing_but_a_requirement_comes_through(text: str, kept: list[str], tmp_path: Path) -> None:
    """An entry of several lines is several entries, as setuptools has it."""
    found = read(tmp_path, f"setup(install_requires=[{text!r}])")
    assert shown(found) == kept
    assert [one.code for one in found.problems] == ["bad-requirement"]


def test_a_credential_is_not_shown(tmp_path: Path) -> None:
    found = read(tmp_path, "setup(install_requires=['tool @ git+https://me:geheim@example.org/tool.git'])")
    assert [one.name for one in found.requirements] == ["tool"]
    assert "geheim" not in repr(found)


EGG = "numpy>=1.18\nTorch>=1.7\n\n[:python_version < '3.8']\nimportlib-metadata\n\n[tests]\npytest\n"


@pytest.mark.parametrize(
    ("files", "wanted", "questions"),
    [
        ({"pack.egg-info/requires.txt": EGG}, ["numpy>=1.18", "torch>=1.7"], 0),
        ({"pack.egg-info/requires.txt": "\n[tests]\npytest\n"}, [], 0),
        ({"pack.egg-info/requires.txt": EGG, "old.egg-info/requires.txt": "six\n"}, [], 1),
        ({"sub/pack.egg-info/requires.txt": EGG}, [], 1),
        ({}, [], 1),
    ],
)
def test_a_source_distribution_without_the_file_has_what_it_said(
    files: dict[str, str], wanted: list[str], questions: int, tmp_path: Path
) -> None:
    script = "setup(install_requires=open('absent.txt').read().splitlines())"
    found = read(tmp_path, script, files)
    assert (shown(found), len(asked(found))) == (wanted, questions)
