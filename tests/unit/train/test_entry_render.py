"""The entry script as text: its settings say what they were given, and Python 3.6 can read it."""

from __future__ import annotations

import ast
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kobako.model.entry import MARK, MARKED_WITHIN
from kobako.train.entry import BEGIN, END, render
from kobako.train.entry.settings import Option, Settings

PLAIN = Settings(
    name="mmdetection",
    script="tools/train.py",
    style="argparse",
    options=(
        Option("config", "", "value", required=True, help="train config file path"),
        Option("seed", "--seed", "value", required=False, help="random seed"),
    ),
    complete=True,
    pythonpath=(".",),
    config="config",
    work_dir=("--work-dir", "{}"),
    resume=("--resume-from", "{}"),
    distributed=("--launcher", "pytorch"),
    local_rank="--local_rank",
)

texts = st.text(max_size=30)
words = st.tuples(texts) | st.tuples(texts, texts) | st.just(())
options = st.builds(Option, texts, texts, st.sampled_from(["value", "flag"]), st.booleans(), texts)
settings = st.builds(
    Settings,
    name=texts,
    script=texts,
    style=texts,
    options=st.lists(options, max_size=3).map(tuple),
    complete=st.booleans(),
    pythonpath=words,
    config=texts,
    work_dir=words,
    resume=words,
    resume_auto=words,
    launcher=texts,
    distributed=words,
    devices=words,
    local_rank=texts,
    first=words,
)


def constants(text: str) -> dict[str, Any]:
    """What the block of settings says, as Python reads it."""
    lines = text.split("\n")
    begin = next(number for number, line in enumerate(lines) if line.startswith(BEGIN))
    tree = ast.parse("\n".join(lines[begin : lines.index(END)]), feature_version=(3, 6))
    assert all(isinstance(node, ast.Assign) for node in tree.body)
    return {node.targets[0].id: ast.literal_eval(node.value) for node in tree.body}  # type: ignore[attr-defined]


@given(settings)
def test_settings_of_any_content_come_back(wanted: Settings) -> None:
    found = constants(render(wanted))
    assert list(found) == [field.upper() for field in Settings._fields]
    for field, value in wanted._asdict().items():
        if field != "options":
            assert found[field.upper()] == value
    assert [option[:4] for option in found["OPTIONS"]] == [option[:4] for option in wanted.options]


def test_the_same_settings_give_the_same_bytes() -> None:
    assert render(PLAIN) == render(PLAIN)
    assert render(PLAIN) != render(PLAIN._replace(style="click"))


def test_it_is_known_as_ours() -> None:
    assert MARK in render(PLAIN)[:MARKED_WITHIN]


def test_it_is_python_3_6() -> None:
    ast.parse(render(PLAIN), feature_version=(3, 6))


def test_every_setting_is_explained_and_every_line_fits() -> None:
    text = render(PLAIN)
    assert [line for line in text.split("\n") if len(line) > 120] == []
    block = text[text.index(BEGIN) : text.index(END)]
    for field in Settings._fields[1:]:
        line = next(line for line in block.split("\n") if line.startswith(field.upper() + " = "))
        assert "  # " in line


@pytest.mark.parametrize("help_", ["two\nlines  and\tmore", "x" * 500])
def test_a_help_text_takes_one_line(help_: str) -> None:
    option = Option("a", "--a", "value", required=False, help=help_)
    line = next(line for line in render(PLAIN._replace(options=(option,))).split("\n") if '"--a"' in line)
    assert len(line) < 160
    assert constants(render(PLAIN._replace(options=(option,))))["OPTIONS"][0][4].startswith(
        help_.split(maxsplit=1)[0][:90]
    )


def test_nothing_but_the_standard_library_is_imported_at_the_top() -> None:
    tree = ast.parse(render(PLAIN))
    modules = {one.name for node in tree.body if isinstance(node, ast.Import) for one in node.names}
    assert not [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    known = (
        "builtins collections difflib glob hashlib importlib io json os re select shlex shutil signal subprocess sys"
    )
    assert modules <= {*known.split(), *["threading", "time", "traceback", "types", "warnings"]}
