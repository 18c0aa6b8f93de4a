"""Names of programs: those whose words may be credentials, and those whose options are not."""

from __future__ import annotations

ORDINARY = frozenset(
    {
        "mkdir", "cp", "tar", "ps", "touch", "install", "read", "patch", "declare", "export",
        "git", "rsync", "test", "lsof", "strace", "ltrace", "top", "htop", "nmap", "netstat",
        "ss", "nc", "ncat", "netcat", "docker", "podman", "nerdctl", "kubectl", "oc", "helm",
        "pgrep", "pkill", "time", "type", "trap", "set", "sort", "perl", "pip", "pip3", "python",
        "python3", "bash", "sh", "zsh", "dash", "ksh", "ash", "busybox", "tsc", "cargo", "npm",
        "npx", "yarn", "pnpm", "dotnet", "mvn", "gradle", "make", "ln", "find", "mount", "umount",
        "chmod", "chown", "chgrp", "gcloud", "aws", "az", "terraform", "tofu", "iperf", "iperf3",
        "grep", "egrep", "fgrep", "rg", "sed", "awk", "gawk", "less", "more", "man", "ls", "cat",
        "head", "tail", "kill", "killall", "nice", "renice", "ionice", "taskset", "chrt", "dd",
        "du", "df", "stat", "file", "date", "uname", "hostname", "ping", "traceroute", "dig",
        "host", "ip", "ifconfig", "iptables", "ip6tables", "nft", "arp", "route", "ssh", "scp",
        "sftp", "ssh-keygen", "pg_dump", "pg_restore", "psql", "pg_ctl", "createdb", "node",
        "java", "javac", "go", "rustc", "gcc", "g++", "clang", "ld", "ar", "nm", "objdump", "gdb",
        "jq", "yq", "curl", "wget", "xargs", "parallel", "watch", "timeout", "env", "nohup",
        "crictl", "ctr", "istioctl", "etcdctl", "systemctl", "journalctl", "service", "apt",
        "apt-get", "yum", "dnf", "apk", "rpm", "dpkg", "bzip2", "gzip", "gunzip", "xz", "zstd",
        "split", "cut", "tr", "uniq", "wc", "diff", "cmp", "comm", "join", "paste", "column",
        "pr", "fold", "fmt", "nl", "od", "xxd", "hexdump", "base64", "md5sum", "sha256sum",
        "mktemp",
    }
)  # fmt: skip
"""Programs whose ``-p`` and other short options give something else than a password."""

NAMES = (
    "mysql", "mysqldump", "mysqladmin", "mariadb", "mycli", "mongo", "mongosh", "cqlsh",
    "cypher-shell",
    "sshpass", "rdesktop", "xfreerdp", "wlfreerdp", "psexec", "useradd", "usermod", "groupmod",
    "redis-cli", "valkey-cli", "keydb-cli", "ldapsearch", "ldapadd", "ldapmodify", "ldapwhoami",
    "ldappasswd", "ldapdelete", "sqlcmd", "bcp", "zip", "unzip", "tsql", "ipmitool",
    "mosquitto_pub",
    "mosquitto_sub", "mosquitto_passwd", "openssl", "snmpwalk", "snmpget", "snmpset", "7z", "7za",
    "curl",
    "wget", "http", "https", "httpie", "xh", "smbclient", "smbmap", "smbpasswd", "rpcclient",
    "lftp", "htpasswd",
    "htdigest", "mkpasswd", "chpasswd", "passwd", "wpa_passphrase", "rclone", "rabbitmqctl",
    "vault", "bw", "op",
    "net user", "mc alias", "mc config", "sqlplus", "sqlldr", "expdp", "impdp", "rman", "kinit",
    "cryptsetup",
    "sudo", "su", "doas", "login", "expect", "spawn", "config set", "configure set", "git config",
)  # fmt: skip
OPTION_LETTERS = "pPwWkKtTsSxXaA"
PROGRAM_HINTS = (
    *(f"{name}{after}" for name in NAMES for after in (" ", "\t", "+", "&", "%20")),
    *(name.replace(" ", between) for name in NAMES if " " in name
      for between in ("+", "%20", "&command=")),
    *(f"{before}-{letter}" for letter in OPTION_LETTERS.lower()
      for before in (" ", "=", "+", "20", "09", "\n")),
    "-stdin", "-token", "<<<", "%3c%3c%3c", "/p:", "/p%3a", "requirepass", "masterauth",
    *(f"{name}{equals}" for name in ("pw", "psk", "dsn", "pass") for equals in ("=", "%3d")),
)  # fmt: skip
"""One of these is in every text with a command in which a credential is found; case counts for
nothing."""
_FREQUENT = ("sudo", "su", "http", "https", "op", "bw", "passwd")
COMMAND_HINTS = (
    *(f"{name}{after}" for name in NAMES if name not in _FREQUENT for after in (" ", '"')),
    *(name.replace(" ", '","') for name in NAMES if " " in name),
    '"bw"', '"op"]', '"op",', '"mc"', '"net"', '"git"', '"configure"',
    " -p", " -P", " -w ", " -k ", '"-p', '"-P',
    "sudo -", 'sudo","-', "su -", 'su","-', "passwd -", 'passwd","-', "http -", "https -",
    'http","-',
    "kinit", "-stdin", "with-token", "<<<", "op signin", 'op","signin', "bw unlock", 'bw","unlock',
    "bw login",
    'bw","login', "/p:",
)  # fmt: skip
"""One of these is in the JSON of a body with such a command."""
_SHORT_NAME = 4
COMMAND_TEXT_HINTS = (
    *(name for name in NAMES if len(name) > _SHORT_NAME),
    *(f"{name}{after}" for name in NAMES if len(name) <= _SHORT_NAME for after in " \t\r\n"),
    "-stdin", "with-token", "<<<", "requirepass", "masterauth", "/p:", "/P:", "| su", "|su", "sudo",
)  # fmt: skip
"""One of these, a word that begins with a dash, or ``pw=`` and the like, is in every text that is
looked at as a command."""
