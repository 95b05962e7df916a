{{/* Faults that the schema cannot say in plain words. Each template begins with it, since any may be the first. */}}
{{- define "gptbot.validate" -}}
{{- include "gptbot.validate.sections" . -}}
{{- include "gptbot.validate.names" . -}}
{{- include "gptbot.validate.images" . -}}
{{- include "gptbot.validate.amounts" . -}}
{{- include "gptbot.validate.forms" . -}}
{{- include "gptbot.validate.allowed" . -}}
{{- include "gptbot.validate.store" . -}}
{{- include "gptbot.validate.bots" . -}}
{{- end -}}

{{/* A null takes a section out of the values: the templates would end at it with a trace. */}}
{{- define "gptbot.validate.sections" -}}
{{- range $path := list "botImage" "operator" "operator.image" "operator.rollout" "metrics" "metrics.serviceMonitor" "metrics.rules" "dashboards" "networkPolicy" "serviceAccount" "rbac" "crd" "defaults" "valkey" "valkey.image" "valkey.auth" "valkey.persistence" "externalStore" "model" "exampleBot" "exampleBot.spec" -}}
{{- $section := $.Values -}}
{{- range splitList "." $path }}{{ $section = get $section . }}{{ end -}}
{{- if not (kindIs "map" $section) -}}
{{- $instead := get (dict "valkey" "valkey.enabled=false" "model" "model.enabled=false" "exampleBot" "exampleBot.enabled=false" "defaults" "defaults.llm=null") $path -}}
{{- fail (printf "%s is null, and the chart reads what is under it: leave %s out for what values.yaml says%s" $path $path (empty $instead | ternary "" (printf "; to have none, set %s" $instead))) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "gptbot.validate.names" -}}
{{- $name := include "gptbot.fullname" . -}}
{{- if not (regexMatch "^[a-z]([-a-z0-9]*[a-z0-9])?$" $name) -}}
{{- fail (printf "the objects would be named %s-…, and the name of a Service begins with a letter and has a-z, 0-9 and - alone: set fullnameOverride, such as --set fullnameOverride=gptbot" $name) -}}
{{- end -}}
{{- end -}}

{{- define "gptbot.validate.images" -}}
{{- $registry := include "gptbot.text" .Values.imageRegistry -}}
{{- if not (regexMatch "^([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?(/[a-z0-9._-]+)*/?)?$" $registry) -}}
{{- fail (printf "imageRegistry is %q: it stands before names of images, so it is a host and perhaps a path, without a scheme, a tag or a space, such as registry.example.com or registry.example.com:5000/team" $registry) -}}
{{- end -}}
{{- end -}}

