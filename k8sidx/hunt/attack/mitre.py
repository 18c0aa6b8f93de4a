"""MITRE ATT&CK techniques that hunts name, with their names and tactics.

From the Enterprise matrix, version 19.2 (https://attack.mitre.org/resources/updates);
``CONTAINERS`` are those of its Containers platform. Tactics have the names of Sigma's tags.

Version 19 split the tactic Defense Evasion into Stealth (TA0005) and Defense Impairment (TA0112),
and revoked Impair Defenses (T1562) with its sub-techniques; ``REVOKED`` maps what older rules name.
"""

from __future__ import annotations

from typing import NamedTuple

VERSION = "19.2"
"""Version of ATT&CK that this module is of."""

TACTICS: dict[str, str] = {
    "reconnaissance": "TA0043",
    "initial-access": "TA0001",
    "execution": "TA0002",
    "persistence": "TA0003",
    "privilege-escalation": "TA0004",
    "stealth": "TA0005",
    "defense-impairment": "TA0112",
    "credential-access": "TA0006",
    "discovery": "TA0007",
    "lateral-movement": "TA0008",
    "collection": "TA0009",
    "command-and-control": "TA0011",
    "exfiltration": "TA0010",
    "impact": "TA0040",
}
"""Tactics and their ids, in the order of the matrix."""

DEFENSE_EVASION = "defense-evasion"
"""Tactic until version 18, whose techniques are now those of the next two."""

SPLIT = ("stealth", "defense-impairment")
"""Tactics that Defense Evasion became."""

REVOKED: dict[str, str] = {
    "T1070.001": "T1685.005",
    "T1070.002": "T1685.006",
    "T1562": "T1685",
    "T1562.001": "T1685",
    "T1562.002": "T1685.001",
    "T1562.003": "T1690",
    "T1562.004": "T1686",
    "T1562.006": "T1685",
    "T1562.007": "T1686.001",
    "T1562.008": "T1685.002",
    "T1562.009": "T1688",
    "T1562.010": "T1689",
    "T1562.011": "T1685.003",
    "T1562.012": "T1685.004",
    "T1562.013": "T1686.002",
    "T1656": "T1684.001",
    "T1672": "T1684.002",
}
"""Techniques that version 19 revoked, and what replaced each."""


class Technique(NamedTuple):
    """A technique or sub-technique.

    :param name: its name in ATT&CK.
    :param tactics: tactics that it serves.
    """

    name: str
    tactics: tuple[str, ...]


_ACCOUNTS = ("initial-access", "persistence", "privilege-escalation", "stealth")
_KEPT = ("persistence", "privilege-escalation")
_STOLEN = ("credential-access",)
_HIDDEN = ("stealth",)
_IMPAIRED = ("defense-impairment",)
_HARM = ("impact",)

