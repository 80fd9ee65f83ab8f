{{- define "typosentinel.fullname" -}}
{{- .Values.fullnameOverride | default .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- end -}}

{{- define "typosentinel.operator" -}}
{{ include "typosentinel.fullname" . }}-operator
{{- end -}}

{{- define "typosentinel.selector" -}}
app.kubernetes.io/name: typosentinel-operator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "typosentinel.labels" -}}
{{ include "typosentinel.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/component: operator
app.kubernetes.io/part-of: typosentinel
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "typosentinel.webhook" -}}
{{ include "typosentinel.fullname" . }}-webhook
{{- end -}}

{{/* On, unless the operator, whose rights end at some namespaces, would need one to a thing of the whole cluster. */}}
{{- define "typosentinel.webhook.on" -}}
{{- if and .Values.webhook.enabled (or (empty .Values.operator.watchNamespaces) (eq .Values.webhook.certificates.source "CertManager")) -}}
true
{{- end -}}
{{- end -}}

{{/* Whether the operator makes its certificates. */}}
{{- define "typosentinel.webhook.ours" -}}
{{- if and (include "typosentinel.webhook.on" .) (eq .Values.webhook.certificates.source "Operator") -}}
true
{{- end -}}
{{- end -}}

{{- define "typosentinel.webhook.selector" -}}
app.kubernetes.io/name: typosentinel-webhook
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "typosentinel.webhook.labels" -}}
{{ include "typosentinel.webhook.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/component: webhook
app.kubernetes.io/part-of: typosentinel
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version | replace "+" "_" }}
{{- end -}}
