"""All that is told, together: one entry per package, the first teller's."""

from __future__ import annotations

import json

from kobako.scan import told
from unit.scan.told.conftest import Plant


def test_one_entry_per_package_with_all_its_places(plant: Plant) -> None:
    tree = plant(
        {
            "README.md": """\
                # Spam
                ## Installation
                ```
                pip install timm yacs==0.1.8 "bacon[a]"
                pip install git+https://example.org/x/ham.git
                ```
                ## Evaluation
                ```
                pip install lvis
                ```
                """,
            "Dockerfile": 'FROM python:3.9\nRUN pip install timm==0.4.12 yacs==0.1.7 "bacon[b]>=1" ham lvis\nRUN apt-get install -y libgl1\n',
            ".github/workflows/test.yml": "jobs:\n  a:\n    steps:\n    - run: sudo apt-get install libgl1\n",
            "play.ipynb": json.dumps({"cells": [{"cell_type": "code", "source": "!pip install timm einops"}]}),
            "spam/net.py": "",
        }
    )
    found = told.read(tree)
    assert [(str(one), one.optional, [str(place) for place in one.findings]) for one in found.requirements] == [
        ("timm", False, ["README.md:4", "Dockerfile:2", "play.ipynb:1"]),
        ("yacs==0.1.8", False, ["README.md:4", "Dockerfile:2"]),
        ("bacon[a,b]>=1", False, ["Dockerfile:2", "README.md:4"]),
        ("ham", False, ["Dockerfile:2", "README.md:5"]),
        ("lvis", False, ["Dockerfile:2", "README.md:9"]),
        ("einops", True, ["play.ipynb:1"]),
    ]
    assert [(one.what, one.why) for one in found.others] == [
        ("timm==0.4.12", "timm is told elsewhere, and is taken"),
        ("yacs==0.1.7", "yacs==0.1.8 is told elsewhere, and is taken"),
        ("ham @ git+https://example.org/x/ham.git", "ham is told elsewhere, and is taken"),
    ]
    assert [(one.name, [str(place) for place in one.findings]) for one in found.system] == [
        ("libgl1", ["Dockerfile:3", ".github/workflows/test.yml:4"])
    ]
    assert [one.specifier for one in found.python] == ["==3.9.*"]


def test_the_build_for_gpus_stands_for_both(plant: Plant) -> None:
    text = "# Spam\n\n```\npip install paddlepaddle-gpu==2.2.0\npip install paddlepaddle==2.2.0\n```\n"
    found = told.read(plant({"README.md": text}))
    assert [str(one) for one in found.requirements] == ["paddlepaddle-gpu==2.2.0"]
    assert [one.what for one in found.others] == ["paddlepaddle==2.2.0"]


def test_the_repository_s_own_names(plant: Plant) -> None:
    for root, files, own in (
        ("spamnet-1.2.3", {}, "spamnet"),
        ("checkout", {"setup.py": "from setuptools import setup\nsetup(name='spamnet')"}, "spamnet"),
        ("checkout", {"pyproject.toml": '[project]\nname = "spamnet"\n'}, "spamnet"),
        ("checkout", {"setup.cfg": "[metadata]\nname = spamnet\n"}, "spamnet"),
        ("checkout", {"setup.py": "", "spamnet/__init__.py": ""}, "spamnet"),
        ("checkout", {"README.md": "# Spam Net: an answer\n"}, "spam_net"),
    ):
        text = f"# install\n`pip install {own}` and `pip install bacon`\n"
        tree = plant({**files, "INSTALL.md": text}, f"{own}{len(files)}{list(files)[:1]}/{root}")
        assert [one.name for one in told.read(tree).requirements] == ["bacon"], root


def test_an_empty_folder(plant: Plant) -> None:
    found = told.read(plant({"x.txt": ""}))
    assert (found.requirements, found.python, found.torch, found.cuda, found.system, found.others) == (
        [],
        [],
        [],
        [],
        [],
        [],
    )


APT = "FROM python:3.9\nRUN apt-get install -y {}\n"


def test_debian_packages_of_several_files(plant: Plant) -> None:
    """Those of the Dockerfile that trains; a machine that tests has more than is needed."""
    found = told.read(
        plant(
            {
                ".gitpod.Dockerfile": APT.format("libgitpod-dev"),
                "docker/Dockerfile": APT.format("ffmpeg iotop neovim cuda-cudart-dev-12-8 libpython3-dev"),
                "docker/cu116.Dockerfile": APT.format("libqt5gui5 xfce4-terminal"),
                "docker/Dockerfile.benchmark.a": APT.format("libvulkan1"),
                ".github/workflows/test.yml": "jobs:\n  a:\n    steps:\n    - run: apt-get install libci ffmpeg\n",
                "train.py": "",
            }
        )
    )
    assert [one.name for one in found.system] == ["ffmpeg"]
    others = {one.what: one.why for one in found.others}
    assert others["libqt5gui5"] == "in another Dockerfile than the first"
    assert others["cuda-cudart-dev-12-8"] == "CUDA comes with the base image"


def test_debian_packages_of_travis(plant: Plant) -> None:
    travis = "addons:\n  apt:\n    packages:\n      - git\n      - python2.7-dev\n      - libsndfile1\n"
    assert [one.name for one in told.read(plant({".travis.yml": travis, "a.py": ""})).system] == ["libsndfile1"]


def test_an_image_that_people_work_in(plant: Plant) -> None:
    text = """\
        # Spam
        ## Docker environment
        ```
        nvidia-docker run --name spam -it -v here/:/spam --shm-size=64g nvcr.io/nvidia/pytorch:21.08-py3
        docker pull python:3.6
        ```
        """
    found = told.read(plant({"README.md": text, "train.py": ""}))
    assert [(one.specifier, one.firm, str(one.findings[0])) for one in found.torch] == [
        ("==1.10.*", False, "README.md:4")
    ]
    assert [one.specifier for one in found.python] == ["==3.8.*"]


def test_more_shell_than_is_read_is_said_once(plant: Plant) -> None:
    """A grammar goes back from errors in quadratic time: no text of a stranger is parsed whatever its length."""
    block = "```\npip install {}\n```\n"
    long = block.format("\npip install ".join(f"p{number}" for number in range(700)))
    flow = "jobs: {{a: {{steps: [{{run: 'pip install {}'}}]}}}}\n"
    tree = plant(
        {
            "README.md": f"# Install\n{block.format('six')}{long}",
            "INSTALL.md": f"# Install\n{long}{block.format('yacs')}",
            **{f".github/workflows/{n:02}.yml": flow.format("q" * 4_000) for n in range(20)},
            "Dockerfile": "FROM python:3.8\n" + "RUN echo\n" * 20_000,
        }
    )
    found = told.read(tree)
    assert [one.name for one in found.requirements] == ["six", "yacs"]
    assert [one.what for one in found.questions if "more than is read" in one.what] == [
        "README.md and 6 other files tell more than is read: look there for what they install"
    ]
