"""The map of import names is whole, and the rules that make it let no squatter in."""

from __future__ import annotations

import csv
import json
import runpy
from pathlib import Path
from typing import Any

import pytest

from kobako.scan.code.names import STANDARD, distribution_of, own_name

ROOT = Path(__file__).parents[3]
DATA = ROOT / "src" / "kobako" / "data"
REVIEWED = ROOT / "tools" / "import_names_reviewed.csv"
TOOL = runpy.run_path(str(ROOT / "tools" / "refresh_import_names.py"))


def rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


def test_no_rows_are_lost() -> None:
    found = rows(DATA / "import_names.csv")
    certain = [row for row in found if row["confidence"] in {"named", "only", "reviewed"}]
    assert len(certain) >= 10_000
    assert len({row["distribution"] or own_name(row["module"]) for row in certain}) >= 10_000
    assert len(rows(DATA / "import_elsewhere.csv")) >= 60


def test_it_stays_small() -> None:
    assert (DATA / "import_names.csv").stat().st_size < TOOL["LARGEST"] == 400_000


@pytest.mark.parametrize("table", [DATA / "import_names.csv", DATA / "import_elsewhere.csv", REVIEWED])
def test_rows_are_whole_unique_and_sorted(table: Path) -> None:
    found = rows(table)
    names = [row["module"] for row in found]
    assert names == sorted(set(names))
    for row in found:
        assert None not in row
        assert None not in row.values()
        assert all(part.isidentifier() for part in row["module"].split("."))


def test_what_each_confidence_promises() -> None:
    for row in rows(DATA / "import_names.csv"):
        assert row["confidence"] in {"named", "only", "reviewed", "ambiguous", "never"}, row
        assert bool(row["distribution"]) is (row["confidence"] not in {"named", "never"}), row
        assert (" " in row["distribution"]) <= (row["confidence"] == "ambiguous"), row
        assert bool(row["source"]) is (row["confidence"] != "ambiguous"), row


def test_nobodys_names_and_the_standard_library_are_not_in_it() -> None:
    tops = {row["module"] for row in rows(DATA / "import_names.csv")}
    assert not tops & TOOL["NOBODYS"]
    assert not tops & STANDARD


def test_what_a_person_wrote_wins() -> None:
    table = {row["module"]: row for row in rows(DATA / "import_names.csv")}
    elsewhere = {row["module"] for row in rows(DATA / "import_elsewhere.csv")}
    for row in rows(REVIEWED):
        assert row["reason"]
        assert row["module"] not in elsewhere
        assert table[row["module"]]["distribution"] == row["distribution"], row
    assert not elsewhere & table.keys()


RANKS = {"famous": 10, "rival": 20, "known": 3000, "rare": 12_000}


def judged(module: str, **claims: str) -> tuple[str, str] | None:
    """``claims`` are sources by distribution, with blanks between them."""
    found: Any = TOOL["judged"](module, {own_name(name): set(by.split()) for name, by in claims.items()}, RANKS)
    return (found.distribution, found.confidence) if found else None


@pytest.mark.parametrize(
    ("module", "claims", "expected"),
    [
        ("famous", {"famous": "conda"}, ("famous", "named")),
        ("rare", {"rare": "conda"}, ("rare", "named")),
        ("unheard", {"unheard": "upm"}, None),
        ("unheard", {"unheard": "conda upm"}, ("unheard", "named")),
        ("fam", {"famous": "conda"}, ("famous", "only")),
        ("famous_too", {"famous": "conda"}, ("famous", "only")),
        ("other", {"famous": "conda"}, None),
        ("other", {"famous": "conda upm"}, ("famous", "only")),
        ("other", {"famous": "conda upm", "unheard": "upm"}, ("famous", "only")),
        ("other", {"famous": "conda", "rival": "upm"}, ("famous rival", "ambiguous")),
        # a squatter, and a name that belongs to somebody else
        ("rare", {"rare": "upm", "famous": "conda"}, ("rare famous", "ambiguous")),
        ("rival", {"rival": "upm", "famous": "conda"}, ("rival", "named")),
        ("known", {"famous": "conda"}, ("famous", "ambiguous")),
        # nobody's
        ("tests", {"famous": "conda upm"}, None),
        ("utils", {"utils": "conda upm"}, None),
        ("pipeline", {"famous": "conda upm"}, None),
        ("json", {"json": "conda upm"}, None),
    ],
)
def test_the_rules(module: str, claims: dict[str, str], expected: tuple[str, str] | None) -> None:
    assert judged(module, **claims) == expected


def test_from_the_sources_to_the_table() -> None:
    texts = {
        "conda": json.dumps(
            {
                "a": {"import_name": "google.cloud.tool", "pypi_name": "Google_Cloud.Tool"},
                "b": {"import_name": "google", "pypi_name": "google-cloud-tool"},
                "c": {"import_name": "not-a-module", "pypi_name": "famous"},
            }
        ),
        "upm": json.dumps({"google.known": "known", "class": "famous"}),
        "pants": 'X: int = 1\nDEFAULT_MODULE_MAPPING: dict = {"famous": ("fam", "famous_too")}\n',
    }
    claims = TOOL["gathered"](texts)
    by_hand = list(TOOL["reviewed"]("module,distribution,reason\nmine,rare,another name\nnever,,no package\nfar,x,y\n"))
    table = TOOL["table"](claims, RANKS, by_hand, {"far"})
    assert TOOL["written"](table).splitlines() == [
        "module,distribution,confidence,source",
        "fam,famous,only,pants",
        "famous_too,famous,only,pants",
        "google.known,known,only,upm",
        "mine,rare,reviewed,reviewed",
        "never,,never,no package",
    ]


def test_ranks_start_with_the_most_downloaded() -> None:
    text = json.dumps({"rows": [{"project": "Boto3", "download_count": 9}, {"project": "a_b.c", "download_count": 8}]})
    assert TOOL["ranks"](text) == {"boto3": 1, "a-b-c": 2}


@pytest.mark.parametrize(
    "module", ["Registry", "crf", "regress", "megatron", "esm", "cupy", "opencc", "retinaface", "aqt", "molecule", "S3"]
)
def test_what_is_not_certain_is_not_installed(module: str) -> None:
    found = distribution_of(module)
    assert (found.distribution, found.certain) == ("", False)
    assert found.hint
