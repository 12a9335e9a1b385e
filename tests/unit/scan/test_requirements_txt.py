"""Requirements files: pip's own format, those of other tools, and what people write."""

from __future__ import annotations

from pathlib import Path

import pytest

from kobako.model.finding import Finding
from kobako.scan.declaring import requirements_txt
from kobako.scan.declaring.declared import Declared
from kobako.scan.tree import Tree

SAY = "say whether packages should come from there"


def repository(root: Path, files: dict[str, str | bytes]) -> Tree:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return Tree(root)


def read(root: Path, text: str | bytes, **more: str) -> Declared:
    return requirements_txt.read(repository(root, {"requirements.txt": text, **more}), "requirements.txt")


def shown(found: Declared) -> list[str]:
    return [f"{one} <- {one.findings[0]}" for one in found.requirements]


def test_pip_s_own_format(tmp_path: Path) -> None:
    found = requirements_txt.read(
        repository(
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
                    "https://example.org/w/wheel_name-1.0-py3-none-any.whl\n"
                    "foo @ https://example.org/foo.zip\n"
                    "mm-track2 @ git+https://example.org/a/t.git@v1#subdirectory=sub\n"
                    "--pre\n"
                    "--no-binary=:all:\n"
                ),
                "more/core.txt": "scipy\n--requirement=../last.txt\n",
                "last.txt": "six\n-r requirements.txt\n",
            },
        ),
        "requirements.txt",
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
        "wheel-name @ https://example.org/w/wheel_name-1.0-py3-none-any.whl <- requirements.txt:13",
        "foo @ https://example.org/foo.zip <- requirements.txt:14",
        "mm-track2 @ git+https://example.org/a/t.git@v1#subdirectory=sub <- requirements.txt:15",
    ]
    assert (found.questions, found.problems, found.others) == ([], [], [])


def test_constraints_narrow_what_is_named(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "-c pins.txt\nnumpy>=1.20\n",
        **{"pins.txt": "numpy==1.23.5\nscipy<1.9\n-r more.txt\n", "more.txt": "six<2\n"},
    )
    assert [str(one) for one in found.requirements] == ["numpy>=1.20"]
    assert {name: [str(one) for one in each] for name, each in found.bounds.items()} == {
        "numpy": ["numpy==1.23.5"],
        "scipy": ["scipy<1.9"],
        "six": ["six<2"],
    }
    assert found.bounds["numpy"][0].findings == (Finding("pins.txt", 1, "numpy==1.23.5"),)


def test_other_indexes_are_asked_about_but_pytorch_s_is_the_base_s(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "--extra-index-url https://user:pw@example.org/simple\n"
        "-f https://example.org/wheels/cu113/torch1.10/index.html\n"
        "-f https://download.pytorch.org/whl/torch_stable.html\n"
        "--extra-index-url=https://download.pytorch.org/whl/cu116\n"
        "-ihttps://example.org/simple\n"
        "--trusted-host example.org\n",
    )
    assert [str(one) for one in found.questions] == [
        "requirements.txt:1: `--extra-index-url https://example.org/simple` is not taken over: " + SAY,
        "requirements.txt:2: `-f https://example.org/wheels/cu113/torch1.10/index.html` is not taken over: " + SAY,
        "requirements.txt:5: `-i https://example.org/simple` is not taken over: " + SAY,
    ]
    assert [one.specifier for one in found.cuda] == ["==11.3.*", "==11.6.*"]
    assert [(one.specifier, one.firm) for one in found.torch] == [("==1.10.*", False)]
    assert [one.findings[0].line for one in found.others] == [3, 4]
    assert "pw" not in repr(found)


