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
