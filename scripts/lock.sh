#!/usr/bin/env bash
# Makes the lock files, all with hashes: the root's for development, one for each image, one for building wheels.
# Versions of the images follow the root's. UV names the uv to use.
#
#   scripts/lock.sh              resolve anew, keeping the versions that are pinned
#   scripts/lock.sh --upgrade    take the newest versions
#   scripts/lock.sh --check      write nothing; exit status 1 when a lock file is out of date
set -euo pipefail
cd "$(dirname "$0")/.."
uv=${UV:-uv}
command -v "$uv" >/dev/null || { echo "lock: no uv found; set UV=/path/to/uv" >&2; exit 1; }

upgrade=() check=
case ${1:-} in
  "") ;;
  --upgrade) upgrade=(--upgrade) ;;
  --check) check=$(mktemp -d); trap 'rm -rf "$check"' EXIT ;;
  *) sed -n '5,7p' "$0" >&2; exit 2 ;;
esac
stale=0

compile() { # compile OUTPUT ARGS...
  local lock=$1 output=$1; shift
  if [ -n "$check" ]; then
    output=$check/${lock//\//-}
    cp "$lock" "$output" # what is pinned stays pinned
  fi
  # The workspace's own packages are installed from source; the last two are overridden away in pyproject.toml.
  "$uv" pip compile --quiet --universal --generate-hashes --no-header --no-annotate \
    --no-emit-package gptbot --no-emit-package gptbot-api --no-emit-package gptbot-operator \
    --no-emit-package llm --no-emit-package llama-cpp-python "${upgrade[@]}" "$@" -o "$output"
  if [ -n "$check" ] && ! cmp -s "$lock" "$output"; then
    echo "lock: $lock is out of date: run \`make lock\` and commit it" >&2
    stale=1
  fi
}

compile requirements.lock --group dev pyproject.toml
compile botimage/requirements.lock -c requirements.lock --extra embedded botimage/pyproject.toml
compile operator/requirements.lock -c requirements.lock operator/pyproject.toml
compile scripts/build-requirements.lock scripts/build-requirements.in
exit $stale
