#!/usr/bin/env bash
# Makes the lock files, all with hashes: the root's for development, one for each image, one for building wheels.
# Versions of the images follow the root's. UV names the uv to use.
set -euo pipefail
cd "$(dirname "$0")/.."
uv=${UV:-uv}
command -v "$uv" >/dev/null || { echo "lock: no uv found; set UV=/path/to/uv" >&2; exit 1; }

compile() { # compile OUTPUT ARGS...
  local output=$1; shift
  # The workspace's own packages are installed from source; the last two are overridden away in pyproject.toml.
  "$uv" pip compile --quiet --universal --generate-hashes --no-header --no-annotate \
    --no-emit-package gptbot --no-emit-package gptbot-api --no-emit-package gptbot-operator \
    --no-emit-package llm --no-emit-package llama-cpp-python "$@" -o "$output"
  echo "lock: $output"
}

compile requirements.lock --group dev pyproject.toml
compile botimage/requirements.lock -c requirements.lock --extra embedded botimage/pyproject.toml
compile operator/requirements.lock -c requirements.lock operator/pyproject.toml
compile scripts/build-requirements.lock scripts/build-requirements.in
