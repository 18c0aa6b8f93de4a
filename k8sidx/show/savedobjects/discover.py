"""Links from a finding to its events in Discover."""

from __future__ import annotations

COLUMNS = ("message", "user.effective.name", "source.ip", "userAgent")
_SINCE = "now-10y"
"""The events of a finding may lie outside the time range of the dashboard."""


def discover_url(pattern: str) -> str:
    """Return a template of a link for the field ``finding.query``, for the format ``url``.

    Both products replace ``{{value}}`` with the field's value, percent-encoded by
    ``encodeURIComponent``. The rest is RISON, in which only a quote or an exclamation mark ends a
    string; ``finding.query`` contains neither
    (:func:`k8sidx.backends.finding_record.evidence_query`). The address is relative to that of the
    application, so that it works behind a base path and in a space.

    :param pattern: id of the index pattern of the events.
    """
    state = (
        f"(columns:!({','.join(COLUMNS)}),index:'{pattern}',"
        "query:(language:kuery,query:'{{value}}'))"
    )
    return f"../app/discover#/?_g=(time:(from:{_SINCE},to:now))&_a={state}"
