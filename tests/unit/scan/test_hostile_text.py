"""Texts that are made to get out of where they stand: into a Dockerfile, onto a terminal, out of their secrecy."""

from __future__ import annotations

from pathlib import Path

import pytest

from kobako.actions.scan import data
from kobako.model.requirement import Scan
from kobako.plan.text import quoted
from kobako.scan import scan

MARKER = r"platform_release != 'a\nFROM attacker/image\nRUN anything\n#'"
FILES = {
    "requirements.txt": f"six ; {MARKER}\nnumpy\n",
    "setup.cfg": f"[options]\ninstall_requires =\n    six ; {MARKER}\n    numpy\n",
    "pyproject.toml": f'[project]\nname = "x"\ndependencies = ["""six ; {MARKER}""", "numpy"]\n'.replace(
        "\\n", "\\\\n"
    ),
    "Pipfile": f'[packages]\nsix = {{version = "*", markers = """{MARKER}"""}}\nnumpy = "*"\n'.replace("\\n", "\\\\n"),
    "setup.py": f'from setuptools import setup\nsetup(install_requires=[r"""six ; {MARKER}""", "numpy"])\n',
}


def scanned(root: Path, files: dict[str, str]) -> Scan:
    for name, text in files.items():
        (root / name).write_text(text, encoding="utf-8")
    return scan(root)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("end", ["\\n", "\\r", "\\x0b", "\\u2028"])
def test_no_line_ends_in_a_marker(name: str, end: str, tmp_path: Path) -> None:
    found = scanned(tmp_path, {name: FILES[name].replace("\\n", end)})
    assert "numpy" in {one.name for one in found.requirements}
    assert all(str(one).isprintable() for one in found.requirements)


def test_no_line_ends_in_a_dockerfile() -> None:
    assert quoted(["six", "a b"]) == ["six", "'a b'"]
    with pytest.raises(ValueError, match="cannot stand in a Dockerfile"):
        quoted(["six\nRUN anything"])


SECRETS = {
    "requirements.txt": (
        "a @ https://example.org/a.tar.gz?token=SECRET1\nb @ https://user:SECRET2@example.org/b.tar.gz\n"
        "--index-url https://example.org/simple?token=SECRET3\nnumpy\n"
    ),
    "README.md": (
        "# X\n\n## Installation\n\n```bash\npip install https://u:SECRET4@example.org/c.whl\n"
        "git clone https://u:SECRET5@example.org/d/e.git\n```\n\n## For developers\n\n```bash\n"
        "pip install git+https://oauth2:SECRET6@example.org/f/g.git\n```\n"
    ),
    "train.py": (
        "import argparse\nparser = argparse.ArgumentParser()\nparser.add_argument('--hf-token', default='SECRET7')\n"
        "if __name__ == '__main__':\n    parser.parse_args()\n    loss.backward()\n"
    ),
}


def test_no_secret_is_shown(tmp_path: Path) -> None:
    found = scanned(tmp_path, SECRETS)
    assert "SECRET" not in str(data(found))
    assert {"b", "numpy"} <= {one.name for one in found.requirements}
    assert all("SECRET" not in str(one) for one in found.requirements)
    assert "SECRET" not in str(found.problems)
