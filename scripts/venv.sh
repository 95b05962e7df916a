#!/bin/sh
# Makes .venv and puts into it what is needed, out of the lock files. A second run takes no time.
#   venv.sh run      what runs the bot:  botimage/requirements.lock, crds/, botimage/
#   venv.sh dev      that and what tests and builds it:  requirements.lock, crds/, botimage/, operator/, plugin/
#   venv.sh policy   an environment of its own for the policy scanner, whose packages want other versions than ours
# PYTHON names the interpreter (python3), VENV the directory (.venv; .cache/policy).
set -eu
cd "$(dirname "$0")/.."
level=${1:-}
python=${PYTHON:-python3}
UV_VERSION=0.13.9

say() { printf '» %s\n' "$*"; }
fail() { printf 'venv: %s\n' "$*" >&2; exit 1; }

case $level in
  run) locks=botimage/requirements.lock members="crds botimage" ;;
  dev) locks=requirements.lock members="crds botimage operator plugin" ;;
  policy) locks=scripts/policy-requirements.lock members="" ;;
  *) fail "say run, dev or policy" ;;
esac
if [ "$level" = policy ]; then venv=${VENV:-.cache/policy}; else venv=${VENV:-.venv}; fi

# What the environment is made of: the stamp says whether it still fits.
# shellcheck disable=SC2046,SC2086
made_of=$(cat scripts/venv.sh $locks scripts/build-requirements.lock ${members:+$(printf '%s/pyproject.toml ' $members)} | cksum)
fits() { [ -x "$venv/bin/python" ] && [ "$(cat "$venv/.made-for-$1" 2>/dev/null)" = "$made_of" ]; }
fits "$level" && exit 0
if [ "$level" = run ] && [ -e "$venv/.made-for-dev" ]; then exec scripts/venv.sh dev; fi

if [ ! -x "$venv/bin/python" ]; then
  command -v "$python" >/dev/null || fail "no $python found; install Python 3.11 or newer, or set PYTHON="
  "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || fail "$python is $("$python" -V); 3.11 or newer is needed; set PYTHON="
  say "making $venv with $("$python" -V)"
  "$python" -m venv "$venv" || fail "$python cannot make environments; on Debian: apt-get install python3-venv"
fi
if [ "$("$venv/bin/uv" --version 2>/dev/null | cut -d' ' -f2)" != "$UV_VERSION" ]; then
  say "installing uv $UV_VERSION"
  "$venv/bin/python" -m pip --version >/dev/null 2>&1 || "$venv/bin/python" -m ensurepip >/dev/null
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "uv==$UV_VERSION"
fi

uv() { VIRTUAL_ENV="$venv" VENV="$venv" scripts/uv.sh "$@"; }
# Packages with platforms of their own, which somebody has installed here, are put back afterwards.
platforms="$venv/.platforms"
[ -z "$members" ] || "$venv/bin/python" scripts/installed_platforms.py >"$platforms"
say "installing packages ($level)"
uv pip sync --quiet --require-hashes $locks scripts/build-requirements.lock
# shellcheck disable=SC2046,SC2086
[ -z "$members" ] || uv pip install --quiet --no-deps --no-build-isolation $(printf -- '-e %s ' $members)
if [ -n "$members" ] && [ -s "$platforms" ]; then
  say "putting back platforms: $(tr '\n' ' ' <"$platforms")"
  uv pip install --quiet --requirements "$platforms" || say "they could not be put back: install them again"
fi
rm -f "$venv"/.made-for-* "$platforms"
printf '%s\n' "$made_of" >"$venv/.made-for-$level"
