#!/bin/sh
# The environment's uv, told what pip is told and uv does not read: a mirror, the certificate of a proxy.
# VENV names the environment (.venv).
set -eu
venv=${VENV:-$(dirname "$0")/../.venv}
[ -z "${PIP_INDEX_URL:-}" ] || export UV_DEFAULT_INDEX="${UV_DEFAULT_INDEX:-$PIP_INDEX_URL}"
if [ -z "${SSL_CERT_FILE:-}" ]; then
  if [ -n "${PIP_CERT:-}" ]; then
    export SSL_CERT_FILE="$PIP_CERT"
  elif "$venv/bin/python" -c 'import ssl, sys; sys.exit(not ssl.create_default_context().get_ca_certs())'; then
    export UV_SYSTEM_CERTS=1 # the system may know authorities that uv's own list does not
  fi
fi
exec "$venv/bin/uv" "$@"
