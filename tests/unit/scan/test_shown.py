"""A scan as a person reads it."""

from __future__ import annotations

from kobako.model.finding import Finding
from kobako.model.requirement import Argument, Bound, EntryPoint, Other, Question, Requirement, Scan, SystemPackage
from kobako.scan import shown


def at(line: int, file: str = "README.md") -> tuple[Finding, ...]:
    return (Finding(file, line),)


PYTHON = (
    Bound(">=3.8", at(26, "pyproject.toml")),
    Bound(">=3.8", at(4), firm=False),
    Bound("==3.9.*", at(7), firm=False),
    Bound("==3.7.*", at(8), firm=False),
)
SCAN = Scan(
    requirements=(
        Requirement("torch", ">=1.8", findings=at(3, "requirements.txt")),
        Requirement("mmcv", origin="platform", findings=at(1, "tools/train.py")),
    ),
    python=Bound(">=3.8,==3.9.*", at(26, "pyproject.toml")),
    bounds={"python": PYTHON},
    system=(
        SystemPackage("ffmpeg", "Dockerfile installs it"),
        SystemPackage("libgl1", "Dockerfile installs it"),
    ),
    entry_points=(
        EntryPoint("train.py", "parses arguments (argparse)", (Argument(("--lr",)), Argument(("-b", "--batch")))),
        EntryPoint("main.py", "has a main guard; README.md:9 starts it; is long"),
        EntryPoint("other.py", "has a main guard"),
    ),
    others=(
        Other("extra dev: pytest, ruff", "for those who ask for the extra", at(5, "setup.py")),
        Other("extra docs: sphinx", "for those who ask for the extra", at(6, "setup.py")),
        Other("requirements.txt", "a file that is named; it speaks for itself", at(2)),
        Other("torch==1.3", "torch>=1.8 is told elsewhere, and is taken", at(8)),
        Other("apex", "told to a person, but not declared", at(12)),
    ),
    questions=(Question("is it needed?", Finding("README.md", 3)),),
)


def test_the_whole() -> None:
    assert shown.lines(SCAN) == [
        "Python  >=3.8    (pyproject.toml:26)",
        "        ==3.9.*  (README.md:7)  tested or told",
        "declared:",
        "  torch>=1.8  (requirements.txt:3)",
        "what the code is made for:",
        "  mmcv        (tools/train.py:1)",
        "Debian packages:",
        "  ffmpeg, libgl1: Dockerfile installs it",
        "how it is trained:",
        "  train.py: parses arguments (argparse)  [--lr --batch]",
        "  or main.py: README.md:9 starts it",
        "  or other.py",
        "seen and not proposed:",
        "  for those who ask for the extra: extra dev (setup.py:5), extra docs",
        "      (setup.py:6)",
        "  apex (README.md:12): told to a person, but not declared",
        "  and 2 that need no decision (-v shows them)",
        "questions:",
        "  README.md:3: is it needed?",
    ]


def test_all_of_it() -> None:
    told = shown.lines(SCAN, verbose=True)
    assert "  main.py: has a main guard; README.md:9 starts it; is long" in told
    assert "  torch==1.3 (README.md:8): torch>=1.8 is told elsewhere, and is taken" in told
    assert any("extra dev: pytest, ruff" in line for line in told)
    assert not any("-v" in line for line in told)


def test_many_things() -> None:
    names = [f"package{number}" for number in range(40)]
    others = tuple(Other(name, "imported, but not declared", at(1, f"{name}.py")) for name in names)
    questions = tuple(Question(name) for name in names)
    told = shown.lines(Scan(others=others, questions=questions))
    assert told[:2] == ["no requirements were found", "how it is trained: no script that trains was found"]
    assert max(map(len, told)) <= shown.WIDTH
    assert "and 28 more" in " ".join(told)
    assert told[-1] == "  ... and 29 more (-v shows them)"
    assert len(told) < 30
    reasons = tuple(Other(name, f"because of {name}", ()) for name in names)
    assert "  ... and 28 more reasons (-v shows them)" in shown.lines(Scan(others=reasons))