{{/* Amounts: the schema could only answer with a pattern. */}}
{{- define "gptbot.validate.amounts" -}}
{{- $quantity := "^[0-9]+(\\.[0-9]+)?(m|k|[MGTPE]i?|Ki)?$" -}}
{{- range $part, $values := dict "operator" .Values.operator "valkey" .Values.valkey "model" .Values.model -}}
{{- range $kind := list "requests" "limits" -}}
{{- range $resource, $amount := index (default dict $values.resources) $kind -}}
{{- if not (or (kindIs "invalid" $amount) (regexMatch $quantity (include "gptbot.text" $amount))) -}}
{{- fail (printf "%s.resources.%s.%s is %q: it must be an amount, of CPU such as 500m or 2, of memory such as 128Mi or 1Gi (MB is no unit: M and Mi are)" $part $kind $resource (include "gptbot.text" $amount)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if not (regexMatch $quantity (include "gptbot.text" .Values.valkey.persistence.size)) -}}
{{- fail (printf "valkey.persistence.size is %q: it must be the size of a volume, such as 1Gi or 20Gi (GB is no unit: G and Gi are)" (include "gptbot.text" .Values.valkey.persistence.size)) -}}
{{- end -}}
{{- if not (regexMatch "^[1-9][0-9]*([kKmMgG][bB]?)?$" (include "gptbot.text" .Values.valkey.maxMemory)) -}}
{{- fail (printf "valkey.maxMemory is %q: it must be an amount as the store writes it, such as 384mb or 2gb" (include "gptbot.text" .Values.valkey.maxMemory)) -}}
{{- end -}}
{{- if not (regexMatch "^([1-9][0-9]{0,5}|([1-9]|[1-9][0-9]|100)%)$" (include "gptbot.text" .Values.operator.rollout.maxUnavailableBots)) -}}
{{- fail (printf "operator.rollout.maxUnavailableBots is %q: it must be a number of bots from 1 on, such as 3, or a percentage of them from 1%% to 100%%, such as 10%%" (include "gptbot.text" .Values.operator.rollout.maxUnavailableBots)) -}}
{{- end -}}
{{- if not (regexMatch "^(0s?|[1-9][0-9]{0,6}(s|m|h|d))$" (include "gptbot.text" .Values.operator.rollout.pause)) -}}
{{- fail (printf "operator.rollout.pause is %q: it must be a duration with its unit, such as 0s, 30s or 5m" (include "gptbot.text" .Values.operator.rollout.pause)) -}}
{{- end -}}
{{- if not (regexMatch "^[1-9][0-9]*(ms|s|m|h)$" (include "gptbot.text" .Values.metrics.serviceMonitor.interval)) -}}
{{- fail (printf "metrics.serviceMonitor.interval is %q: it must be a duration with its unit, such as 30s or 1m" (include "gptbot.text" .Values.metrics.serviceMonitor.interval)) -}}
{{- end -}}
{{- end -}}

{{/* What the operator would refuse at its start, when it has replaced one that runs. */}}
{{- define "gptbot.validate.allowed" -}}
{{- range $name := list "allowedHosts" "allowedExposeHosts" -}}
{{- range $entry := index $.Values.operator $name -}}
{{- if not (regexMatch "^(\\*|(\\*\\.)?[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_.])?(:[1-9][0-9]{0,4})?|\\[[0-9A-Fa-f:.]+\\](:[1-9][0-9]{0,4})?)$" $entry) -}}
{{- fail (printf "operator.%s has %q: it must be HOST, HOST:PORT, *.DOMAIN or *, such as api.example.com or *.example.com, without a scheme and a path" $name $entry) -}}
{{- end -}}
{{- if gt (regexFind ":[0-9]+$" $entry | trimPrefix ":" | int) 65535 -}}
{{- fail (printf "operator.%s has %q: a port is a number from 1 to 65535" $name $entry) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range .Values.operator.allowedEgress -}}
{{- if contains "/" . -}}
{{- $address := splitList "/" . | first -}}
{{- $bits := splitList "/" . | last | int -}}
{{- $is4 := regexMatch "^((25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])\\.){3}(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])$" $address -}}
{{- if or (not (or $is4 (contains ":" $address))) (gt $bits ($is4 | ternary 32 128)) -}}
{{- fail (printf "operator.allowedEgress has %q, which is no network: write its address and the length of its prefix, such as 10.1.0.0/16 or fd00:1::/32" .) -}}
{{- end -}}
{{- if $is4 -}}
{{- $number := 0 -}}
{{- range splitList "." $address }}{{ $number = add (mul $number 256) (int .) }}{{ end -}}
{{- $size := 1 -}}
{{- range until (int (sub 32 $bits)) }}{{ $size = mul $size 2 }}{{ end -}}
{{- if ne (int (mod $number $size)) 0 -}}
{{- fail (printf "operator.allowedEgress has %q: behind the prefix no bit may be set. Is %s/32 meant, or the whole network?" . $address) -}}
{{- end -}}
{{- else -}}
{{- include "gptbot.validate.network6" (list . $address $bits) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* A network of IPv6: what was written, address, length of its prefix. Its 16 bytes are 8 groups; `::` stands for those that are 0. */}}
{{- define "gptbot.validate.network6" -}}
{{- $written := index . 0 -}}{{- $address := index . 1 -}}{{- $bits := index . 2 -}}
{{- $halves := splitList "::" $address -}}
{{- $groups := first $halves | splitList ":" -}}
{{- if gt (len $halves) 1 -}}
{{- $behind := without (last $halves | splitList ":") "" -}}
{{- $groups = without $groups "" -}}
{{- range until (int (sub 8 (add (len $groups) (len $behind)))) }}{{ $groups = append $groups "0" }}{{ end -}}
{{- $groups = concat $groups $behind -}}
{{- end -}}
{{- $whole := and (eq (len $groups) 8) (le (len $halves) 2) -}}
{{- range $groups }}{{ $whole = and $whole (regexMatch "^[0-9A-Fa-f]{1,4}$" .) }}{{ end -}}
{{- if not $whole -}}
{{- fail (printf "operator.allowedEgress has %q, which is no network: write its address and the length of its prefix, such as 10.1.0.0/16 or fd00:1::/32" $written) -}}
{{- end -}}
{{- range $number, $group := $groups -}}
{{- $size := 1 -}}
{{- range until (min 16 (max 0 (sub (mul 16 (add $number 1)) $bits)) | int) }}{{ $size = mul $size 2 }}{{ end -}}
{{- if ne (int (mod (printf "0x%s" $group | int64) $size)) 0 -}}
{{- fail (printf "operator.allowedEgress has %q: behind the prefix no bit may be set. Is %s/128 meant, or the whole network?" $written $address) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "gptbot.validate.store" -}}
{{- $share := .Values.operator.storeShare -}}
{{- if not (or (kindIs "bool" $share) (regexMatch "^(off|[1-9][0-9]?%|100%|[1-9][0-9]*([kKmMgG][bB]?)?)$" (include "gptbot.text" $share))) -}}
{{- fail (printf "operator.storeShare is %q: it must be a part of the store's maxmemory such as 25%%, a size such as 64mb, or off" (include "gptbot.text" $share)) -}}
{{- end -}}
{{- if and .Values.valkey.enabled .Values.externalStore.existingSecret -}}
{{- fail "two stores are set: use externalStore.existingSecret with valkey.enabled=false, or leave it empty" -}}
{{- end -}}
{{- if and .Values.externalStore.caKey (not .Values.externalStore.existingSecret) -}}
{{- fail "externalStore.caKey is a key of the Secret externalStore.existingSecret: name that too" -}}
{{- end -}}
{{- end -}}

{{/* Of the bots that the chart makes or gives something to. */}}
{{- define "gptbot.validate.bots" -}}
{{- if and .Values.exampleBot.enabled (not .Values.model.enabled) -}}
{{- if (default dict .Values.exampleBot.spec.llm).embedded | kindIs "map" -}}
{{- fail "the example bot is answered by the embedded model: set model.enabled=true too, or name an endpoint in exampleBot.spec.llm (with embedded: null)" -}}
{{- end -}}
{{- end -}}
{{- if and (kindIs "map" (default dict .Values.defaults.llm).embedded) (not .Values.model.enabled) -}}
{{- fail "defaults.llm is the embedded model: set model.enabled=true too" -}}
{{- end -}}
{{- if and .Values.exampleBot.enabled (not .Values.valkey.enabled) (not .Values.externalStore.existingSecret) (not .Values.exampleBot.spec.store) -}}
{{- fail "the example bot has no store: set valkey.enabled=true, externalStore.existingSecret or exampleBot.spec.store" -}}
{{- end -}}
{{- if and .Values.exampleBot.enabled .Values.operator.namespaces (not (has .Release.Namespace (include "gptbot.namespaces" . | fromJsonArray))) -}}
{{- fail (printf "nobody would serve the example bot: add %s to operator.namespaces" .Release.Namespace) -}}
{{- end -}}
{{- end -}}
