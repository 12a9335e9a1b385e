"""What a repository declares, with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from kobako.model.requirement import Scan
from kobako.scan import scan

SAY = "say whether packages should come from there"


def tree(root: Path, files: dict[str, str]) -> Scan:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return scan(root)


def shown(found: Scan) -> list[str]:
    return [f"{one} <- {one.findings[0]}" for one in found.requirements]


def test_pip_s_own_format(tmp_path: Path) -> None:
    found = tree(
        tmp_path,
        {
            "requirements.txt": (
                "# a comment\n"
                "numpy>=1.20,<2  # why\n"
                "PyYAML \\\n    >= 5\n"
                'tqdm ; python_version >= "3.6"\n'
                "torch==1.11.0 --hash=sha256:abc \\\n    --hash=sha256:def\n"
                "albumentations>=0.3.2 --no-binary qudida,albumentations\n"
                "transformers[torch, vision]~=4.30\n"
                "-r more/core.txt\n"
                "-e git+https://example.org/a/track.git@v1#egg=mm.track\n"
                "git+https://example.org/a/plain@main\n"
                "https://example.org/w/wheel_name-1.0-cp38-cp38-linux_x86_64.whl\n"
                "foo @ https://example.org/foo.zip\n"
            ),
            "more/core.txt": "scipy\n--requirement=../last.txt\n",
            "last.txt": "six\n-r requirements.txt\n",
        },
    )
    assert shown(found) == [
        "numpy>=1.20,<2 <- requirements.txt:2",
        "pyyaml>=5 <- requirements.txt:3",
        'tqdm; python_version >= "3.6" <- requirements.txt:5',
        "torch==1.11.0 <- requirements.txt:6",
        "albumentations>=0.3.2 <- requirements.txt:8",
        "transformers[torch,vision]~=4.30 <- requirements.txt:9",
        "scipy <- more/core.txt:1",
        "six <- last.txt:1",
        "mm-track @ git+https://example.org/a/track.git@v1 <- requirements.txt:11",
        "plain @ git+https://example.org/a/plain@main <- requirements.txt:12",
        "wheel-name @ https://example.org/w/wheel_name-1.0-cp38-cp38-linux_x86_64.whl <- requirements.txt:13",
        "foo @ https://example.org/foo.zip <- requirements.txt:14",
    ]
    assert (found.questions, found.problems) == ((), ())


def test_constraints_narrow_what_is_named(tmp_path: Path) -> None:
    found = tree(
        tmp_path,
        {"requirements.txt": "-c pins.txt\nnumpy>=1.20\n", "pins.txt": "numpy==1.23.5\nscipy<1.9\n"},
    )
    assert [str(one) for one in found.requirements] == ["numpy>=1.20,==1.23.5"]
    assert [str(finding) for finding in found.requirements[0].findings] == ["requirements.txt:2", "pins.txt:1"]
    assert [str(one) for one in found.questions] == [
        "pins.txt:2: `scipy<1.9` constrains a package that is not named itself; it is left out"
    ]


def test_what_only_a_person_can_decide(tmp_path: Path) -> None:
    found = tree(
        tmp_path,
        {
            "requirements.txt": (
                "--extra-index-url https://user:pw@example.org/simple\n"
                "-f https://example.org/torch.html\n"
                "./libs/ops\n"
                "-e .\n"
                "-r nowhere.txt\n"
                "-r https://example.org/r.txt\n"
                "git+https://oauth2:token@example.org/a/private.git\n"
            )
        },
    )
    assert [str(one) for one in found.questions] == [
        "requirements.txt:1: `--extra-index-url https://example.org/simple` is not taken over: " + SAY,
        "requirements.txt:2: `-f https://example.org/torch.html` is not taken over: " + SAY,
        "requirements.txt:3: `./libs/ops` is a path: install it by hand if it is needed",
        "requirements.txt:5: `-r nowhere.txt` names a file that is not in the repository",
        "requirements.txt:6: `-r https://example.org/r.txt` is on another machine and was not read",
        "requirements.txt:7: `git+https://example.org/a/private.git` was declared with credentials, which are left out",
    ]
    assert [str(one) for one in found.requirements] == ["private @ git+https://example.org/a/private.git"]
    assert "token" not in repr(found.requirements[0].url)
    assert [one.what for one in found.others] == ["."]


def test_one_bad_line_stops_nothing(tmp_path: Path) -> None:
    found = tree(tmp_path, {"requirements.txt": "numpy\nfoo @@ bar\nscipy=1.0\nsix\n"})
    assert [one.name for one in found.requirements] == ["numpy", "six"]
    assert [(one.code, one.what, str(one.where)) for one in found.problems] == [
        ("bad-requirement", "`foo @@ bar` is not a requirement that is understood", "requirements.txt:2"),
        ("bad-requirement", "`scipy=1.0` is not a requirement that is understood", "requirements.txt:3"),
    ]


MM = {
    "requirements.txt": "-r requirements/build.txt\n-r requirements/runtime.txt\n-r requirements/tests.txt\n",
    "requirements/build.txt": "cython\n",
    "requirements/runtime.txt": "matplotlib\nnumpy\n",
    "requirements/tests.txt": "pytest\n",
    "requirements/mminstall.txt": "mmcv-full>=1.3.17\n",
}


def test_tests_and_documents_are_not_for_running(tmp_path: Path) -> None:
    found = tree(tmp_path, MM)
    assert shown(found) == [
        "mmcv-full>=1.3.17 <- requirements/mminstall.txt:1",
        "matplotlib <- requirements/runtime.txt:1",
        "numpy <- requirements/runtime.txt:2",
    ]
    assert [one.role for one in found.requirements] == ["project", "runtime", "runtime"]
    assert [one.what for one in found.others] == ["requirements/build.txt", "requirements/tests.txt"]


HELPER = """
from setuptools import setup

