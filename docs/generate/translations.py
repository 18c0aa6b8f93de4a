"""``docs/hunts-elsewhere.md``, made from the library: ``python -m docs.generate.translations``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from k8sidx.backends.cluster.engine.composite import SHARD_SIZE
from k8sidx.hunt.definition import Hunt
from k8sidx.hunt.library.load import load_library
from k8sidx.show.translate.target import Target
from k8sidx.show.translate.translatable import CannotBeSaid
from k8sidx.show.translate.translate import translate

DOCUMENT = Path(__file__).parents[2] / "docs" / "hunts-elsewhere.md"

_TARGETS = (
    (Target.INSIGHTS, "CloudWatch Logs Insights, over the audit log of EKS"),
    (Target.DSL, "a search request for OpenSearch or Elasticsearch, over k8sidx's indices"),
    (Target.SQL, "DuckDB, over the files of an embedded store"),
    (Target.KQL, "KQL and DQL, the search boxes of Kibana and OpenSearch Dashboards"),
    (Target.LUCENE, "Lucene's query strings, over k8sidx's indices"),
    (Target.SIGMA, "other tools that read Sigma"),
)
_INTRODUCTION = f"""\
# Hunts elsewhere

Made from `k8sidx/hunt/library/*.yml` by `python -m docs.generate.translations`.

`k8sidx hunts show` prints a hunt for people; with `--as`, as a text for use elsewhere. The
text finds what the hunt's query finds: that is tested for every hunt and language, SQL on DuckDB,
requests and Lucene on OpenSearch. On Elasticsearch, which takes the same texts, every fifth is
tested, of requests without aggregations that its test distribution lacks. Where the tests have
no server they ask k8sidx: CloudWatch's text is answered by `k8sidx query`, and KQL is read by
the rules of its grammar. What a language has no words for is an error that names it, with exit
code 2.

```console
$ k8sidx hunts show topn_user_agent
$ k8sidx hunts show topn_user_agent --as insights
$ k8sidx hunts show secret_dump_all_namespaces --as sql
```

What is different there stands in comments of the text (`insights`, `sql`), and on stderr:

- **Thresholds** count in intervals that stand side by side, and each stage of a request; k8sidx
  slides its window over requests. KQL and Lucene count nothing: they have the condition alone,
  of a top-N hunt as well.
- **Case**: CloudWatch's `tolower` and `(?i)` fold all of Unicode, k8sidx letters of ASCII: the
  Kelvin sign is a `k` to them. KQL tells upper from lower case; a hunt that does not is
  translated for names that Kubernetes has in lower case only, else refused.
- **CloudWatch** has the paths of an event. `user.effective.name`, `source.ip`, `user.kind`,
  `target.resource`, `request.dry_run` and a few more are said by what they are derived from,
  others refused. Lists are looked at by position, the first five. A body is there where it has a
  `kind`, as all that the API server logs have.
- **SQL** reads `k8sidx-store` in the folder that the shell was started in, all files that lie
  there: run it while nothing is shipped or merged.
- **Requests** count the groups that they return exactly while no shard has more than
  {SHARD_SIZE:,} of them; k8sidx reads all groups, page by page.
- Files of known good ([rules.md](rules.md#known-good)) do not go with a hunt, entries of
  configured lists do.

Hunts that compare with the time before (new, spike, silent) or are about requests that follow
one another (sequence) are said by Sigma alone; those that need a list which nobody has given,
too.
"""


def document(hunts: Sequence[Hunt]) -> str:
    """The whole page."""
    said = {hunt.id: {target: _is_said(hunt, target) for target in Target} for hunt in hunts}
    lines = [_INTRODUCTION, *_counts(said), "", *_table(said)]
    return "\n".join(lines) + "\n"


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
    except CannotBeSaid:
        return False
    return True


if __name__ == "__main__":
    DOCUMENT.write_text(document(load_library()), encoding="utf-8")
