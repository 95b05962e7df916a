{{/* Faults that the schema cannot say in plain words. */}}
{{- define "gptbot.validate" -}}
{{- if and .Values.valkey.enabled .Values.externalStore.existingSecret -}}
{{- fail "two stores are set: use externalStore.existingSecret with valkey.enabled=false, or leave it empty" -}}
{{- end -}}
{{- if and .Values.externalStore.caKey (not .Values.externalStore.existingSecret) -}}
{{- fail "externalStore.caKey is a key of the Secret externalStore.existingSecret: name that too" -}}
{{- end -}}
{{- if and .Values.exampleBot.enabled (not .Values.model.enabled) -}}
{{- if (default dict .Values.exampleBot.spec.llm).embedded | kindIs "map" -}}
{{- fail "the example bot is answered by the embedded model: set model.enabled=true too, or name an endpoint in exampleBot.spec.llm (with embedded: null)" -}}
{{- end -}}
{{- end -}}
{{- if and (kindIs "map" .Values.defaults.llm.embedded) (not .Values.model.enabled) -}}
{{- fail "defaults.llm is the embedded model: set model.enabled=true too" -}}
{{- end -}}
{{- if and .Values.exampleBot.enabled (not .Values.valkey.enabled) (not .Values.externalStore.existingSecret) (not .Values.exampleBot.spec.store) -}}
{{- fail "the example bot has no store: set valkey.enabled=true, externalStore.existingSecret or exampleBot.spec.store" -}}
{{- end -}}
{{- if and .Values.exampleBot.enabled .Values.operator.namespaces (not (has .Release.Namespace (include "gptbot.namespaces" . | fromJsonArray))) -}}
{{- fail (printf "nobody would serve the example bot: add %s to operator.namespaces" .Release.Namespace) -}}
{{- end -}}
{{- end -}}
