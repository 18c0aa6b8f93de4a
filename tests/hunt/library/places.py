"""Pairs of hunts on places, of the addresses in ``tests.places.EXAMPLES``."""

from __future__ import annotations

from typing import Any

from tests.building import event
from tests.hunt.library.cases import pair, usual

BERLIN, MUNICH, POTSDAM, SYDNEY = "198.51.100.9", "198.51.100.200", "192.0.2.9", "203.0.113.9"
ACCOUNT = "system:serviceaccount:shop:pipeline"
CREDENTIAL = "authentication.kubernetes.io/credential-id"
HOUR = 3_600
LONG_AGO = -21 * HOUR
"""Before the time in which the first of two places is looked for."""


def by(user: str, source: str, seconds: float = 0, credential: str = "") -> dict[str, Any]:
    extra = {"extra": {CREDENTIAL: [credential]}} if credential else {}
    made = {"username": user, "groups": ["system:authenticated"], **extra}
    return event(user=user, source=source, seconds=seconds) | {"user": made}


def trips(credential: str = "") -> list[dict[str, Any]]:
    """Return what looks like travel, and is none."""

    def of(user: str, *stays: tuple[str, float]) -> list[dict[str, Any]]:
        own = f"{credential}-{user}" if credential else ""
        return [by(user, source, seconds, own) for source, seconds in stays]

    return [
        *of("pool", (BERLIN, 1), (MUNICH, 60)),
        *of("commuter", (BERLIN, 2), (POTSDAM, 5)),
        *of("passenger", (BERLIN, 3), (SYDNEY, 17 * HOUR)),
        *of("vpn", (BERLIN, 4), (SYDNEY, 60), (BERLIN, 120)),
        *of("inside", ("10.0.0.7", 5), (SYDNEY, 60)),
        *of("two-of-that-name-elsewhere", (BERLIN, 6)),
    ]


VPN = [by("vpn", BERLIN, LONG_AGO, "JTI=old"), by("vpn", SYDNEY, LONG_AGO + 60, "JTI=older")]
EVERYBODY = "system:anonymous"
USED = [
    event(user=user, source=BERLIN, seconds=-60 - number)
    for number, user in enumerate(("mover", "settled", ACCOUNT))
]

PAIRS = {
    "impossible_travel": pair(
        [by("mover", BERLIN), by("mover", SYDNEY, HOUR)],
        [
            *trips(),
            by(EVERYBODY, BERLIN, 7),
            by(EVERYBODY, SYDNEY, 8),
        ],
        before=[*usual(), *VPN],
    ),
    "credential_impossible_travel": pair(
        [by("mover", SYDNEY, 0, "X509SHA256=m"), by("mover", BERLIN, HOUR, "X509SHA256=m")],
        # Two people with one name, each with a credential of their own.
        [
            *trips("JTI="),
            by("shared", BERLIN, 0, "X509SHA256=1"),
            by("shared", SYDNEY, 60, "X509SHA256=2"),
            by("shared", SYDNEY, 90),
        ],
        before=[*usual(), *VPN],
    ),
    "new_source_country": pair(
        [by("mover", SYDNEY), by(ACCOUNT, SYDNEY)],
        [by("settled", MUNICH), by("settled", POTSDAM, 1), by("newcomer", SYDNEY, 2),
         by("settled", "10.0.0.9", 3), by(EVERYBODY, SYDNEY, 4)],
        before=[*usual(), *USED, by(EVERYBODY, BERLIN, -90)],
    ),
    "new_source_provider": pair(
        by("mover", POTSDAM),
        [by("settled", MUNICH), by("newcomer", POTSDAM, 1), by("settled", "10.0.0.9", 2)],
        before=[*usual(), *USED],
    ),
}  # fmt: skip
