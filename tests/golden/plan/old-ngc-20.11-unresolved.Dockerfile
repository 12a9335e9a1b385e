#
# NVIDIA NGC container: PyTorch 1.8.0a0+17f8c32, CUDA 11.1.0, Python 3.6
# https://catalog.ngc.nvidia.com/orgs/nvidia/containers/pytorch
# It is tested as a whole, which is less work than building such a container oneself
# (these versions are known second-hand: release notes, articles and other people's Dockerfiles)
# Why this one: named with --base
#
FROM nvcr.io/nvidia/pytorch:20.11-py3

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
# uv does not run on Python 3.6. This is the last pip that does:
# an older one does not know the wheels of today
#
RUN python3 -m pip install --no-cache-dir pip==21.3.1

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
# What the repository requires
# matplotlib, numpy, pycocotools, six, terminaltables, mmcls, packaging and prettytable:
# requirements/runtime.txt:1-8
# (not resolved beforehand: pip may move packages of the base, though not PyTorch, which the floor holds;
# where a package asks for another PyTorch than the base's, this step fails and says so)
#
RUN python3 -m pip install --no-cache-dir --constraint /opt/kobako/floor.txt \
    matplotlib \
    numpy \
    pycocotools \
    six \
    terminaltables \
    'mmcls>=0.20.1' \
    packaging \
    prettytable

#
# Tracking (clearml-agent does not bring clearml)
#
RUN python3 -m pip install --no-cache-dir --constraint /opt/kobako/floor.txt \
    clearml \
    clearml-agent \
    boto3

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
    'PIP_CACHE_DIR=/root/.cache/built/$key "$@"' \
    > /opt/kobako/keep-wheels && chmod +x /opt/kobako/keep-wheels

#
# To build mmcv-full (see below)
#
RUN python3 -m pip install --no-cache-dir \
    ninja \
    psutil \
    setuptools \
    wheel

#
# mmcv-full: requirements/mminstall.txt:1
# its setup.py imports torch and compiles the CUDA operators against it: without isolation; the floor keeps
# PyTorch
# for other GPUs than the image is made for: TORCH_CUDA_ARCH_LIST="8.6" before it
#
RUN --mount=type=cache,target=/root/.cache/built,sharing=locked \
    MMCV_WITH_OPS=1 FORCE_CUDA=1 \
    /opt/kobako/keep-wheels python3 -m pip install --no-build-isolation --constraint /opt/kobako/floor.txt \
    'mmcv-full>=1.3.17'
