#!/usr/bin/env bash
# Builds the images and loads them into the cluster.
#
#   scripts/images.sh [bot] [operator]       default: both
#
# IMAGE_BUILD and IMAGE_LOAD are the commands, so that other builders and clusters fit; {tag} and {dockerfile} are filled in.
# An empty IMAGE_LOAD loads nothing, for builders that load themselves or clusters that pull.
set -euo pipefail
cd "$(dirname "$0")/.."

IMAGE_BUILD=${IMAGE_BUILD-"docker build -t {tag} -f {dockerfile} ."}
IMAGE_LOAD=${IMAGE_LOAD-"${KIND:-kind} load docker-image {tag} --name ${KIND_CLUSTER:-gptbot}"}
: "${BOT_IMAGE:=docker.io/library/gptbot:dev}"
: "${OPERATOR_IMAGE:=docker.io/library/gptbot-operator:dev}"

run() { # run COMMAND TAG DOCKERFILE
  local command=${1//\{tag\}/$2}
  command=${command//\{dockerfile\}/$3}
  [ -z "$command" ] && return
  echo "images: $command"
  bash -c "$command"
}

image() { # image TAG DOCKERFILE
  run "$IMAGE_BUILD" "$1" "$2"
  run "$IMAGE_LOAD" "$1" "$2"
}

[ $# -gt 0 ] || set -- bot operator
for name in "$@"; do
  case $name in
    bot) image "$BOT_IMAGE" botimage/Dockerfile ;;
    operator) image "$OPERATOR_IMAGE" operator/Dockerfile ;;
    *) echo "images: there is no image named $name; there are bot and operator" >&2; exit 2 ;;
  esac
done
