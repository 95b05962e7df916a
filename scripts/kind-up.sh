#!/usr/bin/env bash
# A kind cluster with gptbot and an example bot in it, or what is there brought up to date; prints the address to open.
# KIND_CLUSTER names it.
set -euo pipefail
cd "$(dirname "$0")/.."

kind=${KIND:-kind}
name=${KIND_CLUSTER:-gptbot}
helm() { .venv/bin/python -m scripts.helm "$@"; }
kubectl=$(command -v kubectl || echo .venv/bin/kubectl)
command -v "$kind" >/dev/null || { echo "kind-up: kind not found; see https://kind.sigs.k8s.io, or set KIND=/path/to/kind" >&2; exit 1; }

if ! "$kind" get clusters 2>/dev/null | grep -qx "$name"; then
  "$kind" create cluster --name "$name" --config kind-config.yaml
fi
# A kubeconfig for these commands alone: they must not land in another cluster.
KUBECONFIG=$(mktemp)
export KUBECONFIG
trap 'rm -f "$KUBECONFIG"' EXIT
"$kind" get kubeconfig --name "$name" >"$KUBECONFIG"

KIND=$kind KIND_CLUSTER=$name scripts/images.sh
# The images keep their tag, so the pods are told that these are new ones.
build=$(date +%s)
helm upgrade gptbot charts/gptbot --install --namespace gptbot --create-namespace --wait --timeout 5m \
  --set model.enabled=true --set exampleBot.enabled=true \
  --set-string "operator.podAnnotations.build=$build" --set-string "valkey.podAnnotations.build=$build" \
  --set-string "model.podAnnotations.build=$build" --set 'operator.allowedAnnotations={build}' \
  --set-string "exampleBot.spec.podTemplate.metadata.annotations.build=$build"
"$kubectl" --namespace gptbot wait --for=condition=Ready gptbot/example --timeout 5m
"$kubectl" --namespace gptbot apply -f - >/dev/null <<YAML
apiVersion: v1
kind: Service
metadata: {name: example-node-port}
spec:
  type: NodePort
  selector: {app.kubernetes.io/name: gptbot, app.kubernetes.io/instance: example, app.kubernetes.io/component: gateway}
  ports: [{name: http, port: 80, targetPort: http, nodePort: 30080}]
YAML
echo
echo "The example bot is at http://127.0.0.1:8080"
echo "kubectl --context kind-$name --namespace gptbot get gptbots"
