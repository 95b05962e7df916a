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

{{/* CEL: whether the security context `c` is no weaker than the restricted Pod Security Standard. */}}
{{- define "gptbot.tenancy.context" -}}
type(c) == map
&& c.all(k, k in ['allowPrivilegeEscalation', 'appArmorProfile', 'capabilities', 'fsGroup', 'fsGroupChangePolicy',
'privileged', 'procMount', 'readOnlyRootFilesystem', 'runAsGroup', 'runAsNonRoot', 'runAsUser', 'seLinuxOptions',
'seccompProfile', 'supplementalGroups', 'supplementalGroupsPolicy'] && c[k] != null)
&& c.?allowPrivilegeEscalation.orValue(false) == false
&& c.?privileged.orValue(false) == false
&& c.?runAsNonRoot.orValue(true) == true
&& (!has(c.runAsUser) || (type(c.runAsUser) == int && c.runAsUser > 0))
&& c.?procMount.orValue('Default') == 'Default'
&& (!has(c.seccompProfile) || c.seccompProfile.?type.orValue('') in ['RuntimeDefault', 'Localhost'])
&& (!has(c.appArmorProfile) || c.appArmorProfile.?type.orValue('') in ['RuntimeDefault', 'Localhost'])
&& (!has(c.capabilities) || (c.capabilities.all(k, k in ['add', 'drop'])
&& c.capabilities.?add.orValue([]).all(name, name == 'NET_BIND_SERVICE')
&& 'ALL' in c.capabilities.?drop.orValue(['ALL'])))
&& (!has(c.seLinuxOptions) || (c.seLinuxOptions.all(k, k in ['type', 'level'])
&& c.seLinuxOptions.?type.orValue('') in
['', 'container_t', 'container_init_t', 'container_kvm_t', 'container_engine_t']))
{{- end -}}
