"""etcd and kube-apiserver on loopback, with an audit log and an audit webhook."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import subprocess
import time
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.servers.certificates import write_certificates

START_SECONDS = 180.0
STOP_SECONDS = 90.0
ADMIN, MALLORY = "admin-token", "mallory-token"


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class ControlPlane:
    """One etcd and one kube-apiserver.

    :param programs: folder of the binaries.
    :param folder: for data, certificates, and the audit log.
    :param policy: file of the audit policy.
    :param webhook: kubeconfig of the audit webhook.
    :ivar stops: when the API server was told to stop, and had stopped.
    """

    programs: Path
    folder: Path
    policy: Path
    webhook: Path
    port: int = field(default_factory=free_port)
    stops: list[tuple[datetime, datetime]] = field(default_factory=list)
    _etcd: subprocess.Popen[bytes] | None = None
    _server: subprocess.Popen[bytes] | None = None
    _etcd_ports: tuple[int, int] = field(default_factory=lambda: (free_port(), free_port()))

    @property
    def log(self) -> Path:
        """The audit log."""
        return self.folder / "audit" / "audit.log"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig, for kubectl."""
        path = self.folder / "admin.kubeconfig"
        cluster = {
            "server": f"https://127.0.0.1:{self.port}",
            "certificate-authority": str(self.folder / "pki" / "ca.pem"),
        }
        path.write_text(
            json.dumps(
                {
                    "apiVersion": "v1",
                    "kind": "Config",
                    "current-context": "live",
                    "clusters": [{"name": "live", "cluster": cluster}],
                    "users": [{"name": "admin", "user": {"token": ADMIN}}],
                    "contexts": [{"name": "live", "context": {"cluster": "live", "user": "admin"}}],
                }
            )
        )
        return path

    def prepare(self) -> None:
        """Write certificates, keys and tokens."""
        pki = self.folder / "pki"
        write_certificates(pki, ("server",))
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        (pki / "accounts.key").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        (pki / "tokens.csv").write_text(
            f'{ADMIN},admin,admin,"system:masters"\n{MALLORY},mallory,mallory,"contractors"\n'
        )
        self.log.parent.mkdir(exist_ok=True)

    def start(self) -> None:
        """Start both, and wait until the API server is ready."""
        self._start_etcd()
        self.start_api_server()

    def start_api_server(self) -> None:
        """Start the API server alone."""
        pki = self.folder / "pki"
        self._server = self._run(
            "kube-apiserver",
            f"--etcd-servers=http://127.0.0.1:{self._etcd_ports[0]}",
            "--bind-address=127.0.0.1",
            f"--secure-port={self.port}",
            "--endpoint-reconciler-type=none",
            "--service-cluster-ip-range=10.96.0.0/16",
            "--authorization-mode=RBAC",
            f"--tls-cert-file={pki / 'server.pem'}",
            f"--tls-private-key-file={pki / 'server-key.pem'}",
            f"--client-ca-file={pki / 'ca.pem'}",
            f"--token-auth-file={pki / 'tokens.csv'}",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={pki / 'accounts.key'}",
            f"--service-account-signing-key-file={pki / 'accounts.key'}",
            f"--audit-policy-file={self.policy}",
            f"--audit-log-path={self.log}",
            "--audit-log-maxsize=2",
            "--audit-log-maxbackup=100",
            f"--audit-webhook-config-file={self.webhook}",
            "--audit-webhook-batch-max-wait=1s",
        )
        self._wait("kube-apiserver", self._server, lambda: self.request("GET", "/readyz") == 200)

    def stop_api_server(self) -> None:
        """End the API server as its node's kubelet would."""
        began = datetime.now(UTC)
        _stop(self._server)
        self.stops.append((began, datetime.now(UTC)))

    def was_stopping(self, moment: datetime) -> bool:
        """Return whether the API server had been told to stop, and had not yet."""
        return any(began <= moment <= ended for began, ended in self.stops)

    def stop(self) -> None:
        """End both."""
        _stop(self._server)
        _stop(self._etcd)

    def request(self, method: str, path: str, body: object = None, token: str = ADMIN) -> int:
        """Send a request and return its status; 0 when there is no response."""
        headers = {"Authorization": f"Bearer {token}", "User-Agent": "live/1.0"}
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        url = f"https://127.0.0.1:{self.port}{path}"
        asked = urllib.request.Request(url, data, headers, method=method)
        context = ssl.create_default_context(cafile=str(self.folder / "pki" / "ca.pem"))
        try:
            with urllib.request.urlopen(asked, timeout=30, context=context) as answer:  # noqa: S310
                answer.read()
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def kubectl(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run kubectl as the administrator.

        :raises RuntimeError: when it fails and is checked.
        """
        environment = {**os.environ, "KUBECONFIG": str(self.kubeconfig)}
        command = [str(self.programs / "kubectl"), *arguments]
        done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
        if check and done.returncode:
            raise RuntimeError(f"kubectl {' '.join(arguments)} failed: {done.stderr}")
        return done

    def _start_etcd(self) -> None:
        client, peer = self._etcd_ports
        self._etcd = self._run(
            "etcd",
            f"--data-dir={self.folder / 'etcd'}",
            f"--listen-client-urls=http://127.0.0.1:{client}",
            f"--advertise-client-urls=http://127.0.0.1:{client}",
            f"--listen-peer-urls=http://127.0.0.1:{peer}",
            f"--initial-advertise-peer-urls=http://127.0.0.1:{peer}",
            f"--initial-cluster=default=http://127.0.0.1:{peer}",
            "--unsafe-no-fsync",
            "--log-level=error",
        )

    def _run(self, name: str, *arguments: str) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.stderr").open("ab") as errors:
            return subprocess.Popen([str(self.programs / name), *arguments], stderr=errors)

    def _wait(self, name: str, process: subprocess.Popen[bytes], is_there: Any) -> None:
        until = time.monotonic() + START_SECONDS
        while not is_there():
            if process.poll() is not None or time.monotonic() > until:
                errors = (self.folder / f"{name}.stderr").read_text("utf-8", "replace")
                raise RuntimeError(f"{name} did not start: {errors[-2000:]}")
            time.sleep(0.5)


def _stop(process: subprocess.Popen[Any] | None, by: int = signal.SIGTERM) -> None:
    if process is None or process.poll() is not None:
        return
    process.send_signal(by)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class Command:
    """A k8sidx command in a process of its own.

    :param arguments: of the command line.
    """

    def __init__(self, python: str, folder: Path, name: str, arguments: Sequence[str]) -> None:
        self._command = [python, "-m", "k8sidx", *arguments]
        self._errors = folder / f"{name}.stderr"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, once more if it ran before."""
        environment = {**os.environ, "HOME": str(self._folder)}
        with self._errors.open("ab") as errors:
            self._process = subprocess.Popen(
                self._command, stderr=errors, stdout=subprocess.DEVNULL, env=environment
            )

    def kill(self) -> None:
        """End it at once, as nothing can catch."""
        _stop(self._process, signal.SIGKILL)

    def stop(self) -> int:
        """End it, and return its exit code."""
        _stop(self._process)
        return -1 if self._process is None else self._process.returncode

    def wait_for(self, text: str, seconds: float = 60.0) -> None:
        """Wait until it has printed a text."""
        until = time.monotonic() + seconds
        while text not in self._errors.read_text("utf-8"):
            if time.monotonic() > until:
                raise RuntimeError(f"no {text!r} in {self._errors.read_text('utf-8')[-2000:]}")
            time.sleep(0.2)
