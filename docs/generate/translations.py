"""Generator of ``docs/hunts-elsewhere.md``: ``python -m docs.generate.translations``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from k8sidx.backends.cluster.documents.gaps import parts_of
from k8sidx.backends.cluster.engine.composite import SHARD_SIZE
from k8sidx.events.fields.lookup import resolve
from k8sidx.hunt.definition import Hunt
from k8sidx.hunt.library.load import load_library
from k8sidx.query.algebra import leaves
from k8sidx.show.translate.target import Target
from k8sidx.show.translate.translatable import NotTranslatable
from k8sidx.show.translate.translate import translate

DOCUMENT = Path(__file__).parents[2] / "docs" / "hunts-elsewhere.md"

_TARGETS = (
    (Target.INSIGHTS, "CloudWatch Logs Insights, over the audit log of EKS"),
    (Target.DSL, "a search request for OpenSearch or Elasticsearch, over k8sidx's indices"),
    (Target.SQL, "DuckDB, over the files of an embedded store"),
    (Target.KQL, "KQL and DQL, the search boxes of Kibana and OpenSearch Dashboards"),
    (Target.LUCENE, "Lucene's query strings, over k8sidx's indices"),
    (Target.ESQL, "ES|QL, the piped language of Elasticsearch, over k8sidx's indices"),
    (Target.PPL, "PPL, the piped language of OpenSearch, over k8sidx's indices"),
    (Target.SIGMA, "other tools that read Sigma"),
)
LAYOUTS: dict[str, str] = {
    "Filebeat, at the root": "",
    "Filebeat, under json": "",
    "Elastic Kubernetes integration": "requestObject.metadata",
    "Elastic AWS integration, EKS": "",
    "Vector": "",
    "Logstash": "",
    "Fluent Bit, merged": "",
    "Fluent Bit, raw": "",
    "OpenShift ViaQ": "",
    "AWS Lambda to OpenSearch": "",
}
"""Layouts of indices that other programs fill, and the part of events that their documents lack;
``tests/backends/cluster/test_layouts.py`` measures on servers what the table says."""
_FOREIGN = """
## Indices of other programs

Over indices that another program filled ([clusters.md](clusters.md#indices-filled-by-other-tools)),
hunts run as they are. The table is compared with real OpenSearch and Elasticsearch by a test, which
indexes a generated log with all attacks in each layout: every field that hunts read is the same as
in an own index of the same events, hence every finding is. A hunt whose condition is about a part
that a layout lacks is refused with the name of the field; it is never without findings.

| layout | hunts | lacking |
| --- | ---: | --- |
"""
_INTRODUCTION = f"""\
# Hunts elsewhere

Made from `k8sidx/hunt/library/*.yml` by `python -m docs.generate.translations`.

`k8sidx hunts show` prints a hunt for people; with `--as`, it prints a translation. A translation
finds the same as the hunt's query. This is tested for every hunt and language: SQL on DuckDB,
search requests and Lucene on OpenSearch. On Elasticsearch, which accepts the same texts, every
fifth is tested, excluding requests with aggregations missing from its test distribution. For
languages without a server in the tests, k8sidx stands in: `k8sidx query` runs the CloudWatch
queries, and KQL is evaluated by the rules of its grammar. ES|QL and PPL search with the text that
is tested as Lucene; their commands around it ran on no server, since the distributions in the tests
lack both languages. Anything a language cannot express is an error that names it, with exit code 2.

```console
$ k8sidx hunts show topn_user_agent
$ k8sidx hunts show topn_user_agent --as insights
$ k8sidx hunts show secret_dump_all_namespaces --as sql
```

Differences are listed in comments of the text (`insights`, `sql`) and on stderr:

- **Thresholds** count in adjacent intervals, and count each stage of a request; k8sidx slides its
  window over requests. KQL and Lucene do not count: they contain only the condition, also of a
  top-N hunt.
- **Case**: CloudWatch's `tolower` and `(?i)` fold all of Unicode, k8sidx only ASCII letters: they
  treat the Kelvin sign as a `k`. KQL is case-sensitive; a case-insensitive hunt is translated only
  for names that Kubernetes restricts to lower case, and otherwise refused.
- **CloudWatch** contains the paths of an event. `user.effective.name`, `source.ip`, `user.kind`,
  `target.resource`, `request.dry_run` and a few more are translated to the fields from which they
  are derived; others are refused. Lists are searched by position, the first five elements. A body
  counts as present if it has a `kind`, as in all logs of the API server.
- **SQL** reads all files of `k8sidx-store` in the shell's working directory: run it while nothing
  is being shipped or merged.
- **Search requests** count the returned groups exactly while no shard has more than {SHARD_SIZE:,}
  of them; k8sidx reads all groups, page by page.
- **Allow lists** ([rules.md](rules.md#allow-lists)) are not part of a translation; entries of
  configured lists are.

Only Sigma can express hunts that compare with a baseline (new, spike, silent) or correlate several
requests (sequence), and hunts that require a list which was not provided.
"""


def document(hunts: Sequence[Hunt]) -> str:
    """Return the page."""
    said = {hunt.id: {target: _is_said(hunt, target) for target in Target} for hunt in hunts}
    lines = [_INTRODUCTION, *_counts(said), "", *_table(said), *_layouts(hunts)]
    return "\n".join(lines) + "\n"


def _layouts(hunts: Sequence[Hunt]) -> Iterator[str]:
    """Yield the table of layouts, with the number of hunts that need nothing that one lacks."""
    yield _FOREIGN.rstrip("\n")
    for layout, lacking in LAYOUTS.items():
        able = sum(lacking not in _parts(hunt) for hunt in hunts)
        part = f"`{lacking}`" if lacking else ""
        yield f"| {layout} | {able} of {len(hunts)} | {part} |"


def _parts(hunt: Hunt) -> set[str]:
    names = {resolve(leaf.field).field.name for leaf in leaves(hunt.condition)}
    return {part for name in names for part in parts_of(name)}


def _counts(said: dict[str, dict[Target, bool]]) -> Iterator[str]:
    yield "| `--as` | for | hunts |"
    yield "| --- | --- | ---: |"
    for target, about in _TARGETS:
        count = sum(one[target] for one in said.values())
        yield f"| `{target}` | {about} | {count} of {len(said)} |"


def _table(said: dict[str, dict[Target, bool]]) -> Iterator[str]:
    targets = [target for target, _ in _TARGETS if target is not Target.SIGMA]
    yield f"| hunt | {' | '.join(targets)} |"
    yield f"| --- |{' :-: |' * len(targets)}"
    for identifier, found in said.items():
        marks = " | ".join("yes" if found[target] else "–" for target in targets)
        yield f"| `{identifier}` | {marks} |"


def _is_said(hunt: Hunt, target: Target) -> bool:
    try:
        translate(hunt, target)
    except NotTranslatable:
        return False
    return True


if __name__ == "__main__":
    DOCUMENT.write_text(document(load_library()), encoding="utf-8")
