"""Inputs in clouds by the scheme of their address."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import NamedTuple, cast

from k8sidx.errors import UsageError
from k8sidx.shipping.sources.remote.address import Address, parse_address
from k8sidx.shipping.sources.remote.source import RemoteSource


class Scheme(NamedTuple):
    """A kind of input.

    :param module: has a function ``open_source`` that takes an :class:`Address`.
    :param extra: of the package, with the libraries that the module imports.
    :param form: the form of an address.
    """

    module: str
    extra: str
    form: str


SCHEMES = {
    "s3": Scheme("objects", "aws", "s3://BUCKET/PREFIX"),
    "gs": Scheme("objects", "gcp", "gs://BUCKET/PREFIX"),
    "az": Scheme("objects", "azure", "az://ACCOUNT/CONTAINER/PREFIX"),
    "cloudwatch": Scheme("cloudwatch", "aws", "cloudwatch://GROUP"),
    "sqs": Scheme("sqs", "aws", "sqs://QUEUE"),
    "azqueue": Scheme("azure_queue", "azure", "azqueue://ACCOUNT/QUEUE"),
    "kafka": Scheme("kafka", "kafka", "kafka://BROKER:9092/TOPIC"),
}


def is_remote(given: str) -> bool:
    """Whether an input has the scheme of a cloud."""
    scheme, separator, _ = given.partition("://")
    return bool(separator) and scheme in SCHEMES


def open_sources(inputs: Sequence[str]) -> list[RemoteSource]:
    """Return the sources that the inputs name, each once; nothing is read yet.

    :raises UsageError: for an address that is not valid, or without the extra that reads it.
    """
    return [_open(parse_address(given)) for given in dict.fromkeys(inputs)]


def _open(address: Address) -> RemoteSource:
    scheme = SCHEMES[address.scheme]
    if not address.host and not address.path:
        raise UsageError(f"{address.text} is not complete.", remedy=f"Write {scheme.form}.")
    try:
        module = import_module(f"k8sidx.shipping.sources.remote.{scheme.module}")
        open_source = cast("Callable[[Address], RemoteSource]", module.open_source)
        return open_source(address)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("k8sidx"):
            raise
        raise UsageError(
            f"{address.scheme}:// needs the package {error.name}, which is not installed.",
            remedy=f"Run: pip install 'k8sidx[{scheme.extra}]'",
        ) from error
