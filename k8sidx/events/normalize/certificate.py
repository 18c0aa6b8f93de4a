"""The subject of a PKCS#10 certificate request, as CertificateSigningRequest carries it."""

from __future__ import annotations

import base64
import binascii

from cryptography import x509


def subject_of(request: str) -> str:
    """Subject of a base64 PEM request as RFC 4514 text (``CN=mallory,O=system:masters``).

    Empty when it cannot be read: a client may put anything there, and the API server
    logs the request before it judges it.
    """
    try:
        pem = base64.b64decode(request, validate=False)
        return x509.load_pem_x509_csr(pem).subject.rfc4514_string()
    except (ValueError, binascii.Error):
        return ""
