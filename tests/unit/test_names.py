"""The names of services and what may be a name."""

from __future__ import annotations

import pytest

from kobako.errors import UsageError
from kobako.model.names import checked_name, service_name


@pytest.mark.parametrize(
    ("name", "service"),
    [
        ("PaddleDetection", "paddle_detection"),
        ("YOLOX", "yolox"),
        ("CBNetV2", "cbnet_v2"),
        ("DAB-DETR", "dab_detr"),
        ("mmdetection", "mmdetection"),
        ("Swin-Transformer", "swin_transformer"),
        ("yolov5", "yolov5"),
        ("a.b", "a_b"),
        ("x2Y", "x2_y"),
    ],
)
def test_service_names(name: str, service: str) -> None:
    assert service_name(name) == service


@pytest.mark.parametrize(
    ("name", "fix"),
    [
        ("my repo", "choose another one: --name my-repo"),
        ("a;rm -rf", "choose another one: --name a-rm-rf"),
        ("$(id)", "choose another one: --name id"),
        ("..", "choose another one with --name"),
        ("機械学習", "choose another one with --name"),
        ("data", "choose another one: --name data-repository"),
        (".hidden", "choose another one: --name hidden"),
        ("a\n", "choose another one: --name a"),
    ],
)
def test_names_that_are_refused(name: str, fix: str) -> None:
    with pytest.raises(UsageError) as caught:
        checked_name(name)
    assert (caught.value.code, caught.value.fix) == ("bad-name", fix)
