#
# NVIDIA NGC container: PyTorch 1.11.0a0+17540c5, CUDA 11.6.0, Python 3.8
# https://catalog.ngc.nvidia.com/orgs/nvidia/containers/pytorch
# It is tested as a whole, which is less work than building such a container oneself
# (these versions are known second-hand: release notes, articles and other people's Dockerfiles)
# Why this one: named with --base
#
FROM nvcr.io/nvidia/pytorch:22.02-py3

#
# To build all that follows anew: --build-arg KOBAKO_FRESH=anything (downloads stay in the cache)
#
ARG KOBAKO_FRESH=

#
# The base image is a floor: PyTorch and what was built with it must survive all that is installed below
# /opt/kobako/base.txt        everything that the image came with
# /opt/kobako/floor.txt       PyTorch and its family: kept as they are, whatever a package asks for
# /opt/kobako/constraint.txt  the image's own constraints, if it ships any (NGC does from 25.03 on);
#     to let one package move, delete its line there before the step that installs it
#
RUN family='apex|flash[-_.]attn|functorch|nvfuser|pytorch[-_.]quantization|pytorch[-_.]triton|torch|torch[-_.]tensorrt|torchao|torchaudio|torchdata|torchtext|torchtitan|torchvision|transformer[-_.]engine|triton' \
&&  mkdir -p /opt/kobako && cd /opt/kobako \
&&  python3 -m pip list --format=freeze > base.txt \
&&  { grep -iE "^($family)==" base.txt || :; } > floor.txt \
&&  { grep -viE "^($family) *[^a-z0-9._ -]" /etc/pip/constraint.txt || :; } > constraint.txt 2> /dev/null

#
# uv installs several times as fast as pip, into the image's own Python, and keeps to the floor:
# UV_OVERRIDE holds PyTorch's family, UV_CONSTRAINT the image's own constraints
#
ENV PIP_BREAK_SYSTEM_PACKAGES=1 \
    UV_BREAK_SYSTEM_PACKAGES=1 \
    UV_CONSTRAINT=/opt/kobako/constraint.txt \
    UV_LINK_MODE=copy \
    UV_OVERRIDE=/opt/kobako/floor.txt \
    UV_SYSTEM_CERTS=1 \
    UV_SYSTEM_PYTHON=1
RUN python3 -m pip install --no-cache-dir uv==0.13.9

#
# build-essential: setup.py compiles CUDA code (setup.py:5)
# The time zone is set to Asia/Tokyo, as on the host: logs are easier to read
#
RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
    build-essential \
    tzdata \
&&  ln -sf /usr/share/zoneinfo/Asia/Tokyo /etc/localtime \
&&  apt-get clean \
&&  rm -rf /var/lib/apt/lists/*

ENV TZ=Asia/Tokyo

#
# What the repository requires
# numpy: requirements.txt:2
# (not repeated: torch, which the base image holds)
#
RUN --mount=type=cache,target=/root/.cache/uv \
    uv pip install \
    numpy

#
# To compile the repository's own code, once the container runs
# cython and ninja: setup.py:3-5
#
RUN --mount=type=cache,target=/root/.cache/uv \
    uv pip install \
    cython \
    ninja

#
# Tracking: clearml, clearml-agent and boto3
# (clearml-agent does not bring clearml)
# They fit themselves to what is there by now, and move nothing of it
#
RUN --mount=type=cache,target=/root/.cache/uv \
    uv pip list --format=freeze > /opt/kobako/held.txt \
&&  uv pip install --constraint /opt/kobako/constraint.txt --constraint /opt/kobako/held.txt \
    clearml \
    clearml-agent \
    boto3
