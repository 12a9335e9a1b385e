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
# libgl1 and libglib2.0-0: mmcv-full needs them (it brings opencv-python; cv2 loads libGL and libglib)
# The time zone is set to Asia/Tokyo, as on the host: logs are easier to read
#
RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
    libgl1 \
    libglib2.0-0 \
    tzdata \
&&  ln -sf /usr/share/zoneinfo/Asia/Tokyo /etc/localtime \
&&  apt-get clean \
&&  rm -rf /var/lib/apt/lists/*

ENV TZ=Asia/Tokyo

#
# keep-wheels INSTALL: what is compiled is kept for the next build of the image, in a cache mount,
# in a folder for the same PyTorch, CUDA, NumPy, settings, words and distribution alone
#
RUN printf '%s\n' \
    '#!/bin/sh -e' \
    'torch=$(python3 -c "import torch; print(torch.__version__, torch.version.cuda)")' \
    'numpy=$(python3 -m pip list --format=freeze | grep ^numpy= || :)' \
    'settings=$(env | grep -viE "^(kobako_fresh|max_jobs|tz|[a-z]+_proxy)=")' \
    'key=$(echo "$torch $numpy $settings $*" | cat - /etc/os-release | sha256sum | head -c 16)' \
    'export UV_CACHE_DIR=/root/.cache/built/uv UV_FIND_LINKS=/root/.cache/built/$key' \
    'rm -rf $UV_CACHE_DIR && mkdir -p $UV_CACHE_DIR $UV_FIND_LINKS' \
    '"$@"' \
    'find $UV_CACHE_DIR -path "*/sdists-*" -name "*.whl" -exec mv -t $UV_FIND_LINKS {} +' \
    'rm -rf $UV_CACHE_DIR' \
    > /opt/kobako/keep-wheels && chmod +x /opt/kobako/keep-wheels

#
# To build mmcv-full (see below)
#
RUN --mount=type=cache,target=/root/.cache/uv \
    uv pip install \
    ninja \
    psutil \
    'setuptools<60' \
    wheel

#
# mmcv-full: requirements/mminstall.txt:1
# its setup.py imports torch and compiles the CUDA operators against it: without isolation
# for other GPUs than the image is made for: TORCH_CUDA_ARCH_LIST="8.6" before it
#
RUN --mount=type=cache,target=/root/.cache/built,sharing=locked \
    MMCV_WITH_OPS=1 FORCE_CUDA=1 \
    /opt/kobako/keep-wheels uv pip install --no-build-isolation \
    'mmcv-full>=1.3.17'

#
# What the repository requires
# matplotlib, numpy, pycocotools, six, terminaltables, mmcls, packaging and prettytable:
# requirements/runtime.txt:1-8
#
RUN --mount=type=cache,target=/root/.cache/uv \
    uv pip install \
    matplotlib \
    numpy \
    pycocotools \
    six \
    terminaltables \
    'mmcls>=0.20.1' \
    packaging \
    prettytable

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