def test_what_only_a_person_can_decide(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "./libs/ops\n"
        "-e .\n"
        "-r nowhere.txt\n"
        "-r https://u:secret@example.org/r.txt\n"
        "git+https://oauth2:token@example.org/a/private.git\n"
        "torch==${TORCH_VERSION}\n"
        "-r ../../secret.txt\n",
    )
    assert [str(one) for one in found.questions] == [
        "requirements.txt:1: `./libs/ops` is a path: install it by hand if it is needed",
        "requirements.txt:3: `-r nowhere.txt` names a file that is not in the repository",
        "requirements.txt:4: `-r https://example.org/r.txt` is on another machine and was not read",
        "requirements.txt:5: `git+https://example.org/a/private.git` was declared with credentials, which are left out",
        "requirements.txt:6: `torch==${TORCH_VERSION}` depends on a variable: say what it stands for",
        "requirements.txt:7: `-r ../../secret.txt` names a file that is not in the repository",
    ]
    assert [str(one) for one in found.requirements] == ["private @ git+https://example.org/a/private.git"]
    assert "token" not in repr(found)
    assert [one.what for one in found.others] == ["."]


def test_one_bad_line_stops_nothing(tmp_path: Path) -> None:
    found = read(tmp_path, "numpy\nfoo @@ bar\nscipy=1.0\nsix\n")
    assert [one.name for one in found.requirements] == ["numpy", "six"]
    assert [(one.code, one.what, str(one.where)) for one in found.problems] == [
        ("bad-requirement", "`foo @@ bar` is not a requirement that is understood", "requirements.txt:2"),
        ("bad-requirement", "`scipy=1.0` is not a requirement that is understood", "requirements.txt:3"),
    ]


def test_many_bad_lines_are_told_together(tmp_path: Path) -> None:
    found = read(tmp_path, "these are words\n" * 50 + "numpy\n")
    assert [one.name for one in found.requirements] == ["numpy"]
    assert len(found.problems) == requirements_txt.MAX_PROBLEMS + 1
    assert found.problems[-1].what == "30 more lines of requirements.txt are not requirements that are understood"
    assert str(found.problems[-1].where) == "requirements.txt:21"


LINES = [
    # pip list, conda list, tables by hand
    ("numpy 1.19.2", "numpy==1.19.2"),
    ("Package    Version", None),
    ("---------- -------", None),
    ("numpy      1.19.2   py38h54aff64_0", "numpy==1.19.2"),
    ("pytorch  1.7.1  py3.8_cuda11.0.221_cudnn8.0.5_0  pytorch", "torch==1.7.1"),
    ("addict  2.4.0  pypi_0  pypi", "addict==2.4.0"),
    ("addict  2.4.0  <pip>", "addict==2.4.0"),
    # conda list --export
    ("numpy=1.19.2=py38h54aff64_0", "numpy==1.19.2"),
    ("tqdm=4.50.2=py_0", "tqdm==4.50.2"),
    ("addict=2.4.0=pypi_0", "addict==2.4.0"),
    # pip freeze in a conda environment
    ("numpy @ file:///tmp/build/80754af9/numpy_and_numpy_base_1618497241363/work", "numpy"),
    ("six @ file:///home/conda/feedstock_root/build_artifacts/six_1620240208055/work", "six"),
    # prose after the requirement
    ("torch>=1.7 or newer", "torch>=1.7"),
    ("opencv-python (for the demo)", "opencv-python"),
    ("opencv-python - for the demo", "opencv-python"),
    ("numpy>=1.0, the newer the better", "numpy>=1.0"),
    ("* numpy", "numpy"),
    ("- numpy>=1.2", "numpy>=1.2"),
    # a command
    ("pip install numpy==1.20", "numpy==1.20"),
    # versions of builds
    ("torch==1.7.0+cu110", "torch==1.7.0"),
    # a trailing comment without a space before it belongs to the address
    ("git+https://example.org/a/b.git#egg=b", "b @ git+https://example.org/a/b.git"),
    ("numpy#1", "problem"),
    ("Install the following packages", "problem"),
    ("[dev]", "problem"),
    # other systems
    ("pywin32==301", None),
    ("pkg-resources==0.0.0", None),
]


@pytest.mark.parametrize(("line", "expected"), LINES)
def test_what_a_line_may_look_like(line: str, expected: str | None, tmp_path: Path) -> None:
    found = read(tmp_path, f"loguru\n{line}\nyacs\n")
    between = [one for one in found.requirements if one.name not in {"loguru", "yacs"}]
    assert [str(one) for one in between] == ([] if expected in {None, "problem"} else [expected])
    assert [one.findings[0].line for one in between] == [2] * len(between)
    assert len(found.problems) == (expected == "problem")
    assert (found.requirements[0].name, found.requirements[-1].name) == ("loguru", "yacs")


