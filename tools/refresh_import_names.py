"""Writes src/kobako/data/import_names.csv: which distribution an import name belongs to.

    python tools/refresh_import_names.py --conda F --upm F --pants F --downloads F

It asks no index. The files are copies of public ones, fetched by hand:

- conda: ``grayskull_pypi_mapping.json`` (regro/cf-graph-countyfair, also in conda-incubator/conda-pypi), what the
  recipes of conda-forge import to test a package;
- upm: ``module_to_pypi.legacy.json`` (replit/upm), what installing each package added to an environment;
- pants: ``default_module_mapping.py`` (pantsbuild/pants), written by hand there;
- downloads: ``top-pypi-packages.min.json`` (hugovk/top-pypi-packages), the most downloaded distributions.

What a person has looked at stands in import_names_reviewed.csv beside this script and wins. All else must be claimed by
one well-known distribution alone; where several claim a name, the row says so and is never installed from.
"""

from __future__ import annotations

import argparse
import ast
import csv
import io
import json
import keyword
import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import NamedTuple

from kobako.scan.code.names import is_standard, own_name

HERE = Path(__file__).resolve().parent
TARGET = HERE.parent / "src" / "kobako" / "data" / "import_names.csv"
ELSEWHERE = TARGET.with_name("import_elsewhere.csv")
REVIEWED = HERE / "import_names_reviewed.csv"
LARGEST = 400_000
"""Bytes. The table is read whenever something is scanned."""

WELL_KNOWN = 15_000
"""As many as the list of downloads has."""
FAR_AHEAD = 4
"""A distribution of another name whose rank is better by this factor makes a name ambiguous."""

_NOBODYS = """
_version action actions adapter agent agents algorithm algorithms algos analysis api app apps arch archs args assets
attention augmentation augmentations backbone backbones base batch benchmark benchmarks bin build builder callback
callbacks camera checkpoint checkpoints classification classifier cli client cmd collate command common compose conf
config configs constants context contrib controller core criterion custom daemon dashboard data dataloader dataloaders
datamodules dataset db debug decoder decoders demo demos deploy detection detector device dialog discriminator dist
distributed doc docs download edit embedding embeddings encoder encoders engine enterprise env environment envs error
errors etc eval evaluation evaluator event events example examples experiment experiments exporter ext extensions
external externals extract factory feature features fields first flags flow functions fusion gan gans general generate
generator geometry global graph graphics graphs head heads helper helpers home hybrid image images include index infer
inference init input inputs insights interface io job jobs kernel kernels label labels layer layers learner learning
lib library libs line link loader local log logger logging_utils loops loss losses main manager map mask matching
material math_utils memory message messages method methods metric metrics misc mlp mode model modeling models modes
module modules moment money motion mouse names net nets network networks nms nn_utils node nodes noise null object
objects operations operators ops optim optimization optimizer optimizers options output outputs package packages
params patch path pipeline pipelines playbooks player plot plots plotting plugin plugins policies policy pose post
predict preprocess preprocessing process processing processor processors project projects prompts protocol proxy
public quantization reader readers recognition records registration registry render renderer rendering replay report
resnet resolver resources reward run runner sample sampler samplers samples scene scheduler schedulers schema scripts
search seg segment segmentation server service services session settings setup shared shell sim simulation simulator
skeleton sockets solver source sources src state states static status storage store strategy structures style styles
support system table target targets task tasks temp template templates tensor test test_utils testing tests text
third_party time_utils timer tool tools train trainer trainers training trajectory transform transformer transforms
types typings unet unify unit unit_tests update user users util utilities utils utils_ vae validate validation values
vendor version video videos view views vis vision visualization vit vocab voxel web work wrapper wrappers writer
"""
NOBODYS = frozenset(_NOBODYS.split())
"""Names that repositories give their own folders, and that packages install by mistake: they belong to nobody."""

_MODULE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*")

Claims = dict[str, dict[str, set[str]]]
"""By module and distribution: who says so."""


class Row(NamedTuple):
    """In the file the distribution of a "named" row is left out, to keep it small: it is the module's own name."""

    module: str
    distribution: str
    confidence: str
    source: str


def normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def conda_forge(text: str) -> Iterator[tuple[str, str]]:
    for entry in json.loads(text).values():
        yield entry["import_name"], entry["pypi_name"]


def upm(text: str) -> Iterator[tuple[str, str]]:
    yield from json.loads(text).items()


def pants(text: str) -> Iterator[tuple[str, str]]:
    """The table is a literal in a module of theirs, which is read and not run."""
    for node in ast.parse(text).body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            if node.target.id != "DEFAULT_MODULE_MAPPING":
                continue
            for distribution, modules in ast.literal_eval(node.value).items():
                yield from ((module, distribution) for module in modules)


READERS = {"conda": conda_forge, "upm": upm, "pants": pants}


def ranks(text: str) -> dict[str, int]:
    """By normalised name: 1 is the most downloaded."""
    return {normalised(row["project"]): number for number, row in enumerate(json.loads(text)["rows"], 1)}