TECHNIQUES: dict[str, Technique] = {
    "T1003": Technique("OS Credential Dumping", _STOLEN),
    "T1005": Technique("Data from Local System", ("collection",)),
    "T1036": Technique("Masquerading", _HIDDEN),
    "T1036.005": Technique("Match Legitimate Resource Name or Location", _HIDDEN),
    "T1036.010": Technique("Masquerade Account Name", _HIDDEN),
    "T1040": Technique("Network Sniffing", ("credential-access", "discovery")),
    "T1041": Technique("Exfiltration Over C2 Channel", ("exfiltration",)),
    "T1046": Technique("Network Service Discovery", ("discovery",)),
    "T1053": Technique("Scheduled Task/Job", ("execution", *_KEPT)),
    "T1053.007": Technique("Container Orchestration Job", ("execution", *_KEPT)),
    "T1059": Technique("Command and Scripting Interpreter", ("execution",)),
    "T1068": Technique("Exploitation for Privilege Escalation", ("privilege-escalation",)),
    "T1069": Technique("Permission Groups Discovery", ("discovery",)),
    "T1069.003": Technique("Cloud Groups", ("discovery",)),
    "T1070": Technique("Indicator Removal", _HIDDEN),
    "T1071": Technique("Application Layer Protocol", ("command-and-control",)),
    "T1071.001": Technique("Web Protocols", ("command-and-control",)),
    "T1078": Technique("Valid Accounts", _ACCOUNTS),
    "T1078.001": Technique("Default Accounts", _ACCOUNTS),
    "T1078.003": Technique("Local Accounts", _ACCOUNTS),
    "T1090": Technique("Proxy", ("command-and-control",)),
    "T1090.003": Technique("Multi-hop Proxy", ("command-and-control",)),
    "T1098": Technique("Account Manipulation", _KEPT),
    "T1098.006": Technique("Additional Container Cluster Roles", _KEPT),
    "T1105": Technique("Ingress Tool Transfer", ("command-and-control",)),
    "T1110": Technique("Brute Force", _STOLEN),
    "T1110.001": Technique("Password Guessing", _STOLEN),
    "T1110.003": Technique("Password Spraying", _STOLEN),
    "T1110.004": Technique("Credential Stuffing", _STOLEN),
    "T1133": Technique("External Remote Services", ("initial-access", "persistence")),
    "T1134": Technique("Access Token Manipulation", ("privilege-escalation", "stealth")),
    "T1136": Technique("Create Account", ("persistence",)),
    "T1136.001": Technique("Local Account", ("persistence",)),
    "T1190": Technique("Exploit Public-Facing Application", ("initial-access",)),
    "T1195": Technique("Supply Chain Compromise", ("initial-access",)),
    "T1204": Technique("User Execution", ("execution",)),
    "T1204.003": Technique("Malicious Image", ("execution",)),
    "T1210": Technique("Exploitation of Remote Services", ("lateral-movement",)),
    "T1485": Technique("Data Destruction", _HARM),
    "T1486": Technique("Data Encrypted for Impact", _HARM),
    "T1489": Technique("Service Stop", _HARM),
    "T1490": Technique("Inhibit System Recovery", _HARM),
    "T1496": Technique("Resource Hijacking", _HARM),
    "T1496.001": Technique("Compute Hijacking", _HARM),
    "T1498": Technique("Network Denial of Service", _HARM),
    "T1499": Technique("Endpoint Denial of Service", _HARM),
    "T1525": Technique("Implant Internal Image", ("persistence",)),
    "T1528": Technique("Steal Application Access Token", _STOLEN),
    "T1530": Technique("Data from Cloud Storage", ("collection",)),
    "T1531": Technique("Account Access Removal", _HARM),
    "T1543": Technique("Create or Modify System Process", _KEPT),
    "T1543.005": Technique("Container Service", _KEPT),
    "T1546": Technique("Event Triggered Execution", _KEPT),
    "T1548": Technique("Abuse Elevation Control Mechanism", ("privilege-escalation",)),
    "T1550": Technique("Use Alternate Authentication Material", ("lateral-movement",)),
    "T1550.001": Technique("Application Access Token", ("lateral-movement",)),
    "T1552": Technique("Unsecured Credentials", _STOLEN),
    "T1552.001": Technique("Credentials In Files", _STOLEN),
    "T1552.004": Technique("Private Keys", _STOLEN),
    "T1552.005": Technique("Cloud Instance Metadata API", _STOLEN),
    "T1552.007": Technique("Container API", _STOLEN),
    "T1557": Technique("Adversary-in-the-Middle", ("credential-access", "collection")),
    "T1565": Technique("Data Manipulation", _HARM),
    "T1565.001": Technique("Stored Data Manipulation", _HARM),
    "T1565.002": Technique("Transmitted Data Manipulation", _HARM),
    "T1595": Technique("Active Scanning", ("reconnaissance",)),
    "T1595.003": Technique("Wordlist Scanning", ("reconnaissance",)),
    "T1599": Technique("Network Boundary Bridging", _IMPAIRED),
    "T1609": Technique("Container Administration Command", ("execution",)),
    "T1610": Technique("Deploy Container", ("execution",)),
    "T1611": Technique("Escape to Host", ("privilege-escalation",)),
    "T1612": Technique("Build Image on Host", _HIDDEN),
    "T1613": Technique("Container and Resource Discovery", ("discovery",)),
    "T1649": Technique("Steal or Forge Authentication Certificates", _STOLEN),
    "T1685": Technique("Disable or Modify Tools", _IMPAIRED),
    "T1685.002": Technique("Disable or Modify Cloud Log", _IMPAIRED),
    "T1686": Technique("Disable or Modify System Firewall", _IMPAIRED),
    "T1686.001": Technique("Cloud Firewall", _IMPAIRED),
}

CONTAINERS = (
    "T1036", "T1036.005", "T1036.010", "T1046", "T1053", "T1053.007", "T1068", "T1069", "T1070",
    "T1078", "T1078.001", "T1078.003", "T1098", "T1098.006", "T1110", "T1110.001", "T1110.003",
    "T1110.004", "T1133", "T1136", "T1136.001", "T1190", "T1204", "T1204.003", "T1485", "T1490",
    "T1496", "T1496.001", "T1498", "T1499", "T1525", "T1528", "T1543", "T1543.005", "T1550",
    "T1550.001", "T1552", "T1552.001", "T1552.007", "T1609", "T1610", "T1611", "T1612", "T1613",
    "T1685",
)  # fmt: skip
"""Techniques of the Containers platform."""