def test_python_and_cuda_are_no_packages(tmp_path: Path) -> None:
    found = read(tmp_path, "python>=3.6\ncudatoolkit==10.2\npytorch==1.6\n")
    assert [str(one) for one in found.requirements] == ["torch==1.6"]
    assert [(one.specifier, one.firm) for one in found.python] == [(">=3.6", True)]
    assert [(one.specifier, one.firm) for one in found.cuda] == [("==10.2.*", False)]


CONDA_LIST = """\
# This file may be used to create an environment using:
# $ conda create --name <env> --file <this file>
# platform: linux-64
_libgcc_mutex=0.1=main
ca-certificates=2020.10.14=0
cudatoolkit=11.0.221=h6bb024c_0
libpng=1.6.37=hbc83047_0
numpy=1.19.2=py38h54aff64_0
pip=20.2.4=py38_0
python=3.8.5=h7579374_1
pytorch=1.7.1=py3.8_cuda11.0.221_cudnn8.0.5_0
somelib=1.0=h0123456_7
addict=2.4.0=pypi_0
"""


def test_a_whole_conda_environment(tmp_path: Path) -> None:
    found = read(tmp_path, CONDA_LIST)
    assert shown(found) == [
        "numpy==1.19.2 <- requirements.txt:8",
        "torch==1.7.1 <- requirements.txt:11",
        "addict==2.4.0 <- requirements.txt:13",
    ]
    assert [one.findings[0].line for one in found.others] == [4, 5, 7, 9, 12]
    assert {one.specifier for one in found.cuda} == {"==11.0.*"}
    assert [(one.specifier, one.firm) for one in found.python] == [("==3.8.*", False)]
    assert (found.problems, found.questions) == ([], [])


def test_a_file_for_conda_install(tmp_path: Path) -> None:
    found = read(tmp_path, "numpy=1.19\nscipy=1.5.2\ntqdm\npandas>=1,<2\n")
    assert [str(one) for one in found.requirements] == ["numpy==1.19.*", "scipy==1.5.2", "tqdm", "pandas>=1,<2"]
    assert found.problems == []


COMPILED = """\
#
# This file is autogenerated by pip-compile with Python 3.9
# by the following command:
#
#    pip-compile requirements.in
#
certifi==2022.6.15
    # via requests
numpy==1.23.1 \\
    --hash=sha256:aaaa \\
    --hash=sha256:bbbb
    # via
    #   -r requirements.in
    #   pandas
pandas==1.4.3
    # via -r requirements.in
requests==2.28.1  # via -r requirements.in
urllib3==1.26.11
    # via
    #   -c constraints.txt
    #   requests
"""


def test_of_a_compiled_file_what_the_author_asked_for(tmp_path: Path) -> None:
    found = read(tmp_path, COMPILED)
    assert [str(one) for one in found.requirements] == ["numpy==1.23.1", "pandas==1.4.3", "requests==2.28.1"]
    assert [(one.what, one.why) for one in found.others] == [
        ("certifi==2022.6.15", "comes with requests"),
        ("urllib3==1.26.11", "comes with requests"),
    ]


@pytest.mark.parametrize(
    "data",
    [
        b"numpy\r\nsix\r\n",
        b"numpy\rsix",
        b"\xef\xbb\xbfnumpy\nsix",
        b"numpy\n# caf\xe9 \xff\xfe\nsix\n",
        "numpy\r\nsix\r\n".encode("utf-16"),
        b"\xfe\xff" + "numpy\nsix".encode("utf-16-be"),
    ],
)
def test_encodings(data: bytes, tmp_path: Path) -> None:
    found = read(tmp_path, data)
    assert [one.name for one in found.requirements] == ["numpy", "six"]
    assert found.problems == []


def test_windows_separators_in_includes(tmp_path: Path) -> None:
    assert shown(read(tmp_path, "-r reqs\\core.txt\n", **{"reqs/core.txt": "six\n"})) == ["six <- reqs/core.txt:1"]


