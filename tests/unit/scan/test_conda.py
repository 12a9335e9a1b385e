"""Conda's environment files and its specifications."""

from __future__ import annotations

from pathlib import Path

import pytest

from kobako import data
from kobako.model.finding import Finding
from kobako.scan.declaring import conda, conda_specs
from kobako.scan.declaring.declared import Declared, normalised
from kobako.scan.tree import Tree

HERE = Finding("environment.yml", 4)


def repository(root: Path, files: dict[str, str]) -> Tree:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Tree(root)


def read(root: Path, text: str, **files: str) -> Declared | None:
    return conda.read(repository(root, {"environment.yml": text, **files}))


def known(found: Declared | None) -> Declared:
    assert found is not None
    return found


WHOLE = """\
name: box
channels:
  - pytorch
  - conda-forge
dependencies:
  - python=3.8
  - pip
  - pytorch::pytorch=1.10.0
  - torchvision>=0.11,<0.12
  - cudatoolkit=11.3
  - conda-forge::opencv=4.5.3
  - numpy >=1.19
  - scipy 1.7.*
  - libpng
  - ffmpeg
  - pywin32  # [win]
  - nvidia-apex
  - pip:
    - -r docker/pip.txt
    - --extra-index-url https://download.pytorch.org/whl/cu113
    - six>=1.16 --no-deps
    - git+https://example.org/a/track.git@v1
    - -e .
    - mmcv-full==1.4.0
prefix: /home/me/miniconda3/envs/box
"""


def test_all_that_it_may_say(tmp_path: Path) -> None:
    found = known(read(tmp_path, WHOLE, **{"docker/pip.txt": "tqdm\n"}))
    assert [f"{one} <- {one.findings[0]}" for one in found.requirements] == [
        "torch==1.10.0 <- environment.yml:8",
        "torchvision>=0.11,<0.12 <- environment.yml:9",
        "opencv-python==4.5.3.* <- environment.yml:11",
        "numpy>=1.19 <- environment.yml:12",
        "scipy==1.7.* <- environment.yml:13",
        "tqdm <- docker/pip.txt:1",
        "six>=1.16 <- environment.yml:21",
        "track @ git+https://example.org/a/track.git@v1 <- environment.yml:22",
        "mmcv-full==1.4.0 <- environment.yml:24",
    ]
    assert [(one.specifier, one.firm, one.findings[0].line) for one in found.python] == [("==3.8.*", False, 6)]
    assert [(one.specifier, one.firm, one.findings[0].line) for one in found.cuda] == [
        ("==11.3.*", False, 10),
        ("==11.3.*", False, 20),
    ]
    assert [(one.name, one.findings[0].line) for one in found.system] == [("ffmpeg", 15)]
    assert [(one.what, one.findings[0].line) for one in found.others] == [
        ("pip", 7),
        ("libpng", 14),
        ("pywin32", 16),
        ("nvidia-apex", 17),
        ("--extra-index-url https://download.pytorch.org/whl/cu113", 20),
        (".", 23),
    ]
    assert (found.questions, found.problems) == ([], [])


EXPORT = """\
name: box
channels: [defaults]
dependencies:
  - _libgcc_mutex=0.1=main
  - blas=1.0=mkl
  - certifi=2021.10.8=py38h06a4308_0
  - cudatoolkit=11.0.221=h6bb024c_0
  - numpy=1.19.2=py38h54aff64_0
  - openssl=1.1.1l=h7f8727e_0
  - python=3.8.12=h12debd9_0
  - pytorch=1.7.1=py3.8_cuda11.0.221_cudnn8.0.5_0
  - setuptools=58.0.4=py38h06a4308_0
  - unheardof=1.0=h0123456_0
  - generic=1.0=0
  - pycparser=2.20=pyhd3eb1b0_2
  - pip:
    - torch-scatter==2.0.5
"""


def test_an_export_holds_more_than_was_asked_for(tmp_path: Path) -> None:
    found = known(read(tmp_path, EXPORT))
    assert [str(one) for one in found.requirements] == [
        "certifi==2021.10.8",
        "numpy==1.19.2",
        "torch==1.7.1",
        "pycparser==2.20",
        "torch-scatter==2.0.5",
    ]
    assert [one.findings[0].line for one in found.others] == [4, 5, 9, 12, 13, 14]
    assert {one.specifier for one in found.cuda} == {"==11.0.*"}
    assert found.problems == []


