{{- /* Made by scripts/values_schema.py from the API: texts whose form the schema could only say with a pattern. */ -}}
{{- define "gptbot.validate.forms" -}}
{{- include "gptbot.validate.form" (list .Values.defaults (list "limits" "perUser" "per") "defaults" "^[1-9][0-9]{0,6}(s|m|h|d)$" "must be a whole number and its unit s, m, h or d, such as 90s, 5m, 24h or 7d") -}}
{{- include "gptbot.validate.form" (list .Values.defaults (list "limits" "perChat" "per") "defaults" "^[1-9][0-9]{0,6}(s|m|h|d)$" "must be a whole number and its unit s, m, h or d, such as 90s, 5m, 24h or 7d") -}}
{{- include "gptbot.validate.form" (list .Values.defaults (list "limits" "perBot" "per") "defaults" "^[1-9][0-9]{0,6}(s|m|h|d)$" "must be a whole number and its unit s, m, h or d, such as 90s, 5m, 24h or 7d") -}}
{{- include "gptbot.validate.form" (list .Values.defaults (list "limits" "mute" "first") "defaults" "^[1-9][0-9]{0,6}(s|m|h|d)$" "must be a whole number and its unit s, m, h or d, such as 90s, 5m, 24h or 7d") -}}
{{- include "gptbot.validate.form" (list .Values.defaults (list "limits" "mute" "longest") "defaults" "^[1-9][0-9]{0,6}(s|m|h|d)$" "must be a whole number and its unit s, m, h or d, such as 90s, 5m, 24h or 7d") -}}
{{- include "gptbot.validate.form" (list .Values.defaults (list "privacy" "retention") "defaults" "^[1-9][0-9]{0,6}(s|m|h|d)$" "must be a whole number and its unit s, m, h or d, such as 90s, 5m, 24h or 7d") -}}
{{- include "gptbot.validate.form" (list .Values.defaults (list "gateway" "resources" "requests" "*") "defaults" "^(\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))))?$" "must be an amount: of CPU such as 500m or 2, of memory such as 128Mi or 1Gi (MB is no unit: M and Mi are)") -}}
{{- include "gptbot.validate.form" (list .Values.defaults (list "gateway" "resources" "limits" "*") "defaults" "^(\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))))?$" "must be an amount: of CPU such as 500m or 2, of memory such as 128Mi or 1Gi (MB is no unit: M and Mi are)") -}}
{{- include "gptbot.validate.form" (list .Values.defaults (list "workers" "resources" "requests" "*") "defaults" "^(\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))))?$" "must be an amount: of CPU such as 500m or 2, of memory such as 128Mi or 1Gi (MB is no unit: M and Mi are)") -}}
{{- include "gptbot.validate.form" (list .Values.defaults (list "workers" "resources" "limits" "*") "defaults" "^(\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))))?$" "must be an amount: of CPU such as 500m or 2, of memory such as 128Mi or 1Gi (MB is no unit: M and Mi are)") -}}
{{- include "gptbot.validate.form" (list .Values.exampleBot.spec (list "platforms" "web" "access" "session") "exampleBot.spec" "^[1-9][0-9]{0,6}(s|m|h|d)$" "must be a whole number and its unit s, m, h or d, such as 90s, 5m, 24h or 7d") -}}
{{- include "gptbot.validate.form" (list .Values.exampleBot.spec (list "answerIn" "maxAge") "exampleBot.spec" "^[1-9][0-9]{0,6}(s|m|h|d)$" "must be a whole number and its unit s, m, h or d, such as 90s, 5m, 24h or 7d") -}}
{{- include "gptbot.validate.form" (list .Values.exampleBot.spec (list "context" "ttl") "exampleBot.spec" "^[1-9][0-9]{0,6}(s|m|h|d)$" "must be a whole number and its unit s, m, h or d, such as 90s, 5m, 24h or 7d") -}}
{{- include "gptbot.validate.form" (list .Values.exampleBot.spec (list "limits" "perUser" "per") "exampleBot.spec" "^[1-9][0-9]{0,6}(s|m|h|d)$" "must be a whole number and its unit s, m, h or d, such as 90s, 5m, 24h or 7d") -}}
{{- include "gptbot.validate.form" (list .Values.exampleBot.spec (list "limits" "perChat" "per") "exampleBot.spec" "^[1-9][0-9]{0,6}(s|m|h|d)$" "must be a whole number and its unit s, m, h or d, such as 90s, 5m, 24h or 7d") -}}
{{- include "gptbot.validate.form" (list .Values.exampleBot.spec (list "limits" "perBot" "per") "exampleBot.spec" "^[1-9][0-9]{0,6}(s|m|h|d)$" "must be a whole number and its unit s, m, h or d, such as 90s, 5m, 24h or 7d") -}}
{{- include "gptbot.validate.form" (list .Values.exampleBot.spec (list "limits" "mute" "first") "exampleBot.spec" "^[1-9][0-9]{0,6}(s|m|h|d)$" "must be a whole number and its unit s, m, h or d, such as 90s, 5m, 24h or 7d") -}}
{{- include "gptbot.validate.form" (list .Values.exampleBot.spec (list "limits" "mute" "longest") "exampleBot.spec" "^[1-9][0-9]{0,6}(s|m|h|d)$" "must be a whole number and its unit s, m, h or d, such as 90s, 5m, 24h or 7d") -}}
{{- include "gptbot.validate.form" (list .Values.exampleBot.spec (list "privacy" "retention") "exampleBot.spec" "^[1-9][0-9]{0,6}(s|m|h|d)$" "must be a whole number and its unit s, m, h or d, such as 90s, 5m, 24h or 7d") -}}
{{- include "gptbot.validate.form" (list .Values.exampleBot.spec (list "gateway" "resources" "requests" "*") "exampleBot.spec" "^(\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))))?$" "must be an amount: of CPU such as 500m or 2, of memory such as 128Mi or 1Gi (MB is no unit: M and Mi are)") -}}
{{- include "gptbot.validate.form" (list .Values.exampleBot.spec (list "gateway" "resources" "limits" "*") "exampleBot.spec" "^(\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))))?$" "must be an amount: of CPU such as 500m or 2, of memory such as 128Mi or 1Gi (MB is no unit: M and Mi are)") -}}
{{- include "gptbot.validate.form" (list .Values.exampleBot.spec (list "workers" "resources" "requests" "*") "exampleBot.spec" "^(\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))))?$" "must be an amount: of CPU such as 500m or 2, of memory such as 128Mi or 1Gi (MB is no unit: M and Mi are)") -}}
{{- include "gptbot.validate.form" (list .Values.exampleBot.spec (list "workers" "resources" "limits" "*") "exampleBot.spec" "^(\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))))?$" "must be an amount: of CPU such as 500m or 2, of memory such as 128Mi or 1Gi (MB is no unit: M and Mi are)") -}}
{{- include "gptbot.validate.form" (list .Values.exampleBot.spec (list "monitoring" "interval") "exampleBot.spec" "^[1-9][0-9]{0,6}(s|m|h|d)$" "must be a whole number and its unit s, m, h or d, such as 90s, 5m, 24h or 7d") -}}
{{- end -}}

{{- /* Value, steps to a text in it, where it stands, pattern, words. */ -}}
{{- define "gptbot.validate.form" -}}
{{- $value := index . 0 -}}{{- $steps := index . 1 -}}{{- $at := index . 2 -}}
{{- $pattern := index . 3 -}}{{- $words := index . 4 -}}
{{- if and $steps (kindIs "map" $value) -}}
{{- range $name, $inner := $value -}}
{{- if has (first $steps) (list "*" $name) -}}
{{- include "gptbot.validate.form" (list $inner (rest $steps) (printf "%s.%s" $at $name) $pattern $words) -}}
{{- end -}}
{{- end -}}
{{- else if and $steps (kindIs "slice" $value) -}}
{{- range $number, $inner := $value -}}
{{- include "gptbot.validate.form" (list $inner (rest $steps) (printf "%s[%d]" $at $number) $pattern $words) -}}
{{- end -}}
{{- else if and (not $steps) (kindIs "string" $value) (not (regexMatch $pattern $value)) -}}
{{- fail (printf "%s is %q: it %s" $at $value $words) -}}
{{- end -}}
{{- end -}}
