"""Compose files that several tests read."""

from __future__ import annotations

MISSION = """\
services:
  mmdetection:
    container_name: mmdetection
    build:
      context: .
      dockerfile: ./docker/mmdetection
    shm_size: '8gb'
    volumes:
      - "./mmdetection:/workspace/mmdetection"
      - "./data:/workspace/data"
      - "./configs:/workspace/configs"
      - "./pretrain:/workspace/pretrain"
    command: /bin/sh -c "while sleep 1000; do :; done"
    deploy:
      resources:
        reservations:
          devices:
            - driver: nvidia
              capabilities: [gpu]
"""

# A service's own lines, with all that makes moving them hard.
BLOCK = """\
container_name: new
build:
  context: .
# the mounts
volumes:
  # data
  - ./data:/workspace/data
  - type: bind
    source: ./configs
command: |
  while sleep 1000; do
    :
  done
deploy:
  devices:
    - driver: nvidia
      capabilities: [gpu]
"""

ANCHORS = """\
x-common: &common  # shared
  restart: always
  environment: &env
    A: "1"
    B: b

services:
  web:
    <<: *common
    image: web:1
  worker:
    <<: [*common]
    environment:
      <<: *env
      A: "2"
  job:
    environment: *env
  base: &base
    image: base
  derived:
    <<: *base
"""
