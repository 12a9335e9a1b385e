"""One requirement as somebody wrote it: understood, or told with its place."""

from __future__ import annotations

import pytest

from kobako.model.finding import Finding
from kobako.scan.declaring.declared import Declared
from kobako.scan.declaring.spelling import minor_only, specifier_of

HERE = Finding("setup.py", 7)


def added(text: str) -> Declared:
    found = Declared()
    found.add(text, HERE)
    return found


UNDERSTOOD = [
    ("numpy", "numpy"),
    ("numpy>=1.17,<=1.20.0 ", "numpy>=1.17,<=1.20.0"),
    ("package (>=1.0)", "package>=1.0"),
    ("A_b.c==1.0", "a-b-c==1.0"),
    ("x[b, a] >= 1 ; python_version < '3.8'", 'x[a,b]>=1; python_version < "3.8"'),
    # what older tools took
    ("numpy>=1.0.*", "numpy>=1.0"),
    ("numpy==1.*.*", "numpy==1.*"),
    ("numpy==1.x", "numpy==1.*"),
    ("numpy>1.0.*", "numpy>=1.1"),
    ("numpy<=1.5.*", "numpy<1.6"),
    ("numpy<2.*", "numpy<2"),
    ("numpy~=1.5.*", "numpy==1.5.*"),
    ("numpy==*", "numpy"),
    # what people mistype
    ("numpy>=1.17<2", "numpy>=1.17,<2"),
    ("numpy >=1.17 <2", "numpy>=1.17,<2"),
    ("numpy=>1.0", "numpy>=1.0"),
    ('"numpy>=1.0",', "numpy>=1.0"),
    ("numpy>=1.0;", "numpy>=1.0"),
    ("numpy ; python_version<3.8", 'numpy; python_version < "3.8"'),
    # local versions are on no index
    ("torch==1.7.0+cu110", "torch==1.7.0"),
    ("torch>=1.7.0+cu110,<2", "torch>=1.7.0,<2"),
    ("torch===1.7.0+cu110", "torch==1.7.0"),
    ("mmcv-full==1.2.7+torch1.6.0+cu101", "mmcv-full==1.2.7"),
    ("torch==1.10.0+cpu", "torch==1.10.0"),
    # a name under which the index has only an error message
    ("pytorch>=1.4", "torch>=1.4"),
    # direct references
    ("foo @ https://example.org/foo.zip", "foo @ https://example.org/foo.zip"),
    ("git+https://example.org/a/b.git@v1#egg=C.d[y,x]", "c-d[x,y] @ git+https://example.org/a/b.git@v1"),
    (
        "git+https://example.org/a/b.git#subdirectory=x/y&egg=c",
        "c @ git+https://example.org/a/b.git#subdirectory=x/y",
    ),
    ("git+https://example.org/a/b@feature/x", "b @ git+https://example.org/a/b@feature/x"),
    ("git+ssh://git@example.org:a/b.git", "b @ git+ssh://git@example.org/a/b.git"),
    ("git+git@example.org:a/b.git", "b @ git+ssh://git@example.org/a/b.git"),
    ("git@example.org:a/b.git", "b @ git+ssh://git@example.org/a/b.git"),
    ("https://github.com/a/b", "b @ git+https://github.com/a/b"),
    ("https://example.org/a/b.git@dev#egg=c", "c @ git+https://example.org/a/b.git@dev"),
    ("git://github.com/a/b.git#egg=c", "c @ git+https://github.com/a/b.git"),
    ("https://github.com/a/b/archive/master.zip", "b @ https://github.com/a/b/archive/master.zip"),
    ("https://example.org/foo_bar-1.2.tar.gz", "foo-bar @ https://example.org/foo_bar-1.2.tar.gz"),
    ("svn+https://example.org/s/trunk#egg=s", "s @ svn+https://example.org/s/trunk"),
    (
        "https://download.pytorch.org/whl/cu113/torch-1.10.0%2Bcu113-cp38-cp38-linux_x86_64.whl",
        "torch==1.10.0",
    ),
    (
        "torchvision @ https://download.pytorch.org/whl/cu113/torchvision-0.11.1%2Bcu113-cp38-cp38-linux_x86_64.whl",
        "torchvision==0.11.1",
    ),
]


@pytest.mark.parametrize(("text", "expected"), UNDERSTOOD)
def test_understood(text: str, expected: str) -> None:
    found = added(text)
    assert [str(one) for one in found.requirements] == [expected]
    assert found.requirements[0].findings == (HERE,)
    assert (found.questions, found.problems, found.others) == ([], [], [])


REFUSED = [
    "foo @@ bar",
    "scipy=1.0",
    "numpy==",
    "numpy>=latest",
    "-e",
    "a===1,2",
    "x ; " + "(" * 900 + "python_version > '3'" + ")" * 900,
    "x ; python_version >= '3' and",
    "numpy" + " " * 3000 + "x",
    "a" * 5000,
    "foo @ git+https://u:secret@[x/y",
    "http://[::1",
    "git+https://example.org/x.git\nRUN evil",
    "git+https://example.org/x y.git",
    "git+https://example.org/x.git#egg=a;b",
    "git+https://example.org/x.git#egg=x[a b]",
    "git+https://example.org/x.git ; evil == 1",
    "https://example.org/\x1b.zip",
    "foo @ https://example.org/x.zip\nRUN evil",
    "foo @ git+https://example.org/x.git#\rRUN evil",
    "numpy>=1\nRUN evil",
]


@pytest.mark.parametrize("text", REFUSED)
def test_not_understood_is_a_problem_with_its_place(text: str) -> None:
    found = added(text)
    assert found.requirements == []
    assert [(one.code, one.where and one.where.line) for one in found.problems] == [("bad-requirement", 7)]
    assert "secret" not in repr(found)
    assert len(found.problems[0].what) < 300


