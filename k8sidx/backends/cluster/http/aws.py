"""Request signing for Amazon OpenSearch Service and Serverless (AWS Signature Version 4)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import sha256
from urllib.parse import urlsplit

from k8sidx.backends.cluster.http.secret import SecretText
from k8sidx.errors import StoreError, UsageError

try:
    import botocore.session
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.exceptions import BotoCoreError
except ImportError:
    raise UsageError(
        "signing requests for AWS needs packages that are not installed.",
        remedy="Run: pip install 'k8sidx[aws]'",
    ) from None

_REGION_IN_HOST = re.compile(r"\.([a-z]{2}(?:-[a-z]+)+-\d)\.(?:es|aoss)\.amazonaws\.com")


class AwsSigner:
    """Signs every request, its body included, with the credentials that AWS tools use.

    :param service: ``es`` or ``aoss``.
    :param region: by default the configured one, else that in the host's name.
    :param profile: of the AWS configuration; by default the environment's.
    :raises UsageError: when there are no credentials.
    """

    def __init__(self, service: str, region: str, profile: str) -> None:
        try:
            session = botocore.session.Session(profile=profile or None)
            self._credentials = session.get_credentials()
            self._region = region or session.get_config_variable("region") or ""
        except BotoCoreError as error:
            raise UsageError(f"the AWS configuration is wrong: {error}.") from error
        if self._credentials is None:
            raise UsageError(
                "there are no AWS credentials.",
                remedy="Set AWS_PROFILE, or the variables AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY, or give this machine a role.",
            )
        self._service = service

    def headers(
        self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]
    ) -> Mapping[str, str]:
        """Return the headers; see :class:`k8sidx.backends.cluster.http.secret.Signer`.

        :raises StoreError: when temporary credentials cannot be renewed.
        """
        digest = sha256(body or b"").hexdigest()
        request = AWSRequest(method, url, {"x-amz-content-sha256": digest}, body or b"")
        try:
            frozen = self._credentials.get_frozen_credentials()
        except BotoCoreError as error:
            raise StoreError(
                f"the AWS credentials cannot be renewed: {error}.", remedy="Log in again."
            ) from error
        SigV4Auth(frozen, self._service, self._region_for(url)).add_auth(request)
        return {name.lower(): SecretText(value) for name, value in request.headers.items()}

    def _region_for(self, url: str) -> str:
        in_host = _REGION_IN_HOST.search(urlsplit(url).hostname or "")
        region = self._region or (in_host[1] if in_host else "")
        if not region:
            raise UsageError(
                "the AWS region is not configured.", remedy="Set AWS_REGION or K8SIDX_AWS_REGION."
            )
        return region
