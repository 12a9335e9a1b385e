#
# NVIDIA's CUDA image: CUDA 12.1.1, Python 3.10
# Why this one: named with --base
#
FROM nvidia/cuda:12.1.1-cudnn8-devel-ubuntu22.04

#
# To build all that follows anew: --build-arg KOBAKO_FRESH=anything (downloads stay in the cache)
#
ARG KOBAKO_FRESH=

#
# Commands start where the service's folders are mounted
#
WORKDIR /workspace

#
# The image has no Python of its own: the distribution's
# python is what scripts and people call it
#
RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
    python3 \
    python3-dev \
    python3-pip \
&&  ln -sf python3 /usr/bin/python \
&&  apt-get clean \
&&  rm -rf /var/lib/apt/lists/*

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
# libgl1 and libglib2.0-0: opencv-python needs them (cv2 loads libGL and libglib when it is imported)
# The time zone is set to Europe/Paris, as on the host: logs are easier to read
#
RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
    libgl1 \
    libglib2.0-0 \
    tzdata \
&&  ln -sf /usr/share/zoneinfo/Europe/Paris /etc/localtime \
&&  apt-get clean \
&&  rm -rf /var/lib/apt/lists/*

ENV TZ=Europe/Paris

#
# The base has no PyTorch
# torch and torchvision: requirements.txt:1-2
#
RUN --mount=type=cache,target=/root/.cache/uv \
    uv pip install \
    'torch==2.2.*' \
    torchvision

#
# What the repository requires
# opencv-python and pyyaml: requirements.txt:3-4
#
RUN --mount=type=cache,target=/root/.cache/uv \
    uv pip install \
    'opencv-python>=4.5' \
    pyyaml

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