def parse_requirements(fname='requirements.txt', with_version=True):
    with open(fname) as f:
        return [line.strip() for line in f]

setup(name='x', python_requires='>=3.7',
      install_requires=parse_requirements('requirements/runtime.txt'),
      extras_require={'all': parse_requirements('requirements.txt')})
"""


def test_setup_py_with_a_helper_wins_over_requirements_txt(tmp_path: Path) -> None:
    found = tree(tmp_path, {**MM, "setup.py": HELPER})
    assert [str(one) for one in found.requirements] == ["mmcv-full>=1.3.17", "matplotlib", "numpy"]
    assert found.python is not None
    assert (found.python.specifier, str(found.python.findings[0])) == (">=3.7", "setup.py:8")


def test_pyproject_wins_and_setup_py_fills_in(tmp_path: Path) -> None:
    found = tree(
        tmp_path,
        {
            "pyproject.toml": '[project]\nname = "x"\ndependencies = [\n  "numpy>=1.20",\n  "torch",\n]\n',
            "setup.py": "setup(install_requires=['six'], python_requires='>=3.8')",
            "requirements.txt": "scipy\n",
        },
    )
    assert shown(found) == ["numpy>=1.20 <- pyproject.toml:4", "torch <- pyproject.toml:5"]
    assert found.python is not None
    assert found.python.specifier == ">=3.8"


def test_dynamic_dependencies(tmp_path: Path) -> None:
    text = '[project]\ndynamic = ["dependencies"]\n[tool.setuptools.dynamic]\ndependencies = {file = ["deps.txt"]}\n'
    assert shown(tree(tmp_path, {"pyproject.toml": text, "deps.txt": "numpy\n"})) == ["numpy <- deps.txt:1"]


def test_setup_cfg(tmp_path: Path) -> None:
    text = (
        "[metadata]\nname = x\n[options]\npython_requires = >=3.6\ninstall_requires =\n    numpy>=1.20\n    six  # y\n"
    )
    found = tree(tmp_path, {"setup.cfg": text})
    assert shown(found) == ["numpy>=1.20 <- setup.cfg:6", "six <- setup.cfg:7"]
    listed = tree(tmp_path / "b", {"setup.cfg": "[options]\ninstall_requires = file: r.txt\n", "r.txt": "six\n"})
    assert shown(listed) == ["six <- r.txt:1"]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (["requirements/runtime.txt", "requirements/tests.txt"], "requirements/runtime.txt"),
        (["requirements-dev.txt", "requirements-gpu.txt"], "requirements-gpu.txt"),
        (["requirements_test.txt", "requirements_all_the_rest.txt"], ""),
        (["requirements/docs.txt"], ""),
        (["requirements/whatever.txt", "requirements/test.txt"], "requirements/whatever.txt"),
    ],
)
def test_which_file_is_for_running(files: list[str], expected: str, tmp_path: Path) -> None:
    found = tree(tmp_path, {name: f"from-{number}\n" for number, name in enumerate(files)})
    assert [str(one.findings[0].file) for one in found.requirements] == ([expected] if expected else [])


def test_links_out_of_the_repository_do_not_exist(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret\n")
    repository = tmp_path / "r"
    repository.mkdir()
    (repository / "requirements.txt").symlink_to("../secret.txt")
    (repository / "loop.txt").symlink_to("loop.txt")
    assert scan(repository).requirements == ()
    found = tree(repository / "b", {"requirements.txt": "-r ../../secret.txt\n-r ../loop.txt\n"})
    assert found.requirements == ()
    assert len(found.questions) == 2


def test_encodings(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_bytes("numpy\r\nsix\r\n".encode("utf-16"))
    assert [one.name for one in scan(tmp_path).requirements] == ["numpy", "six"]
    (tmp_path / "requirements.txt").write_bytes(b"\xef\xbb\xbfnumpy\n# \xff\xfe\nsix")
    assert [one.name for one in scan(tmp_path).requirements] == ["numpy", "six"]


def test_a_declaration_given_twice(tmp_path: Path) -> None:
    found = tree(tmp_path, {"requirements.txt": "numpy>=1.20\nnumpy[x]<2\n"})
    assert [str(one) for one in found.requirements] == ["numpy[x]>=1.20,<2"]
