#!/usr/bin/env bash
# Removes the cluster that kind-up.sh made. KIND_CLUSTER names it.
set -euo pipefail
exec "${KIND:-kind}" delete cluster --name "${KIND_CLUSTER:-gptbot}"