ASKED = [
    ("./libs/ops", "`./libs/ops` is a path"),
    ("libs/ops", "`libs/ops` is a path"),
    ("/opt/x.whl", "`/opt/x.whl` is a path"),
    ("C:\\wheels\\x.whl", "`C:\\wheels\\x.whl` is a path"),
    (".\\libs\\ops", "`.\\libs\\ops` is a path"),
    ("foo @ file:///home/me/foo", "`file:///home/me/foo` is a path"),
    ("file:./x", "`file:./x` is a path"),
    ("git+https://example.org/${ORG}/b.git", "depends on a variable"),
]


@pytest.mark.parametrize(("text", "question"), ASKED)
def test_asked(text: str, question: str) -> None:
    found = added(text)
    assert (found.requirements, found.problems) == ([], [])
    assert len(found.questions) == 1
    assert question in found.questions[0].what
    assert found.questions[0].finding == HERE


@pytest.mark.parametrize("text", [".", "./", ".[dev]", "file:.", "./[all]"])
def test_the_repository_itself(text: str) -> None:
    found = added(text)
    assert [(one.what, one.findings) for one in found.others] == [(text, (HERE,))]
    assert (found.requirements, found.problems, found.questions) == ([], [], [])


def test_credentials_are_left_out_and_asked_about() -> None:
    for text in ("git+https://me:secret@example.org/a/b.git", "git+https://${TOKEN}@example.org/a/b.git"):
        found = added(text)
        assert [str(one) for one in found.requirements] == ["b @ git+https://example.org/a/b.git"]
        assert len(found.questions) == 1
        assert "secret" not in repr(found)


def test_what_an_extra_wants_is_not_for_running() -> None:
    found = added('six ; extra == "dev"')
    assert found.requirements == []
    assert [one.why for one in found.others] == ["wanted by an extra only"]


@pytest.mark.parametrize(
    ("text", "torch", "cuda", "python"),
    [
        ("torch==1.7.0+cu110", [("==1.7.0", True)], [("==11.0.*", False)], []),
        ("torchvision==0.8.1+cu110", [], [("==11.0.*", False)], []),
        ("mmcv-full==1.2.7+torch1.6.0+cu101", [("==1.6.*", False)], [("==10.1.*", False)], []),
        ("cupy-cuda112>=9", [], [("==11.2.*", False)], []),
        ("paddlepaddle-gpu==2.3.2.post112", [], [("==11.2.*", False)], []),
        ("python>=3.6", [], [], [(">=3.6", True)]),
        ("python==3.7.4", [], [], [("==3.7.*", False)]),
        ("cudatoolkit==10.2", [], [("==10.2.*", False)], []),
        ("torch>=1.7", [], [], []),
        (
            "https://example.org/ops-1.0+cu113torch1.10-cp38-cp38-linux_x86_64.whl",
            [("==1.10.*", False)],
            [("==11.3.*", False)],
            [("==3.8.*", False)],
        ),
    ],
)
def test_bounds_that_a_requirement_implies(
    text: str, torch: list[object], cuda: list[object], python: list[object]
) -> None:
    found = added(text)
    told = [[(one.specifier, one.firm) for one in each] for each in (found.torch, found.cuda, found.python)]
    assert told == [torch, cuda, python]
    assert found.problems == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (">=3.6", ">=3.6"),
        (">=3.6, <4", ">=3.6,<4"),
        (">=3.6.*", ">=3.6"),
        ("3.7+", ">=3.7"),
        ("'>=3.8'", ">=3.8"),
        (">=3.6,!=3.9.7", ">=3.6,!=3.9.7"),
        ("<3.12 >=3.8", ">=3.8,<3.12"),
        ("", None),
        ("3.8", "problem"),
        ("python3", "problem"),
    ],
)
def test_python(text: str, expected: str | None) -> None:
    found = Declared()
    found.need_python(text, HERE)
    if expected == "problem":
        assert [one.code for one in found.problems] == ["bad-requirement"]
        assert found.python == []
    else:
        assert [(one.specifier, one.firm) for one in found.python] == ([(expected, True)] if expected else [])


def test_a_specifier_with_no_version() -> None:
    assert specifier_of("") == ""
    assert [specifier_of(text) for text in (">=", "numpy", "=1.0", "3.8", ">=1 ; x")] == [None] * 5


@pytest.mark.parametrize(
    ("specifier", "expected"),
    [
        ("==3.8.5", "==3.8.*"),
        ("==3.8", "==3.8.*"),
        ("==3.8.*", "==3.8.*"),
        ("==11", "==11.*"),
        (">=3.6,!=3.7.1,<4", ">=3.6,!=3.7.1,<4"),
    ],
)
def test_exact_versions_of_the_environment(specifier: str, expected: str) -> None:
    assert minor_only(specifier) == expected


def test_merging_keeps_everything() -> None:
    first, second = added("numpy"), added("foo @@ bar")
    second.add("./x", HERE)
    second.bounds["numpy"] = list(added("numpy<2").requirements)
    second.is_partial = True
    first.merge(second)
    assert (len(first.requirements), len(first.problems), len(first.questions)) == (1, 1, 1)
    assert list(first.bounds) == ["numpy"]
    assert first.is_partial


@pytest.mark.parametrize("text", ["numpy====1.0", "numpy===>=1", "numpy===<2", "numpy===!=3,>=1"])
def test_anything_may_follow_three_equals_signs(text: str) -> None:
    found = Declared()
    found.add(text, Finding("requirements.txt", 1, text))
    assert len(found.requirements) + len(found.problems) == 1
