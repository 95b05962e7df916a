{{/* A value as text. `--set` makes numbers and booleans of what looks like them: a tag `1`, an annotation `true`. */}}
{{- define "gptbot.text" -}}
{{- if kindIs "string" . }}{{ . }}{{ else if not (kindIs "invalid" .) }}{{ toJson . }}{{ end -}}
{{- end -}}

{{/* A mapping whose values are texts: labels, annotations, node selectors. */}}
{{- define "gptbot.strings" -}}
{{- $texts := dict -}}
{{- range $key, $value := . }}{{ $_ := set $texts $key (include "gptbot.text" $value) }}{{ end -}}
{{- toYaml $texts -}}
{{- end -}}

{{/* The namespaces that are served, as JSON; empty: all. */}}
{{- define "gptbot.namespaces" -}}
{{- $names := list -}}
{{- range .Values.operator.namespaces }}{{ $names = append $names (include "gptbot.text" .) }}{{ end -}}
{{- toJson $names -}}
{{- end -}}

{{/* What the names of all objects begin with. */}}
{{- define "gptbot.fullname" -}}
{{- $name := default .Chart.Name (include "gptbot.text" .Values.nameOverride) -}}
{{- $whole := include "gptbot.text" .Values.fullnameOverride -}}
{{- if $whole -}}
{{- $whole | trunc 40 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* Labels that select a component's pods: call with (list $ "operator"). */}}
{{- define "gptbot.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ default $root.Chart.Name (include "gptbot.text" $root.Values.nameOverride) | quote }}
app.kubernetes.io/instance: {{ $root.Release.Name | quote }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{/* Labels of a component's objects: call with (list $ "operator"). */}}
{{- define "gptbot.labels" -}}
{{- $root := index . 0 -}}
{{ include "gptbot.selector" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: gptbot
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* An image's reference: call with (list $ .Values.botImage). */}}
{{- define "gptbot.image" -}}
{{- $root := index . 0 -}}
{{- $image := index . 1 -}}
{{- with include "gptbot.text" $root.Values.imageRegistry }}{{ trimSuffix "/" . }}/{{ end -}}
{{- include "gptbot.text" $image.repository -}}
{{- if $image.digest }}@{{ $image.digest }}{{ else }}:{{ include "gptbot.text" $image.tag }}{{ end -}}
{{- end -}}

{{- define "gptbot.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (printf "%s-operator" (include "gptbot.fullname" .)) (include "gptbot.text" .Values.serviceAccount.name) -}}
{{- else -}}
{{- required "serviceAccount.name is needed with serviceAccount.create=false" (include "gptbot.text" .Values.serviceAccount.name) -}}
{{- end -}}
{{- end -}}

{{- define "gptbot.store.name" -}}
{{ include "gptbot.fullname" . }}-store
{{- end -}}

{{/* The Secret that holds password and address of the chart's own store. */}}
{{- define "gptbot.store.secretName" -}}
{{- default (include "gptbot.store.name" .) (include "gptbot.text" .Values.valkey.auth.existingSecret) -}}
{{- end -}}

{{/* What a probe of the chart's own store runs: (list . "alive") or "ready". The bot image has no valkey-cli. */}}
{{- define "gptbot.store.probe" -}}
{{- $run := ternary (list "python" "-IS") (list "sh") (index . 0).Values.valkey.useBotImage -}}
{{- concat $run (list "/etc/valkey/probe" (index . 1)) | toJson -}}
{{- end -}}

{{/* Where operator and test find the shared store; nothing where there is none. */}}
{{- define "gptbot.store.env" -}}
{{- if .Values.valkey.enabled -}}
- name: GPTBOT_STORE_URL
  valueFrom: {secretKeyRef: {name: {{ include "gptbot.store.secretName" . | quote }}, key: url}}
{{- else if .Values.externalStore.existingSecret -}}
- name: GPTBOT_STORE_URL
  valueFrom: {secretKeyRef: {name: {{ include "gptbot.text" .Values.externalStore.existingSecret | quote }}, key: {{ include "gptbot.text" .Values.externalStore.urlKey | quote }}}}
{{- if .Values.externalStore.caKey }}
- {name: GPTBOT_STORE_CA, value: /etc/gptbot/store/ca.crt}
{{- end }}
{{- end }}
{{- end -}}

{{/* That the key is one of the external store in use is seen to by gptbot.validate. */}}
{{- define "gptbot.store.caMount" -}}
{{- if .Values.externalStore.caKey -}}
- {name: store-ca, mountPath: /etc/gptbot/store, readOnly: true}
{{- end }}
{{- end -}}

{{- define "gptbot.store.caVolume" -}}
{{- if .Values.externalStore.caKey -}}
- name: store-ca
  secret: {secretName: {{ include "gptbot.text" .Values.externalStore.existingSecret | quote }}, items: [{key: {{ include "gptbot.text" .Values.externalStore.caKey | quote }}, path: ca.crt}]}
{{- end }}
{{- end -}}

{{- define "gptbot.model.name" -}}
{{ include "gptbot.fullname" . }}-model
{{- end -}}

{{/* Security context of a pod under the restricted Pod Security Standard. */}}
{{- define "gptbot.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{/* Security context of a container under the restricted Pod Security Standard. */}}
{{- define "gptbot.securityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}

{{/* Labels of a component's pods, without versions, which would roll them: call with (list $ "operator" .Values.operator). */}}
{{- define "gptbot.podLabels" -}}
{{- $values := index . 2 -}}
labels:
  {{- include "gptbot.selector" (list (index . 0) (index . 1)) | nindent 2 }}
  app.kubernetes.io/part-of: gptbot
  {{- with $values.podLabels }}
  {{- include "gptbot.strings" . | nindent 2 }}
  {{- end }}
{{- end -}}

{{/* Where a component's pods run: call with (list $ .Values.operator). */}}
{{- define "gptbot.scheduling" -}}
{{- $root := index . 0 -}}
{{- $values := index . 1 -}}
{{- with $root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ include "gptbot.text" . | quote }}
  {{- end }}
{{- end }}
{{- with $values.nodeSelector }}
nodeSelector:
  {{- include "gptbot.strings" . | nindent 2 }}
{{- end }}
{{- with $values.tolerations }}
tolerations:
  {{- range . }}
  {{- $toleration := deepCopy . }}
  {{- range $key, $value := pick . "key" "value" }}{{ $_ := set $toleration $key (include "gptbot.text" $value) }}{{ end }}
  - {{ toJson $toleration }}
  {{- end }}
{{- end }}
{{- with $values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with include "gptbot.text" $values.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- end -}}

{{/* Names of the Secrets that hold the keys of the default model, as YAML: `names: [a, b]`. */}}
{{- define "gptbot.defaults.secrets" -}}
{{- $names := list -}}
{{- $llm := default dict .Values.defaults.llm -}}
{{- range concat (list $llm (default dict $llm.transcription)) (default list $llm.fallbacks) -}}
{{- with .apiKeySecretRef }}{{ $names = append $names .name }}{{ end -}}
{{- end -}}
{{- dict "names" (sortAlpha (uniq $names)) | toYaml -}}
{{- end -}}
