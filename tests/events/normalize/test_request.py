"""Queries of requests with more parameters than anybody sends."""

from __future__ import annotations

import pytest

from k8sidx.events.normalize.request import MAX_PARAMETERS, query_fields

MANY = "&" * (2 * MAX_PARAMETERS)


@pytest.mark.parametrize("subresource", ["log", "exec", "attach", "portforward"])
def test_query_fields_reads_a_query_of_very_many_parameters(subresource: str) -> None:
    assert query_fields(f"/api?a={MANY}", subresource) == {}


def test_query_fields_finds_a_command_behind_very_many_parameters() -> None:
    uri = f"/api?a={'&a=b' * MAX_PARAMETERS}&%63ommand=sh&command=a+b&container=web"
    fields = query_fields(uri, "exec")
    assert fields["exec.command"] == ["sh", "a b"]
    assert fields["exec.container"] == "web"


def test_query_fields_cuts_a_command_of_very_many_words() -> None:
    fields = query_fields(f"/api?{'command=x&' * (MAX_PARAMETERS + 5)}", "exec")
    assert len(fields["exec.command"]) == MAX_PARAMETERS


def test_query_fields_finds_a_dry_run_among_very_many_parameters() -> None:
    assert query_fields(f"/api?a={MANY}dryRun=All", "") == {"request.dry_run": True}
    assert query_fields("/api?xdryRun=All&dryRun=Allx", "") == {}
