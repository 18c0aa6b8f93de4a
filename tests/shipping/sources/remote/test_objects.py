"""Objects in S3, GCS and Azure Blob Storage, by prefix, on emulators."""

from __future__ import annotations

import gzip

import pytest

from k8sidx.errors import SourceError, UsageError
from tests.servers.emulators import answering
from tests.shipping.sources.remote.conftest import Bucket
from tests.shipping.sources.remote.shipper import Shipper, lines


def test_objects_below_a_prefix_are_read_once_and_new_ones_later(
    bucket: Bucket, shipper: Shipper
) -> None:
    bucket.put("audit/2026/a b+ü.log", lines(range(3)))
    bucket.put("audit/2026/b.log.gz", gzip.compress(lines(range(2, 6))))
    bucket.put("audit/2026/empty.log", b"")
    bucket.put("other/c.log", lines(range(90, 95)))
    first = shipper.ship(f"{bucket.url}/audit/20")
    assert (first.read, first.indexed, first.duplicates, first.rejected) == (7, 6, 1, 0)
    again = shipper.ship(f"{bucket.url}/audit/20")
    assert (again.read, again.not_understood, again.failure) == (0, [], None)
    bucket.put("audit/2026/d.log", lines(range(10, 12)))
    assert shipper.ship(f"{bucket.url}/audit/20").indexed == 2
    assert shipper.stored() == 8


def test_object_that_was_overwritten_is_read_once_more(bucket: Bucket, shipper: Shipper) -> None:
    bucket.put("audit/a.log", lines(range(20)))
    assert shipper.ship(f"{bucket.url}/audit/").indexed == 20
    bucket.put("audit/a.log", lines(range(15, 40)))  # of another beginning
    second = shipper.ship(f"{bucket.url}/audit/")
    assert (second.read, second.indexed, second.duplicates) == (25, 20, 5)


def test_object_that_has_grown_is_read_from_there(bucket: Bucket, shipper: Shipper) -> None:
    bucket.put("audit/PT1H.json", lines(range(20)))
    shipper.ship(f"{bucket.url}/audit/")
    bucket.put("audit/PT1H.json", lines(range(30)))
    second = shipper.ship(f"{bucket.url}/audit/")
    assert (second.read, second.indexed) == (10, 10)
    # Without a newline at its end: the last line is read once more when it is complete.
    bucket.put("audit/PT1H.json", lines(range(35)).rstrip(b"\n"))
    third = shipper.ship(f"{bucket.url}/audit/")
    assert (third.read, third.indexed) == (5, 5)
    bucket.put("audit/PT1H.json", lines(range(36)))
    fourth = shipper.ship(f"{bucket.url}/audit/")
    assert (fourth.indexed, fourth.duplicates, fourth.rejected) == (1, 1, 0)
    assert shipper.stored() == 36


def test_poison_object_is_rejected_and_its_neighbours_are_stored(
    bucket: Bucket, shipper: Shipper
) -> None:
    bucket.put("a/1.log", lines([1]))
    bucket.put("a/2.log", lines([2]) + b'{"kind":"Event","auditID": 3, "stage": [}\n' + lines([3]))
    bucket.put("a/3.log.gz", gzip.compress(lines(range(4, 9)))[:-20])
    bucket.put("a/4.log", lines([9]))
    report = shipper.ship(f"{bucket.url}/a/")
    assert report.rejected >= 2
    assert report.read == report.indexed + report.duplicates + report.rejected
    assert {1, 2, 3, 9} <= set(shipper.seconds())
    assert shipper.ship(f"{bucket.url}/a/").read == 0


def test_bucket_that_does_not_exist_is_an_error(aws: str, shipper: Shipper) -> None:
    report = shipper.ship("s3://no-such-bucket/audit/")
    assert isinstance(report.failure, SourceError)
    assert "does not exist" in report.failure.message


@pytest.mark.parametrize(
    ("code", "status", "message"),
    [
        ("ExpiredToken", 400, "does not accept the credentials"),
        ("InvalidAccessKeyId", 403, "does not accept the credentials"),
        ("AccessDenied", 403, "denies access"),
    ],
)
def test_credentials_that_are_not_accepted_end_the_run_with_a_clear_error(
    code: str, status: int, message: str, aws: str, shipper: Shipper,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    with answering(status, f"<Error><Code>{code}</Code><Message>No.</Message></Error>") as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        failure = shipper.ship("s3://logs/audit/").failure
    assert isinstance(failure, SourceError)
    assert failure.exit_code == 2
    assert message in failure.message


def test_address_with_credentials_or_unknown_options_is_refused(shipper: Shipper) -> None:
    with pytest.raises(UsageError, match="credentials"):
        shipper.ship("s3://key:secret@logs/audit")
    with pytest.raises(UsageError, match="has no option 'sicne'"):
        shipper.ship("s3://logs/audit?sicne=7d")
    assert not shipper.store.folder.exists()


def test_new_objects_are_read_while_a_prefix_is_followed(bucket: Bucket, shipper: Shipper) -> None:
    bucket.put("audit/a.log", lines(range(3)))

    def add(shipper: Shipper) -> None:
        shipper.wait_until_stored(3)
        bucket.put("audit/b.log", lines(range(3, 5)))
        shipper.wait_until_stored(5)

    report = shipper.follow(f"{bucket.url}/audit/?poll=1s", meanwhile=add)
    assert (report.read, report.indexed, report.failure) == (5, 5, None)
    assert shipper.ship(f"{bucket.url}/audit/").read == 0


def test_objects_before_since_are_not_read(bucket: Bucket, shipper: Shipper) -> None:
    bucket.put("audit/a.log", lines(range(3)))
    assert shipper.ship(f"{bucket.url}/audit/?since=1d").indexed == 3
    assert shipper.ship(f"{bucket.url}/audit/?since=2100-01-01T00:00:00Z").read == 0