SPECS = [
    ("numpy", "numpy"),
    ("numpy=1.19", "numpy==1.19.*"),
    ("numpy =1.19", "numpy==1.19.*"),
    ("numpy = 1.19", "numpy==1.19.*"),
    ("numpy=1.19.2", "numpy==1.19.2"),
    ("numpy==1.19", "numpy==1.19"),
    ("numpy 1.19.2", "numpy==1.19.2"),
    ("numpy=1", "numpy==1.*"),
    ("numpy=1.19.*", "numpy==1.19.*"),
    ("numpy=1.19.2=py38h54aff64_0", "numpy==1.19.2"),
    ("numpy 1.19.2 py38h54aff64_0", "numpy==1.19.2"),
    ("numpy==1.19.2=py38_0", "numpy==1.19.2"),
    ("numpy>=1,<2", "numpy>=1,<2"),
    ("numpy >= 1 , < 2", "numpy>=1,<2"),
    ("numpy~=1.2", "numpy~=1.2"),
    ("numpy!=1.5", "numpy!=1.5"),
    ("numpy[version='>=1.0,<2',build=py38*]", "numpy>=1.0,<2"),
    ("conda-forge::numpy", "numpy"),
    ("conda-forge/linux-64::numpy=1.19", "numpy==1.19.*"),
    ("NumPy", "numpy"),
    ("pytorch", "torch"),
    ("pytorch=1.7.1=*cuda*", "torch==1.7.1"),
    ("pyg=*=*cu*", "torch-geometric"),
    ("msgpack-python", "msgpack"),
    ("opencv=4.5", "opencv-python==4.5.*"),
    ("opencv=4.5.3", "opencv-python==4.5.3.*"),
    ("ruamel_yaml", "ruamel-yaml"),
    ("dgl-cuda11.3", "dgl"),
    ("librosa=0.8", "librosa==0.8.*"),  # no library, whatever its name
    ("libmamba=1.0=py38_0", "libmamba==1.0"),
    ("tensorflow-gpu=2.1.0=h0d30ee6_0", "tensorflow-gpu==2.1.0"),
]


@pytest.mark.parametrize(("spec", "expected"), SPECS)
def test_specifications(spec: str, expected: str) -> None:
    found = Declared()
    conda.take(spec, HERE, found)
    assert [str(one) for one in found.requirements] == [expected]
    assert found.requirements[0].findings == (HERE,)
    assert (found.problems, found.questions) == ([], [])


@pytest.mark.parametrize(
    ("spec", "python", "cuda"),
    [
        ("python", [], []),
        ("python=3.8", [("==3.8.*", False)], []),
        ("python=3.8.5", [("==3.8.*", False)], []),
        ("python 3.7.*", [("==3.7.*", False)], []),
        ("python>=3.6,<3.9", [(">=3.6,<3.9", True)], []),
        ("cudatoolkit=10.2", [], [("==10.2.*", False)]),
        ("pytorch-cuda=11.7", [], [("==11.7.*", False)]),
        ("cudatoolkit>=11", [], [(">=11", True)]),
        ("magma-cuda110", [], [("==11.0.*", False)]),
        ("pytorch=1.7.1=py3.8_cuda11.0.221_cudnn8.0.5_0", [], [("==11.0.*", False)]),
    ],
)
def test_bounds(spec: str, python: list[object], cuda: list[object]) -> None:
    found = Declared()
    conda.take(spec, HERE, found)
    assert [(one.specifier, one.firm) for one in found.python] == python
    assert [(one.specifier, one.firm) for one in found.cuda] == cuda
    assert found.problems == []


@pytest.mark.parametrize("spec", ["- numpy", "a b c d", '"numpy=1"', "=1.0", "", "x" * 5000])
def test_what_is_no_specification(spec: str) -> None:
    found = Declared()
    conda.take(spec, HERE, found)
    assert found.requirements == []
    assert [one.where and one.where.line for one in found.problems] == [4]


def test_channels_of_programs() -> None:
    found = Declared()
    conda.take("bioconda::sparsehash=2.0", HERE, found)
    assert found.requirements == []
    assert [one.what for one in found.others] == ["bioconda::sparsehash=2.0"]


def test_a_choice_of_versions_is_said() -> None:
    found = Declared()
    for spec in ("numpy=1.2|1.3", "six=?"):
        conda.take(spec, HERE, found)
    assert [str(one) for one in found.requirements] == ["numpy", "six"]
    assert ["that pip cannot express" in one.what for one in found.questions] == [True, True]


FILES: list[tuple[list[str], str]] = [
    (["environment.yml"], "environment.yml"),
    (["environment.yaml"], "environment.yaml"),
    (["env.yml", "environment.yml"], "environment.yml"),
    (["conda_env.yml"], "conda_env.yml"),
    (["conda.yaml"], "conda.yaml"),
    (["environment-dev.yml", "environment-gpu.yml"], "environment-gpu.yml"),
    (["environment_cpu.yml", "environment_gpu.yml"], "environment_gpu.yml"),
    (["environment-cpu.yml"], "environment-cpu.yml"),
    (["docker/environment.yml"], "docker/environment.yml"),
    (["envs/train.env.yml", "conda/environment.yml"], "conda/environment.yml"),
    (["environment.yml", "docker/environment.yml"], "environment.yml"),
    (["config.yml", "docker-compose.yml", "a/b/environment.yml"], ""),
]


