{{- define "k8sidx.fullname" -}}
{{- if contains "k8sidx" .Release.Name -}}{{ .Release.Name | trunc 50 | trimSuffix "-" }}{{- else -}}{{ printf "%s-k8sidx" .Release.Name | trunc 50 | trimSuffix "-" }}{{- end -}}
{{- end -}}

{{- define "k8sidx.selector" -}}
app.kubernetes.io/name: k8sidx
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "k8sidx.labels" -}}
{{ include "k8sidx.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end -}}

{{- define "k8sidx.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}{{ default (include "k8sidx.fullname" .) .Values.serviceAccount.name }}{{- else -}}{{ default "default" .Values.serviceAccount.name }}{{- end -}}
{{- end -}}

{{- define "k8sidx.image" -}}
{{- if .Values.image.digest -}}{{ .Values.image.repository }}@{{ .Values.image.digest }}{{- else -}}{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}{{- end -}}
{{- end -}}

{{/* Fields of every pod: nothing talks to the API server. */}}
{{- define "k8sidx.pod" -}}
serviceAccountName: {{ include "k8sidx.serviceAccount" . }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "k8sidx.container" -}}
image: {{ include "k8sidx.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
{{- end -}}

{{- define "k8sidx.restricted" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "k8sidx.locked" -}}
readOnlyRootFilesystem: true
allowPrivilegeEscalation: false
capabilities: {drop: [ALL]}
{{- end -}}

{{- define "k8sidx.env" -}}
- name: K8SIDX_STORE
  value: {{ required "store.url is required: the https:// address of OpenSearch or Elasticsearch" .Values.store.url | quote }}
- name: K8SIDX_INDEX
  value: {{ .Values.store.index | quote }}
{{- if and .Values.store.credentialsSecret (not .Values.store.useApiKey) }}
- name: K8SIDX_USERNAME
  valueFrom: {secretKeyRef: {name: {{ .Values.store.credentialsSecret | quote }}, key: username}}
- name: K8SIDX_PASSWORD
  valueFrom: {secretKeyRef: {name: {{ .Values.store.credentialsSecret | quote }}, key: password}}
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "k8sidx.storeArgs" -}}
{{- if .Values.store.useApiKey }}
- --api-key-file=/etc/k8sidx/credentials/api-key
{{- end }}
{{- if or .Values.store.caSecret .Values.store.caConfigMap }}
- --ca-cert=/etc/k8sidx/ca/ca.crt
{{- end }}
{{- end -}}

{{- define "k8sidx.mounts" -}}
- {name: tmp, mountPath: /tmp}
{{- if .Values.store.useApiKey }}
- {name: credentials, mountPath: /etc/k8sidx/credentials, readOnly: true}
{{- end }}
{{- if or .Values.store.caSecret .Values.store.caConfigMap }}
- {name: ca, mountPath: /etc/k8sidx/ca, readOnly: true}
{{- end }}
{{- end -}}

{{- define "k8sidx.volumes" -}}
- {name: tmp, emptyDir: {}}
{{- if .Values.store.useApiKey }}
- name: credentials
  secret: {secretName: {{ required "store.credentialsSecret is required with useApiKey" .Values.store.credentialsSecret | quote }}, defaultMode: 0440}
{{- end }}
{{- if .Values.store.caSecret }}
- name: ca
  secret: {secretName: {{ .Values.store.caSecret | quote }}, defaultMode: 0444}
{{- else if .Values.store.caConfigMap }}
- name: ca
  configMap: {name: {{ .Values.store.caConfigMap | quote }}, defaultMode: 0444}
{{- end }}
{{- end -}}

{{/* Port and probes of parts that serve --metrics. */}}
{{- define "k8sidx.metrics" -}}
ports:
  - {name: metrics, containerPort: 9090}
livenessProbe:
  httpGet: {path: /healthz, port: metrics}
  initialDelaySeconds: 10
  periodSeconds: 20
readinessProbe:
  httpGet: {path: /readyz, port: metrics}
  periodSeconds: 10
{{- end -}}
