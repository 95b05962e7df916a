#!/usr/bin/env bash
# Makes the lock files, all with hashes: the root's for development, one for each image, one for building wheels,
# one for the policy scanner.
# Versions of the images follow the root's, and what is pinned stays pinned. UV names the uv to use.
#
#   scripts/lock.sh              resolve what pyproject.toml asks for anew
#   scripts/lock.sh --upgrade    take the newest versions
#   scripts/lock.sh --check      only say whether the lock files fit; exit status 1: they do not
set -euo pipefail
cd "$(dirname "$0")/.."
uv=${UV:-uv}
[[ $uv == */* ]] && uv=$(realpath "$uv")
command -v "$uv" >/dev/null || { echo "lock: no uv found; set UV=/path/to/uv" >&2; exit 1; }

out=. upgrade=()
case ${1:-} in
  "") ;;
  --upgrade) upgrade=(--upgrade) ;;
  --check)
    out=$(mktemp -d)
    trap 'rm -rf "$out"' EXIT
    mkdir "$out/botimage" "$out/operator" "$out/scripts"
    ;;
  *) sed -n '2,9p' "$0" >&2; exit 2 ;;
esac
stale=0

compile() { # compile OUTPUT ARGS...
  local lock=$1; shift
  [ "$out" = . ] || cp "$lock" "$out/$lock" # uv keeps the versions that the output names already
  # The workspace's own packages are installed from source; the last two are overridden away in pyproject.toml.
  "$uv" pip compile --quiet --universal --generate-hashes --no-header --no-annotate \
    --no-emit-package gptbot --no-emit-package gptbot-api --no-emit-package gptbot-operator \
    --no-emit-package kubectl-gptbot \
    --no-emit-package llm --no-emit-package llama-cpp-python ${upgrade[@]+"${upgrade[@]}"} "$@" -o "$out/$lock" >/dev/null
  if [ "$out" = . ]; then
    echo "wrote $lock"
  elif ! cmp -s "$lock" "$out/$lock"; then
    echo "$lock: does not fit pyproject.toml; run 'make lock' and commit it" >&2
    diff "$lock" "$out/$lock" | grep '==' >&2 || true
    stale=1
  fi
}

compile requirements.lock --group dev pyproject.toml
compile botimage/requirements.lock -c requirements.lock --extra embedded botimage/pyproject.toml
compile operator/requirements.lock -c requirements.lock operator/pyproject.toml
compile scripts/build-requirements.lock scripts/build-requirements.in
compile scripts/policy-requirements.lock --python-version 3.11 scripts/policy-requirements.in
exit $stale
