#!/usr/bin/env python3
# /// script
# requires-python = ">=3.10"
# dependencies = ["numpy", "pillow", "scikit-learn"]
# ///
"""A small data set in COCO's format, of real pictures: crops of scikit-learn's two photographs, with its scanned
digits and drawn shapes in them. The annotation files name COCO's own 80 classes, so that a configuration written for
COCO reads them as it stands.

    python make_data.py data/coco [--train=24] [--val=8] [--seed=0]

needs numpy, pillow and scikit-learn (``uv run make_data.py ...`` brings them). The same seed gives the same files.
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageDraw
from sklearn.datasets import load_digits, load_sample_images

_NAMES = (
    "person,bicycle,car,motorcycle,airplane,bus,train,truck,boat,traffic light,fire hydrant,,"
    "stop sign,parking meter,bench,bird,cat,dog,horse,sheep,cow,elephant,bear,zebra,giraffe,,"
    "backpack,umbrella,,,handbag,tie,suitcase,frisbee,skis,snowboard,sports ball,kite,"
    "baseball bat,baseball glove,skateboard,surfboard,tennis racket,bottle,,wine glass,cup,fork,"
    "knife,spoon,bowl,banana,apple,sandwich,orange,broccoli,carrot,hot dog,pizza,donut,cake,"
    "chair,couch,potted plant,bed,,dining table,,,toilet,,tv,laptop,mouse,remote,keyboard,"
    "cell phone,microwave,oven,toaster,sink,refrigerator,,book,clock,vase,scissors,teddy bear,"
    "hair drier,toothbrush"
)
NAMES = _NAMES.split(",")
"""COCO's categories by their numbers, which start at 1 and have gaps."""

SIZE = (320, 240)
SHAPES = {"sports ball": 24, "kite": 3, "tv": 4, "stop sign": 8}
"""Drawn as regular polygons with so many corners. A digit is a "clock": the nearest that COCO has."""

COLOURS = {"sports ball": (235, 120, 30), "kite": (200, 30, 160), "tv": (40, 60, 70), "stop sign": (190, 20, 30)}


class Sources(NamedTuple):
    """What pictures are made of: two photographs, and scanned digits of 8 by 8 values up to 16."""

    photographs: list[Any]
    digits: Any


class Thing(NamedTuple):
    """An object in a picture: its class and its outline."""

    name: str
    outline: list[tuple[float, float]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--train", type=int, default=24, help="pictures to train with")
    parser.add_argument("--val", type=int, default=8, help="pictures to evaluate with")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    sources = Sources([Image.fromarray(one) for one in load_sample_images().images], load_digits().images)
    for number, (name, count) in enumerate((("train2017", options.train), ("val2017", options.val))):
        chance = np.random.default_rng([options.seed, number])
        written = write_set(options.folder / name, count, chance, sources)
        print(f"{options.folder / name}: {count} pictures, {written} objects")


def write_set(folder: Path, count: int, chance: Any, sources: Sources) -> int:
    """One part of the data set: its pictures, and its annotation file."""
    path = folder.parent / "annotations" / f"instances_{folder.name}.json"
    for made in (folder, path.parent):
        made.mkdir(parents=True, exist_ok=True)
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number in range(1, count + 1):
        picture = cropped(sources.photographs[number % len(sources.photographs)], chance)
        things = [placed(picture, place, chance, sources.digits) for place in places(chance)]
        file = f"{number:012d}.jpg"
        picture.save(folder / file, quality=90)
        images.append({"id": number, "file_name": file, "width": SIZE[0], "height": SIZE[1]})
        for thing in things:
            annotations.append(annotation(len(annotations) + 1, number, thing))
    categories = [{"id": number, "name": name, "supercategory": "thing"} for number, name in numbered()]
    told = {"images": images, "annotations": annotations, "categories": categories}
    path.write_text(json.dumps(told) + "\n", encoding="utf-8")
    return len(annotations)


def numbered() -> list[tuple[int, str]]:
    return [(number, name) for number, name in enumerate(NAMES, start=1) if name]


def cropped(photograph: Any, chance: Any) -> Any:
    """A part of a photograph, sometimes mirrored."""
    scale = chance.uniform(0.55, 0.98)
    width, height = round(photograph.width * scale), round(photograph.width * scale * SIZE[1] / SIZE[0])
    height = min(height, photograph.height)
    left = int(chance.integers(0, photograph.width - width + 1))
    top = int(chance.integers(0, photograph.height - height + 1))
    part = photograph.crop((left, top, left + width, top + height)).resize(SIZE, Image.Resampling.BILINEAR)
    return part.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if chance.random() < 0.5 else part


def places(chance: Any) -> list[tuple[float, float, float]]:
    """Two to four middles and radii, apart from each other."""
    found: list[tuple[float, float, float]] = []
    wanted = int(chance.integers(2, 5))
    for _ in range(200):
        radius = float(chance.uniform(18, 42))
        x = float(chance.uniform(radius + 2, SIZE[0] - radius - 2))
        y = float(chance.uniform(radius + 2, SIZE[1] - radius - 2))
        if all(math.hypot(x - a, y - b) > radius + r for a, b, r in found):
            found.append((x, y, radius))
        if len(found) == wanted:
            break
    return found


def placed(picture: Any, place: tuple[float, float, float], chance: Any, digits: Any) -> Thing:
    """Put an object into the picture."""
    x, y, radius = place
    names = [*SHAPES, "clock"]
    name = names[int(chance.integers(len(names)))]
    if name == "clock":
        return digit(picture, place, digits[int(chance.integers(len(digits)))])
    turn = float(chance.uniform(0, 2 * math.pi))
    angles = [turn + 2 * math.pi * corner / SHAPES[name] for corner in range(SHAPES[name])]
    outline = [(x + radius * math.cos(angle), y + radius * math.sin(angle)) for angle in angles]
    ImageDraw.Draw(picture).polygon(outline, fill=COLOURS[name], outline=(255, 255, 255))
    return Thing(name, outline)


def digit(picture: Any, place: tuple[float, float, float], values: Any) -> Thing:
    """A scanned digit, dark on light."""
    x, y, radius = place
    half = round(radius * 0.7)
    scanned = Image.fromarray((255 - values * 15).astype("uint8")).resize(
        (2 * half, 2 * half), Image.Resampling.BILINEAR
    )
    left, top = round(x) - half, round(y) - half
    picture.paste(scanned.convert("RGB"), (left, top))
    right, bottom = left + 2 * half, top + 2 * half
    return Thing("clock", [(left, top), (right, top), (right, bottom), (left, bottom)])


def annotation(identity: int, image: int, thing: Thing) -> dict[str, Any]:
    across, down = zip(*thing.outline, strict=True)
    box = [min(across), min(down), max(across) - min(across), max(down) - min(down)]
    pairs = list(zip(thing.outline, [*thing.outline[1:], thing.outline[0]], strict=True))
    area = abs(sum(a * d - b * c for (a, b), (c, d) in pairs)) / 2
    return {
        "id": identity,
        "image_id": image,
        "category_id": NAMES.index(thing.name) + 1,
        "bbox": [round(float(value), 2) for value in box],
        "area": round(float(area), 2),
        "segmentation": [[round(float(value), 2) for corner in thing.outline for value in corner]],
        "iscrowd": 0,
    }


if __name__ == "__main__":
    main()