@pytest.mark.parametrize(("names", "expected"), FILES)
def test_which_file(names: list[str], expected: str, tmp_path: Path) -> None:
    found = conda.read(repository(tmp_path, dict.fromkeys(names, "dependencies: [six]\n")))
    read_from = [one.findings[0].file for one in found.requirements] if found else []
    assert read_from == ([expected] if expected else [])


def test_other_environments_are_listed(tmp_path: Path) -> None:
    text = "dependencies: [six]\n"
    found = known(conda.read(repository(tmp_path, {"environment.yml": text, "environment-cpu.yml": text})))
    assert [(one.what, one.why) for one in found.others] == [
        ("environment-cpu.yml", "another environment; environment.yml is the one for running")
    ]


@pytest.mark.parametrize("text", ["", "a: 1\n", "dependencies: six\n", "- six\n", "# nothing\n", "dependencies:\n"])
def test_yaml_of_another_kind(text: str, tmp_path: Path) -> None:
    assert read(tmp_path, text) is None


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("dependencies: [\n  six,\n", 3),
        ("dependencies:\n  - six\n - numpy\n", 3),
        ("a: &a [*b]\n", 1),
        ("dependencies: " + "[" * 100_000, 1),
        ("dependencies: " + "{a: " * 2000, 1),
        ("\0", 1),
    ],
)
def test_bad_yaml_is_asked_about(text: str, line: int, tmp_path: Path) -> None:
    found = known(read(tmp_path, text))
    assert found.requirements == []
    assert [one.finding and one.finding.line for one in found.questions] == [line]


def test_odd_entries_stop_nothing(tmp_path: Path) -> None:
    found = known(
        read(tmp_path, "dependencies:\n  - numpy: 1.0\n  - 3\n  - [a]\n  - pip: six\n  - six\n  - pip:\n    - {a: b}\n")
    )
    assert [str(one) for one in found.requirements] == ["six"]
    assert [one.where and one.where.line for one in found.problems] == [2, 3, 4, 5]


BOMB = (
    "a: &a [x, x, x, x, x, x, x, x, x]\n"
    + "".join(f"b{at}: &b{at} [*{f'b{at - 1}' if at else 'a'}, *{f'b{at - 1}' if at else 'a'}]\n" for at in range(60))
    + "dependencies: *b59\n"
)


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    "text",
    [
        BOMB,
        "dependencies:\n - &a\n  pip: [" + ",".join(["x"] * 20_000) + "]\n" + " - *a\n" * 15_000,
        "dependencies:\n" + "".join(f"  - a{at}=1.0=py38_0\n" for at in range(9000)),
        "dependencies:\n  - &a [*a]\n  - *a\n",
    ],
    ids=["bomb", "repeated", "long", "cycle"],
)
def test_hostile_files_end(text: str, tmp_path: Path) -> None:
    found = known(read(tmp_path, text))
    assert len(found.requirements) + len(found.problems) <= conda.MAX_ENTRIES


def test_a_file_that_is_too_large_is_said(tmp_path: Path) -> None:
    found = known(read(tmp_path, "dependencies: [six]\n#" + "x" * 300_000))
    assert found.requirements == []
    assert [one.what for one in found.questions] == [
        "environment.yml is too large for an environment file and was not read"
    ]


def test_the_table_of_names() -> None:
    rows = data.rows("conda_names")
    assert len(rows) >= 250
    assert len({row["conda"] for row in rows}) == len(rows)
    assert {row["kind"] for row in rows} == {"pip", "cuda", "apt", "base", "conda", "library", "none"}
    for row in rows:
        assert (row["kind"] in {"pip", "apt"}) == bool(row["name"])
        assert row["kind"] != "pip" or row["name"] == normalised(row["name"])
        assert row["source"]
        assert conda_specs.parse(row["conda"]) == conda_specs.Spec(row["conda"])


@pytest.mark.parametrize("name", ["rust", "samtools", "octave", "conda-forge::vim", "texlive-core=2021"])
def test_what_no_table_knows_is_asked(name: str) -> None:
    found = Declared()
    conda_specs.add(found, name, Finding("environment.yml", 3))
    assert found.requirements == []
    assert [str(one.finding) for one in found.questions] == ["environment.yml:3"] or found.others or found.system
