#!/usr/bin/env python3
"""Puts the example's configuration into a workspace, with a ``_base_`` line that fits what the workspace has of
mmdetection: a checkout keeps its configurations in ``configs``, an sdist in ``mmdet/.mim/configs``.

    python prepare.py WORKSPACE [--small]

``--small``: for a machine without a GPU and a handful of pictures, under the same name. Needs nothing but Python.
"""

import argparse
import os
import sys

NAME = "faster_rcnn/faster_rcnn_r50_fpn_1x_coco.py"
CHECKOUT = "mmdetection/configs/"
LAYOUTS = (CHECKOUT, "mmdetection/mmdet/.mim/configs/")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workspace")
    parser.add_argument("--small", action="store_true")
    options = parser.parse_args()
    found = [layout for layout in LAYOUTS if os.path.isfile(os.path.join(options.workspace, layout, NAME))]
    if not found:
        sys.exit(
            f"error: {options.workspace} holds no mmdetection 2.x\n  fix: kobako add mmdet==2.24.1 --name mmdetection"
        )
    here = os.path.dirname(os.path.abspath(__file__))
    source = os.path.join(here, "configs/faster_rcnn", "small.py" if options.small else os.path.basename(NAME))
    target = os.path.join(options.workspace, "configs/mmdetection/example", NAME)
    with open(source, encoding="utf-8") as file:
        text = file.read().replace(CHECKOUT, found[0])
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with open(target, "w", encoding="utf-8") as file:
        file.write(text)
    print(target)


if __name__ == "__main__":
    main()
