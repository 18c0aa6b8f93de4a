"""CloudWatch Logs on moto's server."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from botocore.exceptions import ClientError

from k8sidx.errors import SourceError, SourceUnavailable
from k8sidx.query.algebra import Query
from tests.building import event
from tests.servers.emulators import answering
from tests.shipping.sources.remote.shipper import Shipper

AUDIT, OTHER = "kube-apiserver-audit-0a1b", "authenticator-0a1b"


@pytest.fixture
def group(aws: str, request: pytest.FixtureRequest) -> str:
    """A log group of EKS with two streams."""
    name = f"/aws/eks/{request.node.name[:60]}/cluster"
    logs = boto3.client("logs")
    logs.create_log_group(logGroupName=name)
    for stream in (AUDIT, OTHER):
        logs.create_log_stream(logGroupName=name, logStreamName=stream)
    return name


def put(group: str, seconds: Iterable[float], *, stream: str = AUDIT, ago: float = 0) -> None:
    """Write events, some seconds ago."""
    put_lines(group, [json.dumps(event(seconds=n)) for n in seconds], stream=stream, ago=ago)


def put_lines(group: str, messages: list[str], *, stream: str = AUDIT, ago: float = 0) -> None:
    moment = round(1000 * (time.time() - ago))
    boto3.client("logs").put_log_events(
        logGroupName=group,
        logStreamName=stream,
        logEvents=[{"timestamp": moment, "message": message} for message in messages],
    )


def test_events_of_a_group_are_read_once_with_the_name_of_their_cluster(
    group: str, shipper: Shipper
) -> None:
    put(group, range(30), ago=3600)
    put_lines(group, ["I1130 klog of another component"], stream=OTHER)
    first = shipper.ship(f"cloudwatch://{group}")
    assert (first.read, first.indexed, first.rejected, first.skipped) == (30, 30, 0, {})
    with shipper.store.engine() as engine:
        clusters = {row[0] for row in engine.run(Query(select=("orchestrator.cluster.name",))).rows}
    assert clusters == {group.split("/")[3]}
    put(group, range(30, 35))
    later = shipper.ship(f"cloudwatch://{group}")
    assert later.indexed == 5
    assert shipper.seconds() == list(range(35))


def test_event_that_arrives_late_is_found_by_looking_back(group: str, shipper: Shipper) -> None:
    put(group, [1], ago=10)
    shipper.ship(f"cloudwatch://{group}")
    put(group, [2], ago=300)
    assert shipper.ship(f"cloudwatch://{group}").indexed == 1


def test_clock_that_is_ahead_hides_no_later_event(group: str, shipper: Shipper) -> None:
    put(group, [1], ago=-3600)
    shipper.ship(f"cloudwatch://{group}")
    put(group, [2])
    assert shipper.ship(f"cloudwatch://{group}").indexed == 1


def test_group_is_followed_without_duplicates(group: str, shipper: Shipper) -> None:
    put(group, range(3), ago=60)

    def add(shipper: Shipper) -> None:
        shipper.wait_until_stored(3)
        put(group, range(3, 6))
        shipper.wait_until_stored(6)

    report = shipper.follow(f"cloudwatch://{group}?poll=1s", meanwhile=add)
    assert (report.read, report.indexed, report.duplicates) == (6, 6, 0)


def test_streams_and_times_are_filtered(group: str, shipper: Shipper) -> None:
    put(group, [1], ago=7200)
    put(group, [2], ago=60)
    put(group, [3], stream=OTHER)
    assert shipper.ship(f"cloudwatch://{group}?since=1h&streams=kube-").indexed == 1
    assert shipper.seconds() == [2]


def test_poison_message_is_rejected_and_its_neighbours_are_stored(
    group: str, shipper: Shipper
) -> None:
    put(group, [1])
    put_lines(group, ['{"kind":"Event","auditID":"x","stage":"Resp[Truncated...]'])
    put(group, [2])
    report = shipper.ship(f"cloudwatch://{group}")
    assert (report.indexed, report.rejected) == (2, 1)


def test_throttling_is_waited_for_while_a_group_is_followed(group: str, shipper: Shipper) -> None:
    put(group, [1])
    answers: list[Any] = []
    make = boto3.client("logs")._make_api_call

    def throttled(self: Any, operation: str, arguments: Any) -> Any:
        answers.append(operation)
        if len(answers) == 1:
            code = {"Code": "ThrottlingException", "Message": "Rate exceeded"}
            raise ClientError({"Error": code, "ResponseMetadata": {}}, operation)
        return make(operation, arguments)

    with patch("botocore.client.BaseClient._make_api_call", throttled):
        report = shipper.follow(
            f"cloudwatch://{group}", meanwhile=lambda shipper: shipper.wait_until_stored(1)
        )
    assert report.indexed == 1
    assert any("Rate exceeded" in message for message in shipper.messages)


def test_throttling_ends_a_single_run_with_an_error(
    aws: str, shipper: Shipper, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = '{"__type": "ThrottlingException", "message": "Rate exceeded"}'
    monkeypatch.setattr("k8sidx.shipping.sources.remote.aws.ATTEMPTS", 1)
    with answering(400, body) as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        failure = shipper.ship("cloudwatch:///aws/eks/prod/cluster").failure
    assert isinstance(failure, SourceUnavailable)
    assert "Rate exceeded" in failure.message


def test_expired_credentials_end_the_run_with_a_clear_error(
    aws: str, shipper: Shipper, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = '{"__type": "ExpiredTokenException", "message": "The security token is expired"}'
    with answering(400, body) as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        failure = shipper.ship("cloudwatch:///aws/eks/prod/cluster").failure
    assert isinstance(failure, SourceError)
    assert "does not accept the credentials: ExpiredTokenException" in failure.message


def test_group_that_does_not_exist_is_an_error(aws: str, shipper: Shipper) -> None:
    failure = shipper.ship("cloudwatch://aws/eks/prod/cluster").failure
    assert failure is not None
    assert "first slash" in failure.remedy
