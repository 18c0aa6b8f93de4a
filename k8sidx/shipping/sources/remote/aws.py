"""AWS sessions: credentials and region as every tool of AWS finds them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    UnauthorizedSSOTokenError,
)

from k8sidx.errors import SourceError, SourceUnavailable

_CREDENTIALS = {
    "ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException",
    "InvalidSignatureException", "SignatureDoesNotMatch", "IncompleteSignature",
    "MissingAuthenticationToken", "AuthFailure", "InvalidToken", "RequestExpired",
}  # fmt: skip
_DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "OptInRequired"}
_PASSING = {
    "Throttling", "ThrottlingException", "RequestThrottled", "TooManyRequestsException",
    "RequestLimitExceeded", "ServiceUnavailableException", "ServiceUnavailable", "InternalFailure",
    "InternalError", "LimitExceededException", "OverLimit", "KmsThrottled",
}  # fmt: skip
ATTEMPTS = 8
_REFRESH = timedelta(minutes=5)


def session(region: str | None = None) -> Any:
    """Return a session.

    :raises SourceError: when the configuration names a profile that does not exist.
    """
    try:
        return boto3.Session(region_name=region)
    except ProfileNotFound as error:
        raise SourceError(f"{error}.", remedy="Check AWS_PROFILE.") from error


def client(service: str, address: str, region: str | None = None) -> Any:
    """Return a client that honours throttling: it slows down and tries again.

    :raises SourceError: without a region.
    """
    retries = Config(retries={"mode": "adaptive", "max_attempts": ATTEMPTS}, connect_timeout=10)
    try:
        return session(region).client(service, config=retries)
    except NoRegionError as error:
        raise SourceError(
            f"{address} needs a region.",
            remedy="Set AWS_REGION, or write ?region=eu-central-1 behind the address.",
        ) from error
    except BotoCoreError as error:
        raise source_error(address, error) from error


def source_error(address: str, error: Exception) -> SourceError:
    """Return the error for a user, by what AWS answered."""
    if isinstance(error, (NoCredentialsError, PartialCredentialsError)):
        return SourceError(
            f"there are no credentials for {address}.",
            remedy="Set AWS_PROFILE or the other variables of AWS, or attach a role.",
        )
    if isinstance(error, ClientError):
        code = str(error.response.get("Error", {}).get("Code", ""))
        message = str(error.response.get("Error", {}).get("Message", "")).rstrip(".")
        if code in _CREDENTIALS:
            return SourceError(
                f"{address} does not accept the credentials: {code}: {message}.",
                remedy="Renew them, and run the command again: it resumes where it stopped.",
            )
        if code in _DENIED:
            return SourceError(
                f"{address} denies access: {message or code}.",
                remedy="docs/clouds.md has the permissions that are needed.",
            )
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if code not in _PASSING and status < 500:
            return SourceError(
                f"{address} cannot be read: {code}: {message}.",
                remedy="Check the name, also its first slash, the account and the region.",
            )
        return SourceUnavailable(f"{address} is not available: {code}: {message}.")
    if isinstance(error, UnauthorizedSSOTokenError):
        return SourceError(f"{address}: {error}.", remedy="Run: aws sso login")
    return SourceUnavailable(f"{address} cannot be reached: {error}.")


class Boto3CredentialProvider:
    """Credentials of a session for obstore, which requests them again before they expire."""

    def __init__(self, aws: Any) -> None:
        self._aws = aws

    def __call__(self) -> Any:
        """Return the credentials.

        :raises ValueError: when there are none.
        """
        credentials = self._aws.get_credentials()
        if credentials is None:
            raise ValueError("boto3 finds no credentials")
        frozen = credentials.get_frozen_credentials()
        return {
            "access_key_id": frozen.access_key,
            "secret_access_key": frozen.secret_key,
            "token": frozen.token,
            "expires_at": datetime.now(UTC) + _REFRESH,
        }
