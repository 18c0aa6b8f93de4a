"""Places of secrets in tokens of services, connection strings, headers, patches, messages, and
objects of other projects."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.building import event
from tests.events.normalize.secret_commands import pod
from tests.events.normalize.secret_places import b64, of, patch, thing

Plant = Callable[[str], dict[str, Any]]

Event = dict[str, Any]

SERVICE_TOKENS: tuple[str, ...] = (
    "ghp_{}{}{}", "github_pat_{}{}", "glpat-{}{}", "xoxb-1234567890-{}", "xoxp-12-34-{}",
    "sk-{}{}{}{}", "sk-proj-{}{}", "sk-svcacct-{}{}", "AIza{}{}{}", "ya29.{}{}", "npm_{}{}{}",
    "hvs.{}{}",
    "SG.{}{}.{}{}", "AKIAIOSFODNN7EXAMPLE:{}{}{}xx", "dop_v1_{}{}{}{}",
    "eyJhbGciOiJIUzI1NiJ9.eyJhIjoxfQ.{}",
    "GOCSPX-{}{}", "AccountKey={}{}==", "SharedAccessKey={}=",
    "SharedAccessSignature sr=x&sig={}&se=1",
    "sv=2020&sig={}&se=1", "lin_api_{}{}{}", "rk_live_{}{}", "sk_test_{}{}",
    "hf_{}{}{}", "pul-{}{}{}{}", "atlasv1.{}{}", "dapi{}{}", "shpss_{}{}{}", "glsa_{}{}_x",
    "EAACEdEose0cBA{}{}", "ATATT3xFfGF0{}{}", "whsec_{}{}", "v1.0-{}{}-{}{}", "nvapi-{}{}{}",
    "gsk_{}{}{}{}",
    "xai-{}{}{}{}", "https://hooks.slack.com/services/T0/B0/{}",
    "https://api.telegram.org/bot12345678:AA{}{}{}/x",
    "123456789:AA{}{}xxxxxxxxx",
)  # fmt: skip
"""Tokens of services."""
CONNECTIONS: tuple[str, ...] = (
    "Server=db;Database=x;User Id=sa;Password={};", "Server=db;Uid=sa;Pwd={};",
    "Data Source=x;User ID=a;Password='{}'",
    "DefaultEndpointsProtocol=https;AccountName=x;AccountKey={}{};EndpointSuffix=y",
    "Endpoint=sb://x/;SharedAccessKeyName=Root;SharedAccessKey={}=", "amqp://bob:{}@mq:5672/v",
    "mongodb+srv://bob:{}@c.example.com/x", "mongodb://bob:{}@a,b/x?replicaSet=r",
    "redis://:{}@cache:6379/0",
    "postgres://bob:{}@db/x?sslmode=off", "jdbc:mysql://db/x?user=bob&password={}",
    "jdbc:oracle:thin:bob/{}@db:1521/x",
    "host=db user=bob password={} dbname=x", "bob:{}@tcp(db:3306)/x", "ldap://cn=a:{}@h",
    "smtp://bob:{}@mail:25",
    "mssql+pyodbc://sa:{}@db/x", "https://{}@github.com/x/y.git",
    "https://{}@o1.ingest.sentry.io/1",
    "rediss://default:{}@h:1", "nats://{}@nats:4222", "sftp://bob:{}@h/x",
    "https://oauth2:{}@gitlab.com/x",
    "git+https://x-access-token:{}@github.com/x", "clickhouse://h/?user=a&password={}",
    "http://bob:p%40{}@h/",
    "https://bob:{}/x@h/", "https://bob:{}#1@h/", "https://bob:a@{}@h/",
)  # fmt: skip
"""Connection strings."""
HEADERS: tuple[str, ...] = (
    "Authorization: Bearer {}", "Authorization: Token {}", "Authorization: {}",
    "Authorization: Basic {}", "Authorization: ApiKey {}",
    "X-Api-Key: {}", "Set-Cookie: sid={}; Path=/", "Cookie: sid={}", "X-Auth-Token: {}",
    "X-Vault-Token: {}",
    "Proxy-Authorization: Basic {}", "PRIVATE-TOKEN: {}", "X-Amz-Security-Token: {}",
    "X-Shopify-Access-Token: {}", "X-CSRF-Token: {}",
    "Authorization: Digest username=a, response={}",
)  # fmt: skip
"""Headers of HTTP."""

CARRIERS: dict[str, Callable[[str], Event]] = {
    "a member": lambda text: thing({"x": text}),
    "a variable": lambda text: pod(env=[{"name": "X", "value": text}]),
    "an argument": lambda text: pod(args=["run", text]),
    "an annotation": lambda text: event("patch", "pods", requestObject={
        "metadata": {"annotations": {"example.com/x": text}}}),
    "a message": lambda text: event("create", "events", requestObject={
        "kind": "Event", "message": f"failed: {text}"}),
    "an error": lambda text: event(responseStatus={"code": 500, "message": f"failed: {text}"}),
    "an unknown key": lambda text: event(shipper={"note": text}),
}  # fmt: skip
"""Where such a text stands."""


def patch_text(secret: str) -> str:
    operation = {"op": "add", "path": "/spec/password", "value": secret}
    return json.dumps({"patch": b64(json.dumps([operation]))})


OBJECTS: dict[str, Plant] = {
    "a patch of an annotation": lambda s: patch(("/metadata/annotations/example.com~1token", s)),
    "a patch of an applied configuration": lambda s: patch(
        ("/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration", s)
    ),
    "a patch whose slash is percent-encoded": lambda s: patch(("/spec/db%2Fpassword", s)),
    "a patch of a parent": lambda s: patch(("", {"spec": {"password": s}})),
    "a patch of data": lambda s: of(
        "secrets", "", [{"op": "replace", "path": "/data", "value": {"p": s}}], "patch"
    ),
    "a patch of everything": lambda s: of(
        "secrets", "", [{"op": "replace", "path": "", "value": {"data": {"p": s}}}], "patch"
    ),
    "a test": lambda s: of("secrets", "", [{"op": "test", "path": "/data/p", "value": s}], "patch"),
    "a test of a member": lambda s: of(
        "things", "example.com", [{"op": "test", "path": "/spec/password", "value": s}], "patch"
    ),
    "a patch with a path in capitals": lambda s: of(
        "things", "example.com", [{"op": "add", "Path": "/spec/password", "Value": s}], "patch"
    ),
    "a patch of a list": lambda s: patch(("/spec/passwords/-", s)),
    "a patch of a list's place": lambda s: patch(("/spec/passwords/0", s)),
    "a patch of a map": lambda s: patch(("/spec/credentials/alice", s)),
    "a patch of string data in a template": lambda s: patch(("/spec/template/stringData/p", s)),
    "a patch from": lambda s: of(
        "things", "example.com", [{"op": "copy", "path": "/a", "from": f"/x/password={s}"}], "patch"
    ),
    "a strategic merge": lambda s: event(
        "patch",
        "deployments",
        requestObject={
            "spec": {
                "template": {
                    "spec": {
                        "$setElementOrder/containers": [{"name": "a"}],
                        "containers": [
                            {
                                "name": "a",
                                "$setElementOrder/env": [{"name": "DB_PASSWORD"}],
                                "env": [{"$patch": "replace"}, {"name": "DB_PASSWORD", "value": s}],
                            }
                        ],
                    }
                }
            }
        },
    ),
    "a strategic merge of data": lambda s: of(
        "secrets", "", {"data": {"$patch": "replace", "p": s}}, "patch"
    ),
    "a merge of primitives": lambda s: of(
        "things",
        "example.com",
        {"spec": {"$setElementOrder/passwords": [s], "$deleteFromPrimitiveList/tokens": [s]}},
        "patch",
    ),
    "a retained key": lambda s: of(
        "secrets", "", {"data": {"$retainKeys": ["p"], "p": s}}, "patch"
    ),
    "a ConfigMap": lambda s: of(
        "configmaps", "", {"kind": "ConfigMap", "data": {"a": s}, "binaryData": {"b": b64(s)}}
    ),
    "a ConfigMap in a list": lambda s: of(
        "lists", "", {"kind": "List", "items": [{"kind": "ConfigMap", "data": {"a": s}}]}
    ),
    "a Secret's annotation of any kind": lambda s: of(
        "secrets", "", {"kind": "Secret", "metadata": {"annotations": {"password": s}}}
    ),
    "a template of External Secrets": lambda s: of(
        "externalsecrets",
        "external-secrets.io",
        {"kind": "ExternalSecret", "spec": {"target": {"template": {"data": {"config": s}}}}},
    ),
    "a template of External Secrets, text": lambda s: of(
        "externalsecrets",
        "external-secrets.io",
        {
            "kind": "ExternalSecret",
            "spec": {
                "target": {
                    "template": {
                        "engineVersion": "v2",
                        "data": {"x.yaml": f"url: http://a\npassword: {s}"},
                    }
                }
            },
        },
    ),
    "a fake store of External Secrets": lambda s: of(
        "secretstores",
        "external-secrets.io",
        {
            "kind": "SecretStore",
            "spec": {"provider": {"fake": {"data": [{"key": "a", "value": s}]}}},
        },
    ),
    "a PushSecret": lambda s: of(
        "pushsecrets",
        "external-secrets.io",
        {"kind": "PushSecret", "spec": {"template": {"data": {"a": s}}}},
    ),
    "a Password generator": lambda s: of(
        "webhooks",
        "generators.external-secrets.io",
        {"kind": "Webhook", "spec": {"headers": {"X-Token": s}}},
    ),
    "a sealed secret's template": lambda s: of(
        "sealedsecrets",
        "bitnami.com",
        {"kind": "SealedSecret", "spec": {"template": {"data": {"a": s}}}},
    ),
    "an inline key of cert-manager": lambda s: of(
        "issuers",
        "cert-manager.io",
        {
            "kind": "Issuer",
            "spec": {"acme": {"externalAccountBinding": {"keyID": "a", "hmacKey": s}}},
        },
    ),
    "a repository of Argo CD": lambda s: of(
        "secrets",
        "",
        {"kind": "Secret", "stringData": {"url": "x", "sshPrivateKey": s, "password": s}},
    ),
    "an Application's repository": lambda s: of(
        "applications",
        "argoproj.io",
        {"kind": "Application", "spec": {"source": {"repoURL": f"https://bob:{s}@x/y"}}},
    ),
    "an Application's parameters": lambda s: of(
        "applications",
        "argoproj.io",
        {
            "kind": "Application",
            "spec": {
                "source": {
                    "kustomize": {
                        "patches": [
                            {
                                "patch": json.dumps(
                                    [{"op": "add", "path": "/spec/password", "value": s}]
                                )
                            }
                        ]
                    }
                }
            },
        },
    ),
    "an Application's environment": lambda s: of(
        "applications",
        "argoproj.io",
        {"spec": {"source": {"plugin": {"env": [{"name": "TOKEN", "value": s}]}}}},
    ),
    "Flux's substitutions": lambda s: of(
        "kustomizations",
        "kustomize.toolkit.fluxcd.io",
        {
            "kind": "Kustomization",
            "spec": {
                "postBuild": {"substitute": {"db_password": s}},
                "patches": [{"patch": f"kind: Secret\nstringData:\n  a: {s}\n"}],
            },
        },
    ),
    "Flux's release": lambda s: of(
        "helmreleases",
        "helm.toolkit.fluxcd.io",
        {"kind": "HelmRelease", "spec": {"values": {"a": s}}},
    ),
    "Flux's post-rendering": lambda s: of(
        "helmreleases",
        "helm.toolkit.fluxcd.io",
        {
            "kind": "HelmRelease",
            "spec": {
                "postRenderers": [
                    {"kustomize": {"patches": [{"patch": f"kind: Secret\nstringData: {{a: {s}}}"}]}}
                ]
            },
        },
    ),
    "a Crossplane composition": lambda s: of(
        "compositions",
        "apiextensions.crossplane.io",
        {"spec": {"resources": [{"base": {"kind": "Secret", "data": {"a": s}}}]}},
    ),
    "a Tekton parameter": lambda s: of(
        "pipelineruns", "tekton.dev", {"spec": {"params": [{"name": "git-token", "value": s}]}}
    ),
    "a workflow's argument": lambda s: of(
        "workflows",
        "argoproj.io",
        {"spec": {"arguments": {"parameters": [{"name": "password", "value": s}]}}},
    ),
    "a Grafana": lambda s: of(
        "grafanas",
        "grafana.integreatly.org",
        {"spec": {"config": {"security": {"admin_password": s}}}},
    ),
    "an Alertmanager": lambda s: of(
        "alertmanagerconfigs",
        "monitoring.coreos.com",
        {
            "spec": {
                "receivers": [
                    {"slackConfigs": [{"apiURL": f"https://hooks.slack.com/services/T/B/{s}"}]}
                ]
            }
        },
    ),
    "Prometheus's basic login": lambda s: thing(
        {"remoteWrite": [{"basicAuth": {"username": "a", "password": s}, "bearerToken": s}]}
    ),
    "a VirtualMachine's cloud-init": lambda s: of(
        "virtualmachines",
        "kubevirt.io",
        {
            "spec": {
                "volumes": [{"cloudInitNoCloud": {"userData": f"#cloud-config\npassword: {s}\n"}}]
            }
        },
    ),
    "an ignition file": lambda s: of(
        "machineconfigs",
        "machineconfiguration.openshift.io",
        {
            "spec": {
                "config": {
                    "storage": {"files": [{"contents": {"source": f"data:,password%3D{s}"}}]}
                }
            }
        },
    ),
    "an ignition login": lambda s: of(
        "machineconfigs",
        "machineconfiguration.openshift.io",
        {"spec": {"config": {"passwd": {"users": [{"name": "core", "passwordHash": s}]}}}},
    ),
    "an identity provider": lambda s: of(
        "oauths",
        "config.openshift.io",
        {"spec": {"identityProviders": [{"ldap": {"bindPassword": s}}]}},
    ),
    "an OAuth client": lambda s: of(
        "oauthclients",
        "oauth.openshift.io",
        {"kind": "OAuthClient", "secret": s, "additionalSecrets": [s]},
    ),
    "an OAuth access token": lambda s: of(
        "oauthaccesstokens",
        "oauth.openshift.io",
        {"kind": "OAuthAccessToken", "authorizeToken": s, "refreshToken": s},
    ),
    "a build's webhook": lambda s: of(
        "buildconfigs", "build.openshift.io", {"spec": {"triggers": [{"generic": {"secret": s}}]}}
    ),
    "a user's hash": lambda s: thing({"htpasswd": f"bob:$2y$05${s}"}),
    "a message of an Event": lambda s: event(
        "create",
        "events",
        requestObject={"kind": "Event", "message": f'Error: unable to parse "password={s}"'},
    ),
    "an error that quotes a value": lambda s: (
        of("secrets", "", None)
        | {"responseStatus": {"code": 400, "message": f'unable to parse "{s}" as base64'}}
    ),
    "an error that quotes with marks": lambda s: (
        of("secrets", "", None)
        | {
            "responseStatus": {
                "code": 400,
                "message": f"json: cannot unmarshal `{s}` into v1.Secret",
            }
        }
    ),
    "an error that quotes escaped": lambda s: (
        of("secrets", "", None)
        | {
            "responseStatus": {
                "code": 422,
                "message": f'Secret "a" is invalid: data[p]: Invalid value: "a\\"{s}": no',
            }
        }
    ),
    "an error that quotes a number": lambda s: (
        of("secrets", "", None)
        | {
            "responseStatus": {
                "code": 422,
                "message": f'Unsupported value: "{s}": supported values: "a"',
            }
        }
    ),
    "an error of an object": lambda s: (
        of("secrets", "", None)
        | {"responseStatus": {"code": 422, "message": f'Invalid value: {{"p":"{s}"}}: bad'}}
    ),
    "a cause's message": lambda s: (
        of("secrets", "", None)
        | {
            "responseStatus": {
                "code": 422,
                "details": {"causes": [{"message": f'Invalid value: "{s}": bad', "field": "data"}]},
            }
        }
    ),
    "a duplicate's message": lambda s: (
        of("secrets", "", None)
        | {"responseStatus": {"code": 422, "message": f'data[p]: Duplicate value: "{s}"'}}
    ),
    "an error about a variable": lambda s: event(
        "create",
        "pods",
        responseStatus={
            "code": 422,
            "message": f'spec.containers[0].env[0].password: Invalid value: "{s}": must be',
        },
    ),
    "an error that quotes a document": lambda s: event(
        "create",
        "pods",
        responseStatus={
            "code": 400,
            "message": f'error decoding: {{"kind":"Secret","data":{{"p":"{s}"}}}}',
        },
    ),
    "an error that quotes a member": lambda s: event(
        "create",
        "pods",
        responseStatus={"code": 400, "message": f'unknown field: {{"password":"{s}"}}'},
    ),
    "an error in escapes": lambda s: event(
        "create",
        "pods",
        responseStatus={"code": 400, "message": f'error: {{\\"password\\":\\"{s}\\"}}'},
    ),
    "an error with a number of a member": lambda s: event(
        "create", "pods", responseStatus={"code": 400, "message": f"password: {s}"}
    ),
    "an annotation that quotes": lambda s: event(
        annotations={"mutation.webhook.admission.k8s.io/round_0_index_0": patch_text(s)}
    ),
    "a TokenReview": lambda s: event(
        "create",
        "tokenreviews",
        requestObject={"kind": "TokenReview", "spec": {"token": s, "audiences": ["x"]}},
    ),
    "a TokenReview of another version": lambda s: of(
        "tokenreviews", "authentication.k8s.io", {"kind": "tokenreview", "spec": {"Token": s}}
    ),
    "a SelfSubjectReview": lambda s: event(
        "create",
        "selfsubjectreviews",
        responseObject={"status": {"userInfo": {"username": "a", "extra": {"token": [s]}}}},
    ),
    "an AdmissionReview": lambda s: thing(
        {
            "request": {
                "object": {"kind": "Secret", "data": {"p": s}},
                "oldObject": {"kind": "Secret", "data": {"p": s}},
            }
        }
    ),
    "a table": lambda s: event(
        "list",
        "secrets",
        responseObject={
            "kind": "Table",
            "rows": [{"cells": ["a"], "object": {"kind": "Secret", "data": {"p": s}}}],
        },
    ),
    "a table of whole objects": lambda s: event(
        "list",
        "secrets",
        responseObject={"kind": "Table", "rows": [{"cells": ["a"], "object": {"data": {"p": s}}}]},
    ),
    "a watch event": lambda s: event(
        "watch", "secrets", responseObject={"type": "ADDED", "object": {"data": {"p": s}}}
    ),
    "a list without a kind": lambda s: event(
        "list", "secrets", responseObject={"items": [{"data": {"p": s}}]}
    ),
    "a bootstrap token": lambda s: of(
        "secrets",
        "",
        {
            "kind": "Secret",
            "type": "bootstrap.kubernetes.io/token",
            "stringData": {"token-secret": s},
        },
    ),
    "an eviction's options": lambda s: event(
        "create",
        "pods",
        subresource="eviction",
        requestObject={"deleteOptions": {"preconditions": {"uid": f"token={s}"}}},
    ),
    "a volume of flex": lambda s: event(
        "create",
        "pods",
        requestObject={"spec": {"volumes": [{"flexVolume": {"options": {"passwd": s}}}]}},
    ),
    "a volume of iSCSI": lambda s: event(
        "create",
        "pods",
        requestObject={
            "spec": {
                "volumes": [
                    {"iscsi": {"chapAuthSession": True, "initiatorName": f"x password={s}"}}
                ]
            }
        },
    ),
    "a git repository": lambda s: event(
        "create",
        "pods",
        requestObject={
            "spec": {"volumes": [{"gitRepo": {"repository": f"https://x:{s}@github.com/a"}}]}
        },
    ),
    "an init container's argument": lambda s: event(
        "create",
        "pods",
        requestObject={"spec": {"initContainers": [{"args": ["--set", f"db.password={s}"]}]}},
    ),
    "Helm's --set": lambda s: pod(
        args=["helm", "upgrade", "x", "--set", f"a=1,dbPassword={s},b=2"]
    ),
    "an ephemeral container": lambda s: event(
        "patch",
        "pods",
        subresource="ephemeralcontainers",
        requestObject={
            "spec": {"ephemeralContainers": [{"env": [{"name": "T_TOKEN", "value": s}]}]}
        },
    ),
    "words split over arguments": lambda s: pod(command=["mysql"], args=["-uroot", "-p" + s]),
    "a command's words in a custom resource": lambda s: thing({"run": ["tool", "-p", s]}),
    "a webhook's URL": lambda s: of(
        "mutatingwebhookconfigurations",
        "admissionregistration.k8s.io",
        {"webhooks": [{"clientConfig": {"url": f"https://x/y?token={s}"}}]},
    ),
    "a cluster's kubeconfig": lambda s: thing(
        {"value": {"apiVersion": "v1", "users": [{"user": {"password": s}}]}}
    ),
    "a name and its text": lambda s: thing({"settings": [{"name": "smtp.password", "text": s}]}),
    "a key and its values": lambda s: thing({"settings": [{"key": "apiToken", "values": [s]}]}),
    "a query's parameters": lambda s: thing({"x": f"a=1&client_secret={s}&b=2"}),
}
"""A plant by its place."""
