{{/* What GptBots may ask for, as the operator reads it (gptbot_operator/tenancy/allowed.py). */}}
{{- define "gptbot.tenancy.env" -}}
{{- with .Values.operator -}}
- {name: GPTBOT_TENANCY, value: {{ .tenancy | quote }}}
- {name: GPTBOT_ALLOWED_HOSTS, value: {{ join "," .allowedHosts | quote }}}
- {name: GPTBOT_ALLOWED_EXPOSE_HOSTS, value: {{ join "," .allowedExposeHosts | quote }}}
- {name: GPTBOT_ALLOWED_INGRESS_CLASSES, value: {{ join "," .allowedIngressClasses | quote }}}
- {name: GPTBOT_ALLOWED_INGRESS_ANNOTATIONS, value: {{ join "," .allowedIngressAnnotations | quote }}}
- {name: GPTBOT_ALLOWED_LABELS, value: {{ join "," .allowedLabels | quote }}}
- {name: GPTBOT_ALLOWED_ANNOTATIONS, value: {{ join "," .allowedAnnotations | quote }}}
- {name: GPTBOT_ALLOWED_EGRESS, value: {{ join "," .allowedEgress | quote }}}
- {name: GPTBOT_ALLOWED_PLATFORMS, value: {{ join "," .allowedPlatforms | quote }}}
{{- end }}
{{- end -}}

{{/* Regular expression (RE2) of the name in an entry of allowedHosts, without its port. */}}
{{- define "gptbot.tenancy.name" -}}
{{- $name := . | lower | trimSuffix "." -}}
{{- if eq $name "*" -}}
(\[[0-9a-f:.]+\]|[a-z0-9_]([a-z0-9._-]*[a-z0-9_.])?)
{{- else if hasPrefix "*." $name -}}
[a-z0-9_][a-z0-9._-]*\.{{ trimPrefix "*." $name | regexQuoteMeta }}\.?
{{- else -}}
{{ regexQuoteMeta $name }}\.?
{{- end -}}
{{- end -}}

