"""Spellings of names that say secret, and encodings and formats that hide a secret."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable
from typing import Any

import yaml

from tests.building import event
from tests.events.normalize.secret_commands import pod
from tests.events.normalize.secret_places import b64, registries, thing

Event = dict[str, Any]
Plant = Callable[[str], Event]

SPELLINGS: tuple[str, ...] = (
    "pAsSwOrD", "PassWord", "pass-word", "pass.word", "pass_word", "PASS_WORD", "pass word",
    "ｐａｓｓｗｏｒｄ", "ＰＡＳＳＷＯＲＤ", "pa\u017f\u017fword", "𝓹𝓪𝓼𝓼𝔀𝓸𝓻𝓭", "cLiEnTsEcReT",
    "client.secret",
    "aPi-KeY", "api key", "tOkEn", "sEcReT", "ToKeN_2", "Api_Key", "pass\u200bword", "ⓟⓐⓢⓢⓦⓞⓡⓓ",
    "pass\u00adword", "Pass-Phrase", "my passWord", "PASSwd", "AUTHorization", "coOkie",
)  # fmt: skip
"""Spellings of names that say secret."""


def unusual(name: str) -> str:
    """Return JSON of an object with a name in escapes."""
    return "".join(f"\\u{ord(letter):04x}" if letter in "wkn" else letter for letter in name)


def secret_object(secret: str) -> dict[str, Any]:
    return {"kind": "Secret", "data": {"p": secret}}


def repeated(value: str, times: int) -> str:
    for _ in range(times):
        value = b64(value)
    return value


PEM = "-----BEGIN RSA PRIVATE KEY-----\n{}\n{}\n-----END RSA PRIVATE KEY-----\n"


def helm_release(secret: str) -> str:
    release = {
        "name": "x",
        "config": {"db": {"password": secret}},
        "manifest": f"kind: Secret\nstringData:\n  p: {secret}\n",
    }
    return b64(b64(gzip.compress(json.dumps(release).encode(), mtime=0)))


ENCODINGS: dict[str, Plant] = {
    "escapes in a name": lambda s: thing({"x": f'{{"pass\\u0077ord":"{s}"}}'}),
    "escapes in a kind": lambda s: thing(
        {"x": f'{{"\\u006bind":"\\u0053ecret","data":{{"p":"{s}"}}}}'}
    ),
    "all of a name in escapes": lambda s: thing(
        {"x": '{{"{}":"{}"}}'.format("".join(f"\\u{ord(c):04X}" for c in "password"), s)}
    ),
    "escapes in JSON in JSON": lambda s: thing(
        {"x": json.dumps({"y": f'{{"to\\u006ben":"{s}"}}'})}
    ),
    "a name percent-encoded": lambda s: event(requestURI=f"/api/v1/x?pass%77ord={s}"),
    "a name percent-encoded, all": lambda s: event(
        requestURI=f"/api/v1/x?{''.join(f'%{ord(c):02x}' for c in 'token')}={s}"
    ),
    "a name percent-encoded twice": lambda s: event(requestURI=f"/api/v1/x?pass%2577ord%253D{s}"),
    "a name percent-encoded in a text": lambda s: thing({"x": f"a=1&p%61ssword={s}"}),
    "a command percent-encoded": lambda s: event(
        "create",
        "pods",
        subresource="exec",
        requestURI=f"/api/v1/namespaces/a/pods/b/exec?command=%6Dysql&command=%2Dp{s}",
    ),
    "a bearer percent-encoded": lambda s: event(requestURI=f"/api/v1/x?h=B%65arer%20{s}"),
    "a value percent-encoded": lambda s: event(
        requestURI="/api/v1/x?password=" + "".join(f"%{ord(c):02X}" for c in s)
    ),
    "Base64, twice": lambda s: thing({"x": repeated(f"password={s}", 2)}),
    "Base64, three times": lambda s: thing({"x": repeated(json.dumps({"password": s}), 3)}),
    "Base64 of a kind, three times": lambda s: thing(
        {"x": repeated(json.dumps(secret_object(s)), 3)}
    ),
    "Base64, four times": lambda s: thing({"x": repeated(f"db_password: {s}\n", 4)}),
    "URL-safe Base64": lambda s: thing(
        {"x": base64.urlsafe_b64encode(f"???>>>password={s}".encode()).decode()}
    ),
    "Base64 in lines": lambda s: thing(
        {"x": base64.encodebytes(f"{'a=b ' * 30}\npassword={s}".encode()).decode()}
    ),
    "Base64 of a login in a URL": lambda s: thing({"x": b64(f"postgres://bob:{s}@db/x")}),
    "Base64 of a JSON web token": lambda s: thing(
        {"x": b64(f"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.{s}")}
    ),
    "Base64 of a token of GitHub": lambda s: thing({"x": b64(f"ghp_{s}{s}{s}")}),
    "Base64 of a bearer": lambda s: thing({"x": b64(f"Authorization: Bearer {s}{s}")}),
    "Base64 of a private key": lambda s: thing({"x": b64(PEM.format(s, s))}),
    "Base64 in a longer text": lambda s: thing(
        {"x": f"run this: echo {b64(f'export TOKEN={s}')} | base64 -d | sh"}
    ),
    "Base64 in an argument": lambda s: pod(
        args=["sh", "-c", f"echo {b64(f'export TOKEN={s}; x')}|base64 -d|sh"]
    ),
    "a release of Helm": lambda s: event(
        "create",
        "secrets",
        requestObject={
            "kind": "Secret",
            "type": "helm.sh/release.v1",
            "data": {"release": helm_release(s)},
        },
    ),
    "a release of Helm elsewhere": lambda s: thing({"release": helm_release(s)}),
    "a release of Helm, packed once": lambda s: thing(
        {"x": b64(gzip.compress(json.dumps({"config": {"password": s}}).encode(), mtime=0))}
    ),
    "YAML with anchors": lambda s: thing({"x": f"a: &a\n  password: {s}\nb:\n  <<: *a\n"}),
    "YAML with a block": lambda s: thing({"x": f"db:\n  password: |-\n    {s}\n  x: 1\n"}),
    "YAML with a folded block": lambda s: thing({"x": f"password: >\n  a\n  {s}\nx: 1\n"}),
    "YAML with a comment": lambda s: thing(
        {"x": f"kind: ConfigMap\ndata: {{}}\n# password: {s}\n"}
    ),
    "YAML with a comment behind": lambda s: thing({"x": f"a: 1 # password={s}\n"}),
    "YAML with a tag": lambda s: thing({"x": f"password: !!str {s}\n"}),
    "YAML with a tag of its own": lambda s: thing({"x": f"password: !vault |\n  {s}\nb: 2\n"}),
    "YAML with a complex key": lambda s: thing({"x": f"? password\n: {s}\n"}),
    "YAML with quoted escapes": lambda s: thing({"x": f'"pass\\x77ord": {s}\n'}),
    "YAML in documents": lambda s: thing({"x": f"a: 1\n---\npassword: {s}\n"}),
    "YAML with a repeated member": lambda s: thing({"x": f"password: {s}\npassword: ''\n"}),
    "YAML in flow with a repeated member": lambda s: thing(
        {"x": f"{{password: {s}, password: ''}}"}
    ),
    "JSON with a repeated member": lambda s: thing({"x": f'{{"password":"{s}","password":""}}'}),
    "JSON with a repeated kind": lambda s: thing(
        {"x": f'{{"kind":"Secret","data":{{"p":"{s}"}},"data":{{}}}}'}
    ),
    "JSON with a repeated parent": lambda s: thing(
        {"x": f'{{"db":{{"pass\\u0077ord":"{s}"}},"db":1}}'}
    ),
    "JSON in a string in a string": lambda s: thing(
        {"x": json.dumps(json.dumps(json.dumps({"password": s})))}
    ),
    "JSON that is a string": lambda s: thing({"x": json.dumps(f"password={s}")}),
    "JSON lines": lambda s: thing({"x": f'{{"a":1}}\n{{"password":"{s}"}}\n'}),
    "JSON with comments": lambda s: thing({"x": f'{{"a":1, // x\n"password": "{s}"}}'}),
    "JSON behind a word": lambda s: thing({"x": f'config={{"password": "{s}"}}'}),
    "JSON of five levels of text": lambda s: thing({"x": _deep(s, 5)}),
    "text of three levels": lambda s: thing({"x": _deep(s, 3)}),
    "registries twice in Base64": lambda s: thing({"x": repeated(json.dumps(registries(s)), 2)}),
    "a docker configuration": lambda s: thing({"config.json": json.dumps(registries(s))}),
    "a docker configuration's identity token": lambda s: thing(
        {"x": json.dumps({"auths": {"r": {"identitytoken": s}}})}
    ),
    "a docker configuration of before": lambda s: thing(
        {"x": json.dumps({"https://r.example.com": {"auth": b64(f"u:{s}"), "email": "a@b"}})}
    ),
    "a kubeconfig's key": lambda s: thing(
        {
            "x": yaml.safe_dump(
                {
                    "kind": "Config",
                    "users": [{"name": "a", "user": {"client-key-data": b64(PEM.format(s, s))}}],
                }
            )
        }
    ),
    "a kubeconfig's exec": lambda s: thing(
        {
            "x": yaml.safe_dump(
                {
                    "users": [
                        {"user": {"exec": {"env": [{"name": "AWS_SECRET_ACCESS_KEY", "value": s}]}}}
                    ]
                }
            )
        }
    ),
    "a kubeconfig's provider": lambda s: thing(
        {
            "x": yaml.safe_dump(
                {
                    "users": [
                        {"user": {"auth-provider": {"config": {"refresh-token": s, "id-token": s}}}}
                    ]
                }
            )
        }
    ),
    "a key split over lines": lambda s: thing({"x": ["-----BEGIN PRIVATE KEY-----", s, s]}),
    "a key without an end": lambda s: thing({"x": f"-----BEGIN PRIVATE KEY-----\n{s}"}),
    "a key with escaped lines": lambda s: thing(
        {"x": f'{{"k":"-----BEGIN RSA PRIVATE KEY-----\\n{s}\\n-----END RSA PRIVATE KEY-----"}}'}
    ),
    "a key in OpenSSH's form": lambda s: thing(
        {"x": f"-----BEGIN OPENSSH PRIVATE KEY-----\n{s}\n-----END OPENSSH PRIVATE KEY-----"}
    ),
    "a key of WireGuard": lambda s: thing({"x": f"[Interface]\nPrivateKey = {s}\n"}),
}
"""Encodings and formats that hide a secret."""


def _deep(secret: str, levels: int) -> str:
    text = json.dumps({"password": secret})
    for _ in range(levels):
        text = json.dumps({"x": text})
    return text
