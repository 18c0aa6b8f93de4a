"""Transport errors of a cluster, explained, with a remedy."""

from __future__ import annotations

import ssl
from collections.abc import Iterator

from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NameResolutionError,
    NewConnectionError,
    ProxyError,
    ReadTimeoutError,
    SSLError,
)

from k8sidx.backends.cluster.http.address import NodeAddress
from k8sidx.backends.cluster.http.exchange import NOT_SENT, RESPONSE_BYTES, Limits, TooLong, TooSlow
from k8sidx.backends.cluster.http.response import ClusterUnreachable

_SELF_SIGNED = frozenset({18, 19, 20, 21})
"""OpenSSL's verify codes for a certificate that no trusted authority signed."""
_NO_TLS = ("WRONG_VERSION_NUMBER", "UNKNOWN_PROTOCOL", "RECORD_LAYER_FAILURE", "HTTP_REQUEST")
"""OpenSSL's errors for a response in plain text."""
_EXPIRED, _OTHER_NAME, _OTHER_ADDRESS = 10, 62, 64


def unreachable(address: NodeAddress, error: HTTPError, limits: Limits) -> ClusterUnreachable:
    """Return the error for a request without a complete response."""
    message, remedy = _words(address, error, limits)
    return ClusterUnreachable(
        f"{address} {message}.", remedy=remedy, sent=not isinstance(error, NOT_SENT)
    )


def _words(address: NodeAddress, error: HTTPError, limits: Limits) -> tuple[str, str]:
    match error:
        case ProxyError():
            return (
                f"cannot be reached through the proxy: {_deepest(error)}",
                "Look at HTTPS_PROXY, or name the host in NO_PROXY.",
            )
        case SSLError():
            return _tls_words(error)
        case NameResolutionError():
            return "is no known host", "Is its name spelled right, and does this network know it?"
        case NewConnectionError():  # before its base class, the next
            return _refused_words(address, error)
        case ConnectTimeoutError():
            return (
                f"does not take the connection within {limits.connect:g} s",
                "Does a firewall stand between? A slow network needs K8SIDX_CONNECT_TIMEOUT.",
            )
        case TooLong():
            return (
                f"sent a response of more than {RESPONSE_BYTES >> 20} MiB, which is not read",
                "Is it a cluster, and not something else? Otherwise narrow the time range.",
            )
        case ReadTimeoutError() | TooSlow():
            return (
                f"has not answered within {limits.answer:g} s",
                "It may be overloaded; a longer K8SIDX_READ_TIMEOUT waits for it.",
            )
    remedy = "Is it running, and is something between that cuts connections?"
    if address.scheme == "http":
        remedy += f" If it speaks TLS, write https://{str(address).partition('://')[2]}"
    return f"broke the connection off: {_deepest(error)}", remedy


def _refused_words(address: NodeAddress, error: NewConnectionError) -> tuple[str, str]:
    remedy = "Is it running, and is the port right?"
    if address.port in (80, 443):
        remedy += (
            f" The address names none, so it is {address.port}; clusters mostly listen on 9200."
        )
    return f"cannot be connected to: {_deepest(error)}", remedy


def _tls_words(error: SSLError) -> tuple[str, str]:
    inner = next((cause for cause in _chain(error) if isinstance(cause, ssl.SSLError)), None)
    if isinstance(inner, ssl.SSLCertVerificationError):
        return _certificate_words(inner)
    reason = (inner.reason if inner else None) or str(error)
    if any(word in reason for word in _NO_TLS):
        return "does not speak TLS", "Write the address with http://"
    if "EOF" in reason:
        return (
            "breaks the connection off while TLS is agreed on",
            "If it speaks plain HTTP, write http://; it may also want --client-cert.",
        )
    if "CERTIFICATE_REQUIRED" in reason or "HANDSHAKE_FAILURE" in reason:
        return (
            f"refuses the TLS connection: {reason}",
            "It may want a certificate of ours: --client-cert.",
        )
    return f"and we find no common TLS: {reason}", "Which TLS versions does it allow?"


def _certificate_words(error: ssl.SSLCertVerificationError) -> tuple[str, str]:
    code = error.verify_code
    if code in _SELF_SIGNED:
        return (
            "shows a certificate that no trusted authority has signed",
            "Give its authority's certificate: --ca-cert FILE.",
        )
    if code in (_OTHER_NAME, _OTHER_ADDRESS):
        return (
            f"shows a certificate for another host: {error.verify_message}",
            "Write the name that the certificate has.",
        )
    if code == _EXPIRED:
        return "shows a certificate that has expired", "Renew the cluster's certificate."
    return f"shows a certificate that is not valid: {error.verify_message}", ""


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Return the error and its causes, its arguments included, as urllib3 nests them."""
    seen: set[int] = set()
    waiting: list[BaseException] = [error]
    while waiting:
        cause = waiting.pop(0)
        if id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        more = [
            *cause.args,
            getattr(cause, "original_error", None),
            cause.__cause__,
            cause.__context__,
        ]
        waiting += [inner for inner in more if isinstance(inner, BaseException)]


def _deepest(error: BaseException) -> str:
    """Return the system's error text, where there is one."""
    for cause in _chain(error):
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
    last = list(_chain(error))[-1]
    return str(last) or type(last).__name__