def gathered(texts: dict[str, str]) -> Claims:
    """All claims. That a distribution is much downloaded is none: nobody looked what it holds."""
    claims: Claims = {}
    for source, text in texts.items():
        for module, distribution in READERS[source](text):
            if _MODULE.fullmatch(module) and not keyword.iskeyword(module):
                claims.setdefault(module, {}).setdefault(normalised(distribution), set()).add(source)
    return claims


def judged(module: str, claims: dict[str, set[str]], rank: dict[str, int]) -> Row | None:
    """The row of one name, or None where it is better to know nothing."""
    if module in NOBODYS or is_standard(module):
        return None
    known = sorted((name for name in claims if _is_known(name, claims, rank)), key=lambda name: rank.get(name, 10**6))
    own = own_name(module)
    if not known:
        return None
    if own in claims and own in known:
        rivals = [name for name in known if rank.get(name, 10**6) * FAR_AHEAD < rank.get(own, 10**6)]
        return _ambiguous(module, [own, *rivals]) if rivals else _certain(module, own, claims[own])
    if len(known) > 1 or own in rank:  # a famous distribution of that name holds something else, or is not known to
        return _ambiguous(module, known)
    sources = claims[known[0]]
    if len(sources) == 1 and not _is_alike(module, known[0]):
        return None
    return Row(module, known[0], "only", "+".join(sorted(sources)))


def _is_alike(module: str, distribution: str) -> bool:
    """Whether one name is a part of the other: one source alone is believed no more than that."""
    one, other = (re.sub(r"[-_.]", "", name.lower()) for name in (module, distribution))
    return one in other or other in one


def _is_known(name: str, claims: dict[str, set[str]], rank: dict[str, int]) -> bool:
    return name in rank or len(claims[name]) > 1 or "conda" in claims[name]


def _certain(module: str, own: str, sources: set[str]) -> Row:
    return Row(module, own, "named", "+".join(sorted(sources)))


def _ambiguous(module: str, names: list[str]) -> Row:
    return Row(module, " ".join(names[:4]), "ambiguous", "")


def reviewed(text: str) -> Iterator[Row]:
    """Rows that a person wrote. Without a distribution nothing is ever installed for that name; the source says why."""
    for row in csv.DictReader(text.splitlines()):
        if row["distribution"]:
            yield Row(row["module"], row["distribution"], "reviewed", "reviewed")
        else:
            yield Row(row["module"], "", "never", row["reason"])


def table(claims: Claims, rank: dict[str, int], by_hand: list[Row], elsewhere: AbstractSet[str]) -> list[Row]:
    """``elsewhere`` are names that have a row in the table of what no index has."""
    rows = {row.module: row for module in claims if (row := judged(module, claims[module], rank)) is not None}
    hand = {row.module: row for row in by_hand}
    namespaces = _namespaces({**rows, **hand})
    kept = {name: row for name, row in rows.items() if name not in namespaces and _earns_its_place(row, rank)}
    kept.update(hand)
    return [kept[name] for name in sorted(kept.keys() - elsewhere)]


def _namespaces(rows: dict[str, Row]) -> set[str]:
    """Top-level names below which several distributions live: alone they tell nothing."""
    below: dict[str, set[str]] = {}
    for name, row in rows.items():
        while "." in name:
            name = name.rpartition(".")[0]  # noqa: PLW2901 - its parents, one after the other
            below.setdefault(name, set()).add(row.distribution)
    return {name for name, distributions in below.items() if len(distributions) > 1}


def _earns_its_place(row: Row, rank: dict[str, int]) -> bool:
    """Whether people import it often enough, as the downloads or two sources say: the table has a limit."""
    return "+" in row.source or any(name in rank for name in row.distribution.split())


def written(rows: list[Row]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(Row._fields)
    writer.writerows(row._replace(distribution="") if row.confidence == "named" else row for row in rows)
    return out.getvalue()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    for source in (*READERS, "downloads"):
        parser.add_argument(f"--{source}", type=Path, required=True, metavar="FILE")
    given = vars(parser.parse_args())
    texts = {source: given[source.replace("-", "_")].read_text(encoding="utf-8") for source in READERS}
    rank = ranks(given["downloads"].read_text(encoding="utf-8"))
    elsewhere = {row["module"] for row in csv.DictReader(ELSEWHERE.read_text(encoding="utf-8").splitlines())}
    by_hand = list(reviewed(REVIEWED.read_text(encoding="utf-8")))
    rows = table(gathered(texts), rank, by_hand, elsewhere)
    text = written(rows)
    if len(text) > LARGEST:
        parser.error(f"the table would have {len(text)} bytes, more than {LARGEST}: keep fewer rows")
    TARGET.write_text(text, encoding="utf-8")
    print(f"{len(rows)} names, {len({row.distribution for row in rows})} distributions, {len(text)} bytes")


if __name__ == "__main__":
    main()
