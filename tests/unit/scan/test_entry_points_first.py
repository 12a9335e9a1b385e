"""Which script comes first where several look like one that trains."""

from __future__ import annotations

from pathlib import Path

import pytest

from unit.scan.test_entry_points import GUARD, LOOP, PARSER, SCRIPT, found

INDEX = f"{PARSER}    train_index(x)\ndef train_index(x):\n    return build(x)\n{GUARD}"
HANDS_OVER = (
    "import argparse\nfrom rec.quick import run\nif __name__ == '__main__':\n    run(argparse.ArgumentParser())\n"
)
QUICK = "def run(args):\n    return run_it(args)\ndef run_it(args):\n    trainer.fit(args)\n"
BY_SUBMIT = SCRIPT.replace("main()", "main(  )")


@pytest.mark.parametrize(
    ("files", "order"),
    [
        pytest.param(
            {"scripts/train_index.py": INDEX, "main.py": SCRIPT},
            ["main.py", "scripts/train_index.py"],
            id="a function of its own that is only named for training",
        ),
        pytest.param(
            {"run_rec.py": HANDS_OVER, "rec/quick/__init__.py": "from rec.quick.quick import run\n", "rec/quick/quick.py": QUICK, "README.md": "`python run_rec.py`\n"},
            ["run_rec.py"],
            id="a function that hands over to another one",
        ),
        pytest.param(
            {"examples/a/main.py": SCRIPT, "examples/a/train_test.py": "from absl.testing import absltest\n" + SCRIPT},
            ["examples/a/main.py"],
            id="a test of train",
        ),
        pytest.param(
            {"jax/train.py": f"def main():\n{LOOP}", "jax/main.py": SCRIPT, "README.md": "see `python -m jax.train`\n    python -m jax.main --workdir=/tmp\n"},
            ["jax/main.py", "jax/train.py"],
            id="a module in which nothing runs",
        ),
        pytest.param(
            {"b_main.py": SCRIPT, "main_a.py": SCRIPT, "USE.md": "python main_a.py --eval --resume x.pth\npython b_main.py\n"},
            ["b_main.py", "main_a.py"],
            id="a command that evaluates, and a chapter at the top",
        ),
        pytest.param(
            {"main_a.py": SCRIPT, "main_b.py": BY_SUBMIT, "CHANGELOG.md": "python main_b.py\n", "CLAUDE.md": "python main_b.py\n"},
            ["main_a.py", "main_b.py"],
            id="what is no chapter",
        ),
    ],
)  # fmt: skip
def test_which_comes_first(files: dict[str, str], order: list[str], tmp_path: Path) -> None:
    assert [one.file for one in found(tmp_path, files)] == order
