#!/usr/bin/env bash
# Builds and loads the images, then runs the end-to-end tests on the current kube context. Arguments go to pytest.
set -euo pipefail
cd "$(dirname "$0")/.."
kubectl=$(command -v kubectl || echo .venv/bin/kubectl)
context=$("$kubectl" config current-context 2>/dev/null) || {
  echo "e2e: there is no current kube context; make a cluster (\`make kind-up\`) or set KUBECONFIG" >&2; exit 1; }
"$kubectl" version --request-timeout 10s >/dev/null || { echo "e2e: the cluster of the context $context does not answer" >&2; exit 1; }
echo "» images for the context $context"
scripts/images.sh
echo "» end-to-end tests on the context $context"
exec .venv/bin/pytest tests/e2e "$@"
