"""The policy: what the findings of all readers come to."""

from __future__ import annotations

from dataclasses import replace

from kobako.model.finding import Finding
from kobako.model.requirement import Bound, Other, Requirement, Scan
from kobako.scan.answer import MOST_MARKERS, Code, answer
from kobako.scan.code.imports import Imported
from kobako.scan.declaring.declared import MOST_BOUNDS, Declared


def declared(*entries: str, **more: object) -> Declared:
    """What one reader found: requirements as they are written, in lines from 1 on of ``file``."""
    file = str(more.pop("file", "requirements.txt"))
    found = Declared(**more)  # type: ignore[arg-type]
    for line, entry in enumerate(entries, 1):
        found.add(entry, Finding(file, line, entry))
    return found


def imported(module: str, distribution: str | None = None, *, needed: bool = True, hint: str = "") -> Imported:
    """An import at line 7 of ``x.py``; one that is not needed stands in a function."""
    name = module if distribution is None else distribution
    counts = {"reached": 1, "firm": 1} if needed else {"guarded": 1}
    return Imported(module, name, (Finding("x.py", 7, f"import {module}"),), hint, **counts)


def answered(
    code: Code | None = None,
    *,
    package: Declared | None = None,
    family: Declared | None = None,
    told: Declared | None = None,
) -> Scan:
    return answer(code or Code(), package or Declared(), family or Declared(), told or Declared())


def names(scan: Scan) -> dict[str, str]:
    return {str(one): one.origin for one in scan.requirements}


def others(scan: Scan) -> dict[str, str]:
    return {one.what: one.why for one in scan.others}


def test_declarations_win() -> None:
    code = Code((imported("numpy"), imported("yaml", "pyyaml")))
    found = answered(code, package=declared("numpy>=1.17", "six"))
    assert names(found) == {"numpy>=1.17": "declared", "six": "declared"}
    assert others(found) == {"pyyaml": "imported, but not declared: it may come with another package"}
    assert [str(one) for one in found.requirements[0].findings] == ["requirements.txt:1"]
    assert [str(one) for one in found.requirements[0].imports] == ["x.py:7"], "imports annotate"
    assert found.requirements[1].imports == ()


def test_imports_speak_where_nothing_is_declared() -> None:
    code = Code((imported("numpy"), imported("yaml", "pyyaml"), imported("wandb", needed=False)))
    found = answered(code)
    assert names(found) == {"numpy": "imported", "pyyaml": "imported"}
    assert list(others(found)) == ["wandb"]


def test_imports_fill_in_what_could_not_be_read() -> None:
    found = answered(Code((imported("yaml", "pyyaml"),)), package=declared("six", is_partial=True))
    assert names(found) == {"six": "declared", "pyyaml": "imported"}


def test_frameworks_that_nobody_declares() -> None:
    code = Code((imported("torch"), imported("mmcv.runner", "mmcv"), imported("numpy")))
    found = answered(code, package=declared("six"))
    assert names(found) == {"six": "declared", "torch": "platform", "mmcv": "platform"}
    assert names(answered(code)) == {"torch": "imported", "mmcv": "platform", "numpy": "imported"}


def test_a_family_package_under_its_older_name() -> None:
    family = declared("mmcv-full>=1.3.17", file="requirements/mminstall.txt")
    family.requirements = [replace(one, origin="platform", role="project") for one in family.requirements]
    bounds = {"mmcv": [Requirement("mmcv", ">=1.3.17,<=1.6.0", findings=(Finding("mmdet/__init__.py", 19),))]}
    code = Code((imported("mmcv"),), says=Declared(bounds=bounds))
    found = answered(code, package=declared("six"), family=family)
    assert names(found) == {"mmcv-full>=1.3.17,<=1.6.0": "platform", "six": "declared"}
    assert [str(one) for one in found.requirements[0].findings] == [
        "requirements/mminstall.txt:1",
        "mmdet/__init__.py:19",
    ]
    assert found.questions == ()


def test_mmcv_before_2_is_mmcv_full() -> None:
    bounds = {"mmcv": [Requirement("mmcv", ">=1.3.17,<=1.6.0", findings=(Finding("mmdet/__init__.py", 19),))]}
    found = answered(Code((imported("mmcv"),), says=Declared(bounds=bounds)), package=declared("six"))
    assert names(found) == {"six": "declared", "mmcv-full>=1.3.17,<=1.6.0": "platform"}


def test_one_module_of_several_distributions() -> None:
    found = answered(Code((imported("cv2", "opencv-python"),)), package=declared("opencv-python-headless"))
    assert names(found) == {"opencv-python-headless": "declared"}
    assert found.requirements[0].imports
    assert found.others == ()


def test_what_is_told() -> None:
    told = declared("timm==0.4.12", "black", "git+https://example.org/a/detectron2.git", file="README.md")
    code = Code((imported("timm"), imported("numpy")))
    # where nothing is declared it is proposed, and imports besides
    found = answered(code, told=told)
    assert names(found) == {
        "timm==0.4.12": "readme",
        "black": "readme",
        "detectron2 @ git+https://example.org/a/detectron2.git": "readme",
        "numpy": "imported",
    }
    # where something is declared it is a question at most
    found = answered(code, told=told, package=declared("six"))
    assert names(found) == {"six": "declared"}
    assert [str(one) for one in found.questions] == [
        "README.md:1: `timm==0.4.12` is told to a person and imported (x.py:7), but not declared: is it needed?"
    ]
    assert others(found)["black"] == "told to a person, but not declared"
    # of what can be installed itself, it needs a second witness
    found = answered(replace(code, is_package=True), told=told)
    assert names(found) == {"timm==0.4.12": "readme", "numpy": "imported"}


