"""Places of secrets that a name or a command marks: a member, a sibling, a line, a document."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable
from typing import Any

import yaml

from tests.building import event

Event = dict[str, Any]
Plant = Callable[[str], Event]


def b64(text: str | bytes) -> str:
    return base64.b64encode(text.encode() if isinstance(text, str) else text).decode()


def of(resource: str, group: str, body: Any, verb: str = "create") -> Event:
    reference = {"resource": resource, "apiGroup": group, "name": "x", "namespace": "shop"}
    return event(verb, resource, objectRef=reference, level="RequestResponse", requestObject=body)


def thing(spec: Any) -> Event:
    return of("things", "example.com", {"kind": "Thing", "spec": spec})


def patch(*operations: tuple[str, Any]) -> Event:
    body = [{"op": "add", "path": path, "value": value} for path, value in operations]
    return of("things", "example.com", body, "patch")


def kubeconfig(secret: str) -> str:
    user = {"name": "a", "user": {"token": secret}}
    return yaml.safe_dump({"apiVersion": "v1", "kind": "Config", "clusters": [], "users": [user]})


def registries(secret: str) -> Event:
    return {"auths": {"r.example.com": {"auth": b64(f"user:{secret}")}}}


def cloud_config(secret: str) -> str:
    return (
        f"#cloud-config\nhostname: web\npassword: {secret}\nchpasswd:\n  list: |\n    a:{secret}\n"
    )


MEMBERS = (
    "password", "db.password", "adminPassword", "PGPASSWORD", "passWord", "clientSecret",
    "client-secret", "CLIENT_SECRET", "token", "bearerToken", "api_key", "apiKey", "APIKEY",
    "accessKey", "secretKey", "private-key", "passphrase", "passwordHash", "token2", "tokenValue",
    "secret_string", "userPass", "DB_PASS", "pwd", "smtpPwd", "pw", "connectionString",
    "dsn", "sharedKey", "licenseKey", "credentials", "Authorization", "cookie", "jwt",
    "restuserkey", "psk",
)  # fmt: skip
"""Names whose values are secret, in objects of any kind."""

NAMED: dict[str, Plant] = {
    "a member": lambda s: thing({"database": {"password": s}}),
    "a member of an answer's items": lambda s: event(
        "list", "things", responseObject={"items": [{"spec": {"x": [{"clientSecret": s}]}}]}
    ),
    "a list": lambda s: thing({"passwords": [s, "x9"]}),
    "a map": lambda s: thing({"credentials": {"alice": s}}),
    "a value below": lambda s: thing({"password": {"value": s}}),
    "a password that is a number": lambda s: thing({"password": 31337, "token": s}),
    "a map of variables": lambda s: thing({"env": {"DB_PASSWORD": s}}),
    "a list of variables": lambda s: thing({"extraEnv": [{"name": "DB_PASSWORD", "value": s}]}),
    "assignments": lambda s: thing({"env": ["MODE=x", f"API_TOKEN={s}", f"SECRET={s}"]}),
    "parameters": lambda s: thing({"parameters": [
        {"ParameterKey": "DbPassword", "ParameterValue": s}]}),
    "a default": lambda s: of("templates", "template.openshift.io", {"kind": "Template",
        "parameters": [{"name": "DB_PASSWORD", "displayName": "x", "value": s}]}),
    "a pod template in a custom resource": lambda s: thing({"template": {"spec": {"containers": [
        {"name": "a", "env": [{"name": "DB_PASSWORD", "value": s}]}]}}}),
    "a patch of a member": lambda s: patch(("/spec/database/password", s)),
    "a patch of a variable": lambda s: patch(("/spec/extraEnv/-", {"name": "TOKEN", "value": s})),
    "a patch of a variable's value": lambda s: patch(("/spec/extraEnv/3/value", s)),
    "a patch of an object": lambda s: patch(("/spec", {"oidc": {"clientSecret": s}})),
    "an annotation": lambda s: event("patch", "pods",
        requestObject={"metadata": {"annotations": {"token": s}}}),
    "a webhook's patch": lambda s: event(annotations={"patch.webhook.admission.k8s.io/round_0": (
        json.dumps({"patch": [{"op": "add", "path": "/spec/password", "value": s}]}))}),
    "the user's extra": lambda s: {**event(), "user": {"username": "a", "extra": {"token": [s]}}},
    "a certificate request's extra": lambda s: event("create", "certificatesigningrequests",
        requestObject={"kind": "CertificateSigningRequest", "spec": {
            "request": b64("x"), "extra": {"token": [s]}}}),
    "a storage class": lambda s: of("storageclasses", "storage.k8s.io", {
        "kind": "StorageClass", "parameters": {"adminPassword": s}}),
    "a volume's attributes": lambda s: event("create", "persistentvolumes", requestObject={
        "kind": "PersistentVolume", "spec": {"csi": {"volumeAttributes": {"password": s}}}}),
    "a pod's volume": lambda s: event("create", "pods", requestObject={
        "kind": "Pod", "spec": {"volumes": [{"csi": {"volumeAttributes": {"secretKey": s}}}]}}),
    "a join configuration": lambda s: thing(
        {"discovery": {"bootstrapToken": {"token": f"abcdef.{s}"}}}),
    "a template of a Secret": lambda s: thing({"target": {"template": {"data": {"password": s}}}}),
    "Helm's values as text": lambda s: of("applications", "argoproj.io", {"kind": "Application",
        "spec": {"source": {"helm": {"values": f"db:\n  password: {s}\n"}}}}),
    "Helm's values as an object": lambda s: of("applications", "argoproj.io", {
        "spec": {"source": {"helm": {"valuesObject": {"db": {"password": s}}}}}}),
    "Helm's parameters": lambda s: of("applications", "argoproj.io", {
        "spec": {"source": {"helm": {"parameters": [{"name": "db.password", "value": s}]}}}}),
    "Helm's values with an alias": lambda s: thing(
        {"values": f"a: &x\n  b: 1\nc: *x\ndb:\n  password: >-\n    {s}\n  user: bob\n"}),
    "a flow mapping that cannot be parsed": lambda s: thing(
        {"x": f"a: &x 1\nb: {{user: bob, password: {s}}}\n"}),
    "a kubeconfig": lambda s: thing({"kubeconfig": kubeconfig(s)}),
    "a kubeconfig under another name": lambda s: thing({"x": kubeconfig(s)}),
    "a kubeconfig's login": lambda s: thing(
        {"x": f"users:\n- name: a\n  user:\n    username: u\n    password: {s}\n"}),
    "a kubeconfig as an object": lambda s: thing({"x": yaml.safe_load(kubeconfig(s))}),
    "a kubeconfig in Base64": lambda s: thing({"x": b64(kubeconfig(s))}),
    "registries": lambda s: thing({"x": registries(s)}),
    "registries as text": lambda s: thing({"x": json.dumps(registries(s))}),
    "registries in Base64": lambda s: thing({"x": b64(json.dumps(registries(s)))}),
    "user data": lambda s: thing({"userData": cloud_config(s)}),
    "user data in Base64": lambda s: thing({"userDataBase64": b64(cloud_config(s))}),
    "user data, packed, under another name": lambda s: thing(
        {"x": b64(gzip.compress(cloud_config(s).encode(), mtime=0))}),
    "a script in Base64": lambda s: thing({"x": b64(f"#!/bin/sh\nexport DB_PASSWORD={s}\nrun\n")}),
    "a data URI": lambda s: thing(
        {"files": [{"source": f"data:;base64,{b64(f'db_password = {s}')}"}]}),
    "properties": lambda s: thing({"config": f"# x\nspring.datasource.password={s}\nurl=x\n"}),
    "a file of TOML": lambda s: thing({"config": f'[db]\nuser = "a"\npassword = "{s}"\n'}),
    "a file of XML": lambda s: thing({"config": f"<a><password>{s}</password></a>"}),
    "words under another key": lambda s: thing({"cmd": ["login", "--password", s]}),
    "words after --pass": lambda s: thing({"args": ["redis-server", "--requirepass", s]}),
    "a command line": lambda s: thing({"x": f"mysql -uroot -p{s} -e x; tool --token {s}"}),
    "an option alone": lambda s: thing({"x": f"--token {s}"}),
    "a header in a script": lambda s: thing({"run": f'curl -H "X-Api-Key: {s}" http://x'}),
    "a literal": lambda s: thing({"x": f"kubectl create secret generic a --from-literal=b={s}"}),
    "a literal in a URI": lambda s: event("create", "pods", subresource="exec", requestURI=(
        f"/api/v1/namespaces/a/pods/b/exec?command=kubectl&command=--from-literal%3Db%3D{s}")),
    "a parameter of a proxied request": lambda s: event(
        requestURI=f"/api/v1/namespaces/a/services/b/proxy/c?user=x&pass={s}&jwt={s}"),
    "a message of an Event": lambda s: event("create", "events", requestObject={
        "kind": "Event", "message": f"exec failed: mysql -uroot -p{s}"}),
    "a data source": lambda s: thing({"x": f"app:{s}@tcp(db:3306)/app"}),
    "a statement": lambda s: thing({"x": f"CREATE USER a IDENTIFIED BY '{s}'; ALTER"}),
    "a file of logins": lambda s: thing({"x": f"machine h login a password {s}\n"}),
    "a login for chpasswd": lambda s: thing({"x": f"echo 'root:{s}' | chpasswd"}),
    "a signed address": lambda s: thing({"x": f"https://a.example.com/c?sv=1&sig={s}"}),
    "an encoded parameter": lambda s: thing({"x": f"a%26password%3D{s}"}),
    "a PGP key": lambda s: thing({"x": f"-----BEGIN PGP PRIVATE KEY BLOCK-----\n{s}\n"}),
    "a hook of Discord": lambda s: thing({"x": f"https://discord.com/api/webhooks/1/{s}"}),
    "a script": lambda s: thing({"script": f"set -e\nexport API_TOKEN={s}\nrun\n"}),
}  # fmt: skip
"""A plant by its place; the parser, the quick tests and the core look into each."""

NOT_SECRET: tuple[Any, ...] = (
    {"secretName": "db", "secretRef": {"name": "db"}, "passwordSecretRef": {"name": "a"}},
    {"automountServiceAccountToken": False, "tokenTTL": 3600, "maxTokens": 100},
    {"imagePullSecrets": [{"name": "registry-token"}], "pullSecret": "registry", "caSecret": "ca"},
    {"existingSecret": "db-credentials", "secrets": ["alertmanager-tls", "etcd-certs"]},
    {"volumes": [{"secret": {"secretName": "token", "items": [{"key": "token"}]}}]},
    {"projected": {"sources": [{"serviceAccountToken": {"audience": "vault", "path": "token"}}]}},
    {"data": [{"secretKey": "password", "remoteRef": {"key": "db", "property": "password"}}]},
    {"passwordFile": "/etc/db/password", "tokenPath": "/var/run/token", "tokenType": "Bearer"},
    {"password": "$(DB_PASSWORD)", "token": "{{ .token }}", "secret": "${SECRET}"},
    {"image": "registry.example.com/external-secrets:v1", "x": "a/b-token:latest"},
    {"tolerations": [{"key": "token", "operator": "Equal", "value": "yes"}]},
    {"rules": [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}]},
    {"caBundle": b64("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n")},
    {"privateKey": {"algorithm": "RSA", "rotationPolicy": "Always"}, "publicKey": "ssh-rsa AAAA"},
    {"tokenReviewer": "x", "authorizationMode": "RBAC", "bypass": "yes", "compass": "north"},
    {"message": 'MountVolume.SetUp failed: secret "db-token" not found: token expired'},
)  # fmt: skip
"""Specifications that only refer to secrets."""
