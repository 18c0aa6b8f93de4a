"""Command lines with secrets in them, and ordinary ones."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from tests.building import event

Event = dict[str, Any]


def run(*words: str) -> Event:
    """Return a request to run a command in a container."""
    query = "&".join(f"command={quote(word, safe='')}" for word in words)
    uri = f"/api/v1/namespaces/shop/pods/web/exec?{query}&container=app"
    return event("create", "pods", name="web", subresource="exec", requestURI=uri)


def pod(**container: Any) -> Event:
    containers = [{"name": "app", "image": "app", **container}]
    return event("create", "pods", name="web", level="RequestResponse", requestObject={
        "kind": "Pod", "apiVersion": "v1", "spec": {"containers": containers}})  # fmt: skip


COMMAND_LINES: tuple[str, ...] = (
    "tool -p {}", "tool -p{}", "tool -u bob -p {}", "tool -P {} host", "tool -w {}", "tool -k {}",
    "tool --pass {}", "tool --pw {}", "tool -pass {}", "tool -password {}", "tool /p:{}",
    "htpasswd -b /etc/users bob {}", "htpasswd -nbB bob {}", "htpasswd -cbm f bob {}",
    "mosquitto_passwd -b f bob {}", "mysql -p{}", "mysqldump -uroot -p{} db",
    "mysqladmin password {}", "curl -u a:{} https://x", "curl -ua:{} https://x",
    "curl -U a:{} https://x", "curl --proxy-user a:{} https://x", "curl --user a:{} https://x",
    "curl -sSu a:{} https://x",
    "curl -H X-Api-Key:{} x", "http -a bob:{} x", "sshpass -p {} ssh x", "sshpass -p{} ssh x",
    "PGPASSWORD={} psql", "env PGPASSWORD={} psql", "redis-cli -a {} ping", "redis-cli AUTH {}",
    "echo {} | docker login --password-stdin", "printf %s {} | docker login -u a --password-stdin",
    "echo -n '{}' | sudo -S id", "echo \"{}\" | kinit bob", "echo {} | passwd --stdin bob",
    "docker login --password-stdin <<< {}", "cryptsetup open /dev/x y <<< '{}'",
    "gh auth login --with-token <<<{}", "smbclient -U bob%{} //x/y", "lftp -u bob,{} x",
    "rabbitmqctl add_user bob {}", "rabbitmqctl change_password bob {}", "vault login {}",
    "mc alias set x https://x KEY {}", "zip -P {} a b", "7z x -p{} a", "unzip -P {} a",
    "ipmitool -U a -P {} x", "mosquitto_pub -P {} -t x", "cqlsh -u a -p {}",
    "sqlplus bob/{}@db", "rclone obscure {}", "openssl passwd -6 {}", "mkpasswd {}",
    "xfreerdp /u:bob /p:{} /v:x", "usermod -p {} bob", "useradd bob -p {}",
    "snmpwalk -v3 -A {} -X x h", "aws configure set aws_secret_access_key {}",
    "git config --global x.token {}", "npm config set //r/:_authToken {}",
    "oc login -u a -p {}", "oc login --token {}", "kubectl config set-credentials a --token {}",
    "net user bob {} /add", "wpa_passphrase home {}", "PASS={}; tool $PASS",
    "export TOK=x PW={}", "cat <<EOF | tool\npassword: {}\nEOF", "chpasswd <<< bob:{}",
    "expect -c 'send \"{}\\r\"'", "su - bob <<< {}", "openssl enc -k {} -in a",
    "gpg --batch --passphrase {} -c a", "psql postgresql://bob:{}@db/x",
    "mongo -u a -p {} --host x", "java -Djavax.net.ssl.keyStorePassword={} -jar a",
    "keytool -storepass {} -list", "keytool -keypass {} -list", "ansible -e ansible_password={}",
    "sqlcmd -S x -U sa -P {}", "wget --http-password={} x", "svn co --password {} x",
    "echo 'bob:{}' | chpasswd", "bw unlock {}", "op signin x {}", "kinit bob <<< {}",
)  # fmt: skip
"""Command lines with a secret; the program need not be known."""
ORDINARY_LINES: tuple[str, ...] = (
    "ssh -p 22 host", "mkdir -p dir", "mkdir -p /var/lib/App2Data", "mkdir -p Build2024Out",
    "docker run -p 8080:80 x", "nmap -p 1-65535 x", "ps -p 1234", "cp -p A1file B2file",
    "patch -p1", "kubectl logs -p web-0", "kubectl patch x -p {\"spec\":{}}", "psql -p 5432 -U app",
    "nc -l -p 8080", "curl -u bob https://x", "grep -P ^x[0-9]+ f", "git add -p File2.txt",
    "tail -w 5", "ls -k", "sleep 10", "sh -c echo hello", "echo hello | tee /tmp/x",
    "curl -k https://x", "wget -k x", "iperf3 -p 5201", "cargo test -p core2", "tar -xpf a.tar",
    "cat <<< hello", "useradd -m bob", "python -m http.server 8000", "lsof -p 1", "ssh -p2222 h",
    "rsync -a src dst", "kubectl get secret db-token -o yaml", "vault status", "npm config get x",
    "java -jar app.jar -port 80", "tool -p", "tool -p 80", "tool -p tcp", "tool -p ./dir",
    "tool --profile dev", "tool -k", "tool -w 80", "top -p 17 -b",
)  # fmt: skip
"""Command lines without one."""


def spaced(line: str) -> list[str]:
    """Return the words of a command line as a shell would split it, quotes removed."""
    return [word.strip("'\"") for word in line.split(" ") if word]