def test_a_framework_that_is_told() -> None:
    told = declared("torch==1.10.0", file="README.md")
    found = answered(Code((imported("torch"),)), told=told, package=declared("six"))
    assert names(found) == {"six": "declared", "torch==1.10.0": "platform"}
    assert found.torch is not None
    assert found.torch.specifier == "==1.10.0"


def test_unknown_imports_are_questions() -> None:
    code = Code(
        (imported("tinycudann", "", hint="pip install git+..."), imported("zzz", ""), imported("aaa", "", needed=False))
    )
    found = answered(code, package=declared("six"))
    assert names(found) == {"six": "declared"}
    assert [str(one) for one in found.questions] == [
        "x.py:7: `import tinycudann`: pip install git+...",
        "x.py:7: `import zzz`: no package is known for certain to hold it",
    ]


def test_declared_twice() -> None:
    found = answered(
        package=declared("numpy>=1.17", "numpy[extra]<2", "six; python_version < '3.8'", "six; sys_platform == 'win32'")
    )
    assert list(names(found)) == ["numpy[extra]>=1.17,<2", 'six; python_version < "3.8"']
    assert others(found) == {'six; sys_platform == "win32"': "not for Linux"}


def test_what_excludes_itself_is_shown_with_both_places() -> None:
    found = answered(package=declared("numpy>=2.0", "six", "numpy<1.5", "torch>=2.0", "torch<1.5"))
    assert list(names(found)) == ["numpy>=2.0", "six", "torch>=2.0"]
    assert [one.what for one in found.problems] == [
        "`numpy>=2.0` (requirements.txt:1) and `numpy<1.5` (requirements.txt:3) exclude each other",
        "`torch>=2.0` (requirements.txt:4) and `torch<1.5` (requirements.txt:5) exclude each other",
    ]
    assert found.torch is not None
    assert found.torch.specifier == ">=2.0"


def test_secrets_are_not_shown() -> None:
    leak = Other("pip install https://user:pw@h/x.whl", "see --token abc", ())
    found = answered(told=declared(others=[leak]))
    assert others(found) == {"pip install https://***@h/x.whl": "see --token ***"}


def test_constraints() -> None:
    limits = {"numpy": [Requirement("numpy", "<2", findings=(Finding("c.txt", 1, "numpy<2"),))]}
    unused = {"scipy": [Requirement("scipy", "<2", findings=(Finding("c.txt", 2, "scipy<2"),))]}
    found = answered(package=declared("numpy>=1.17", bounds={**limits, **unused}))
    assert list(names(found)) == ["numpy>=1.17,<2"]
    assert [str(one) for one in found.questions] == [
        "c.txt:2: `scipy<2` constrains a package that is not named itself; it is left out"
    ]


def test_the_versions_of_python_torch_and_cuda() -> None:
    wish = Bound(">=3.6,<3.10", (Finding("setup.py", 5),), firm=False)
    package = declared("torch>=1.7", python=[Bound(">=3.7", (Finding("setup.py", 9),)), wish])
    told = declared(cuda=[Bound("==11.3.*", (Finding("README.md", 1),), firm=False)])
    found = answered(package=package, told=told)
    assert found.python == Bound(">=3.7,<3.10", (Finding("setup.py", 9), Finding("setup.py", 5)))
    assert found.torch == Bound(">=1.7", (Finding("requirements.txt", 1, "torch>=1.7"),))
    assert found.cuda is not None
    assert not found.cuda.firm
    assert [one.specifier for one in found.bounds["python"]] == [">=3.7", ">=3.6,<3.10"]


def test_contradictions_are_problems() -> None:
    package = declared("torch<1.9")
    says = Declared(torch=[Bound(">=1.10", (Finding("x.py", 2),))])
    found = answered(Code(says=says), package=package)
    assert [one.code for one in found.problems] == ["contradiction"]
    assert "torch <1.9 (requirements.txt:1) and for torch >=1.10 (x.py:2)" in found.problems[0].what


def test_nothing_is_said_twice() -> None:
    other = Other("x", "y", (Finding("a", 1),))
    found = answered(Code(says=Declared(others=[other])), package=declared(others=[other]))
    assert found.others == (other,)


def test_a_torch_for_each_python_binds_nobody() -> None:
    found = answered(
        package=declared(
            "torch==1.9.0; sys_platform == 'win32'",
            "torch==1.10.0; python_version < '3.8'",
            "torch==2.0.1; python_version >= '3.8'",
        )
    )
    assert [(one.specifier, one.firm) for one in found.bounds["torch"]] == [("==1.10.0", False), ("==2.0.1", False)]
    found = answered(package=declared("torch==1.9.0; sys_platform == 'win32'", "torch==2.0.1; sys_platform == 'linux'"))
    assert [(one.specifier, one.firm) for one in found.bounds["torch"]] == [("==2.0.1", True)]


def test_one_package_again_and_again() -> None:
    """What is put together is bounded, and what is left out is said."""
    every = declared(*(f"six>={number}; platform_version != '{number}'" for number in range(500)), "yacs")
    every.add("yacs>=0", Finding("requirements.txt", 9))
    every.bounds["yacs"] = [
        Requirement("yacs", f"!={number}", findings=(Finding("c.txt", 1),)) for number in range(900)
    ]
    found = answered(package=every)
    assert len([one for one in found.requirements if one.name == "six"]) == MOST_MARKERS
    yacs = next(one for one in found.requirements if one.name == "yacs")
    assert (yacs.specifier.count(","), len(yacs.findings)) == (MOST_BOUNDS - 1, MOST_BOUNDS)
    assert [one.what for one in found.questions if "yacs" in one.what] == [
        "`yacs` is constrained more often than is read: the first 100 count"
    ]
