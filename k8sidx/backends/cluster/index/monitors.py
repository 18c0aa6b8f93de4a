"""Monitors of OpenSearch Alerting and rules of Kibana about new findings, one for each level.

A finding's ``event.created`` is the time at which it was saved first: each finding is in one period
of a monitor, however late its events are. No text of a log is part of a message.

Sources: https://docs.opensearch.org/latest/observing-your-data/alerting/api/, and the Elasticsearch
query rule of https://www.elastic.co/docs/explore-analyze/alerts-cases/alerts/rule-type-es-query.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

SEVERITY = {"critical": "1", "high": "2", "medium": "3"}
"""Severity of OpenSearch's triggers, by level."""
_MINUTES = 1
_SHOWN = 20


def monitor_files(findings: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the path and the content of each file: the body of the request that creates it.

    :param findings: the index of the findings.
    """
    for level in SEVERITY:
        yield f"opensearch/monitor-{level}.json", opensearch_monitor(findings, level)
        yield f"kibana/rule-{level}.json", kibana_rule(findings, level)


def opensearch_monitor(findings: str, level: str) -> dict[str, Any]:
    """Return the body of ``POST _plugins/_alerting/monitors``."""
    period = {"gte": "{{period_start}}", "lt": "{{period_end}}", "format": "epoch_millis"}
    filters = [{"term": {"rule.level": level}}, {"range": {"event.created": period}}]
    query = {"size": _SHOWN, "query": {"bool": {"filter": filters}}}
    return {
        "type": "monitor",
        "name": _name(findings, level),
        "monitor_type": "query_level_monitor",
        "enabled": True,
        "schedule": {"period": {"interval": _MINUTES, "unit": "MINUTES"}},
        "inputs": [{"search": {"indices": [findings], "query": query}}],
        "triggers": [
            {
                "query_level_trigger": {
                    "name": f"new findings of level {level}",
                    "severity": SEVERITY[level],
                    "condition": {
                        "script": {
                            "source": "ctx.results[0].hits.total.value > 0",
                            "lang": "painless",
                        }
                    },
                    "actions": [],
                }
            }
        ],
    }


def kibana_rule(findings: str, level: str) -> dict[str, Any]:
    """Return the body of ``POST /api/alerting/rule``."""
    query = {"query": {"bool": {"filter": [{"term": {"rule.level": level}}]}}}
    return {
        "name": _name(findings, level),
        "rule_type_id": ".es-query",
        "consumer": "stackAlerts",
        "enabled": True,
        "tags": ["k8sidx", level],
        "schedule": {"interval": f"{_MINUTES}m"},
        "params": {
            "searchType": "esQuery",
            "index": [findings],
            "timeField": "event.created",
            "esQuery": json.dumps(query),
            "size": _SHOWN,
            "aggType": "count",
            "groupBy": "all",
            "threshold": [0],
            "thresholdComparator": ">",
            # Longer than the interval, so that no run leaves a gap.
            "timeWindowSize": 5 * _MINUTES,
            "timeWindowUnit": "m",
            "excludeHitsFromPreviousRun": True,
        },
        "actions": [],
    }


def _name(findings: str, level: str) -> str:
    return f"k8sidx: new {level} findings in {findings}"