{{/* Regular expression (RE2) of URLs, in lower case, whose host is one of a list of entries. */}}
{{- define "gptbot.tenancy.urls" -}}
{{- $ways := list -}}
{{- range . -}}
{{- $port := regexFind ":[0-9]+$" . -}}
{{- $name := include "gptbot.tenancy.name" (trimSuffix $port .) -}}
{{- $ways = append $ways (printf "https?://%s%s" $name (default "(:[0-9]{1,5})?" $port)) -}}
{{- if eq $port ":443" }}{{ $ways = append $ways (printf "https://%s" $name) }}{{ end -}}
{{- if eq $port ":80" }}{{ $ways = append $ways (printf "http://%s" $name) }}{{ end -}}
{{- end -}}
^({{ join "|" $ways }})([/?#]|$)
{{- end -}}

{{/* Hosts that bots may name: the allowed ones, and those that the installation gives them anyway; JSON of a list. */}}
{{- define "gptbot.tenancy.hosts" -}}
{{- $hosts := concat (default list .Values.operator.allowedHosts) (list "api.telegram.org:443" "discord.com:443") -}}
{{- $llm := default dict .Values.defaults.llm -}}
{{- range concat (list $llm (default dict $llm.transcription)) (default list $llm.fallbacks) -}}
{{- with .baseUrl -}}
{{- $url := urlParse . -}}
{{- $port := regexFind ":[0-9]+$" $url.host -}}
{{- $hosts = append $hosts (printf "%s%s" $url.host (ternary "" (ternary ":443" ":80" (eq $url.scheme "https")) (ne $port ""))) -}}
{{- end -}}
{{- end -}}
{{- if .Values.model.enabled -}}
{{- $hosts = append $hosts (printf "%s.%s.svc:8000" (include "gptbot.model.name" .) .Release.Namespace) -}}
{{- end -}}
{{- toJson $hosts -}}
{{- end -}}

{{/* CEL: whether the key `k` is one of a list of names, `*` at the end of one standing for whatever follows. */}}
{{- define "gptbot.tenancy.key" -}}
{{- $ways := list "false" -}}
{{- range . -}}
{{- if hasSuffix "*" . -}}
{{- $ways = append $ways (printf "k.startsWith(%s)" (trimSuffix "*" . | toJson)) -}}
{{- else -}}
{{- $ways = append $ways (printf "k == %s" (toJson .)) -}}
{{- end -}}
{{- end -}}
{{- join " || " $ways -}}
{{- end -}}

{{/* Who serves bots here, as status.servedBy has it. */}}
{{- define "gptbot.lease" -}}
{{ .Release.Namespace }}/{{ include "gptbot.fullname" . }}-operator
{{- end -}}

{{/* CEL: whether a GptBot (an expression) is this installation's to judge: its own, or nobody's yet. */}}
{{- define "gptbot.tenancy.served" -}}
{{- $lease := include "gptbot.lease" .root | squote -}}
{{ .bot }}.spec.?operator.orValue({{ .bot }}.?status.?servedBy.orValue({{ $lease }})) == {{ $lease }}
{{- end -}}

{{/* CEL: the pod templates in a spec (an expression). */}}
{{- define "gptbot.tenancy.templates" -}}
[{{ . }}.?podTemplate, {{ . }}.?gateway.?podTemplate, {{ . }}.?workers.?podTemplate]
.filter(t, t.hasValue()).map(t, t.value())
{{- end -}}

{{/* CEL: the addresses in a spec that a bot, or something for it, is to talk to. */}}
{{- define "gptbot.tenancy.addresses" -}}
[{{ . }}.?llm.?baseUrl, {{ . }}.?llm.?transcription.?baseUrl, {{ . }}.?safety.?moderation.?baseUrl,
{{ . }}.platforms.?discord.?apiBaseUrl, {{ . }}.platforms.?telegram.?apiBaseUrl,
{{ . }}.platforms.?telegram.?webhook.?url, {{ . }}.platforms.?web.?access.?oidc.?issuer,
{{ . }}.platforms.?web.?access.?token.?keysUrl].filter(a, a.hasValue()).map(a, a.value())
+ {{ . }}.?llm.?fallbacks.orValue([]).map(f, f.baseUrl)
{{- end -}}

{{/* CEL: the annotations of expose in a spec. */}}
{{- define "gptbot.tenancy.annotations" -}}
[{{ . }}.?expose.?ingress.?annotations, {{ . }}.?expose.?route.?annotations]
.filter(a, a.hasValue()).map(a, a.value())
{{- end -}}

{{/*
CEL: whether the security context `c` is no weaker than the restricted Pod Security Standard, as far as it is not the
same as before. `old`: CEL of lists of old contexts.
*/}}
{{- define "gptbot.tenancy.context" -}}
{{ .old }}.exists(b, c in b) || (type(c) == map && c.all(k,
(k in ['allowPrivilegeEscalation', 'appArmorProfile', 'capabilities', 'fsGroup', 'fsGroupChangePolicy',
'privileged', 'procMount', 'readOnlyRootFilesystem', 'runAsGroup', 'runAsNonRoot', 'runAsUser', 'seLinuxOptions',
'seccompProfile', 'supplementalGroups', 'supplementalGroupsPolicy'] && c[k] != null
&& (!(k in ['allowPrivilegeEscalation', 'privileged']) || c[k] == false)
&& (k != 'runAsNonRoot' || c[k] == true)
&& (k != 'runAsUser' || (type(c[k]) == int && c[k] > 0))
&& (k != 'procMount' || c[k] == 'Default')
&& (!(k in ['appArmorProfile', 'seccompProfile']) || c[k].?type.orValue('') in ['RuntimeDefault', 'Localhost'])
&& (k != 'capabilities' || (c[k].all(f, f in ['add', 'drop'])
&& c[k].?add.orValue([]).all(name, name == 'NET_BIND_SERVICE') && 'ALL' in c[k].?drop.orValue(['ALL'])))
&& (k != 'seLinuxOptions' || (c[k].all(f, f in ['type', 'level']) && c[k].?type.orValue('') in
['', 'container_t', 'container_init_t', 'container_kvm_t', 'container_engine_t'])))
|| {{ .old }}.exists(b, b.exists(o, type(o) == map && k in o && o[k] == c[k]))))
{{- end -}}
