"""TLS context: trusted authorities and the client certificate."""

from __future__ import annotations

import ssl
from pathlib import Path

import urllib3

from k8sidx.backends.connection import ConnectionSettings
from k8sidx.errors import UsageError

_KEY_ENDINGS = (".key", "-key.pem", ".key.pem")


def tls_context(settings: ConnectionSettings) -> ssl.SSLContext:
    """Return a context that trusts the system's authorities, or only those of ``ca_cert``.

    :raises UsageError: when a file cannot be read or contains no certificate or key.
    """
    context = _trusting(settings.ca_cert)
    if not settings.verify_certs:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        # The user has chosen it; urllib3 would warn on stderr at every request.
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    if settings.client_cert is not None:
        _show(context, settings.client_cert, settings.client_key)
    elif settings.client_key is not None:
        raise UsageError(
            f"{settings.client_key} is the key of no certificate.",
            remedy="Give the certificate, too: --client-cert or client_cert.",
        )
    return context


def _trusting(authorities: Path | None) -> ssl.SSLContext:
    if authorities is None:
        return ssl.create_default_context()
    try:
        return ssl.create_default_context(cafile=str(authorities))
    except ssl.SSLError:
        raise UsageError(
            f"{authorities} holds no certificates in PEM form.",
            remedy="Export the authority's certificate as PEM (BEGIN CERTIFICATE).",
        ) from None
    except OSError as error:
        raise UsageError(f"{authorities} cannot be read: {error.strerror}.") from error


def _show(context: ssl.SSLContext, certificate: Path, key: Path | None) -> None:
    key = key or _beside(certificate)
    try:
        # Without a password of its own, OpenSSL would ask for one on the terminal.
        context.load_cert_chain(certificate, key, password=lambda: "")
    except ssl.SSLError as error:
        named = f"{certificate} and {key}" if key else str(certificate)
        remedy = (
            "The key is not the certificate's."
            if "MISMATCH" in str(error)
            else "Both must be in PEM form, the key in the same file or beside it as .key, "
            "without a passphrase."
        )
        raise UsageError(f"no certificate and key in {named}.", remedy=remedy) from None
    except OSError as error:
        raise UsageError(
            f"{error.filename or certificate} cannot be read: {error.strerror}."
        ) from error


def _beside(certificate: Path) -> Path | None:
    """Return the path of the key beside the certificate; ``None`` when there is none."""
    stem = certificate.with_suffix("")
    for ending in _KEY_ENDINGS:
        key = stem.with_name(stem.name + ending)
        if key.is_file():
            return key
    return None