def test_what_was_built_by_conda_is_said(tmp_path: Path) -> None:
    found = read(tmp_path, "numpy @ file:///tmp/build/80754af9/numpy_1/work\nmine @ file:///home/me/mine\n")
    assert [str(one) for one in found.requirements] == ["numpy"]
    assert [str(one) for one in found.questions] == [
        "requirements.txt:1: `numpy` was built by conda on the author's machine: it is taken without a version",
        "requirements.txt:2: `file:///home/me/mine` is a path: install it by hand if it is needed",
    ]


def test_a_bad_line_that_continues_keeps_its_own_number(tmp_path: Path) -> None:
    found = read(tmp_path, "numpy \\\n  # in between\n  >=1.2\n\n???\nsix\\")
    assert shown(found) == ["numpy>=1.2 <- requirements.txt:1", "six <- requirements.txt:6"]
    assert [str(one.where) for one in found.problems] == ["requirements.txt:5"]


def test_tests_and_documents_are_not_for_running(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "requirements.txt": "-r requirements/build.txt\n-r requirements/runtime.txt\n-r requirements/tests.txt\n",
        "requirements/build.txt": "cython\n",
        "requirements/runtime.txt": "matplotlib\nnumpy\n",
        "requirements/tests.txt": "pytest\n",
        "requirements/albu.txt": "albumentations\n",
    }
    tree = repository(tmp_path, files)
    found = requirements_txt.read_runtime(tree)
    assert found is not None
    assert shown(found) == ["matplotlib <- requirements/runtime.txt:1", "numpy <- requirements/runtime.txt:2"]
    assert [(one.what, one.why) for one in found.others] == [
        ("requirements/build.txt", "not for running: tests, documents, development or options"),
        ("requirements/tests.txt", "not for running: tests, documents, development or options"),
        ("requirements/albu.txt", "another set of requirements; requirements.txt is the one for running"),
    ]
    whole = requirements_txt.read(tree, "requirements.txt", whole=True)
    assert [one.name for one in whole.requirements] == ["cython", "matplotlib", "numpy", "pytest"]


def test_nothing_is_none(tmp_path: Path) -> None:
    assert requirements_txt.read_runtime(repository(tmp_path, {"a.py": "", "requirements.txt": "# none\n"})) is None


def test_one_line_by_itself(tmp_path: Path) -> None:
    tree = repository(tmp_path, {"docker/r.txt": "six\n"})
    here = Finding("docker/environment.yml", 9)
    assert shown(requirements_txt.read_line(tree, "-r r.txt", here)) == ["six <- docker/r.txt:1"]
    assert shown(requirements_txt.read_line(tree, "numpy>=1 --no-deps", here)) == [
        "numpy>=1 <- docker/environment.yml:9"
    ]


HOSTILE = {
    "one line": "a" * 4_000_000,
    "white space": "a" + " " * 2_000_000 + "b",
    "many lines": "a\n" * 1_000_000,
    "no end": "a \\\n" * 500_000,
    "options": "a -" * 500_000,
    "hashes": "a " + "--hash=sha256:0 " * 100_000,
    "names": ("a" * 1900 + " (\n") * 500,
    "versions": ("a==" + "1." * 900 + "\n") * 300,
    "addresses": ("https://x/" + "cu113/" * 300 + "\n") * 300,
    "brackets": ("a; " + "(" * 1500 + "\n") * 200,
    "itself": "-r requirements.txt\n" * 1000,
}


@pytest.mark.timeout(30)
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_files_end(text: str, tmp_path: Path) -> None:
    found = read(tmp_path, text)
    assert len(found.requirements) <= requirements_txt.MAX_LINES
    assert len(found.problems) <= requirements_txt.MAX_PROBLEMS + 1


def test_includes_that_fan_out_are_read_once(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {f"r{at}.txt": f"-r r{at + 1}.txt\n" * 50 + f"p{at}\n" for at in range(15)}
    found = requirements_txt.read(repository(tmp_path, files), "r0.txt")
    assert sorted(one.name for one in found.requirements) == sorted(f"p{at}" for at in range(15))
