"""Files that a real OpenSearch Dashboards and a real Kibana imported, and showed wrongly.

Cut down from the dashboards of commit dfe4889, which were opened in OpenSearch Dashboards 2.8 and
Kibana 8.12.
"""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from k8sidx.show.panels.library import dashboards
from k8sidx.show.savedobjects.check import check_file
from k8sidx.show.savedobjects.export import FLAVORS, export
from k8sidx.show.savedobjects.field_names import known_fields
from k8sidx.show.savedobjects.identifiers import Names
from k8sidx.show.savedobjects.products import MEMBERS, PRODUCTS
from k8sidx.show.savedobjects.search_source import Flavor

FOLDER = Path(__file__).parent / "faulty"
FAULTS: list[tuple[str, str, str]] = [
    ("format", "opensearch-workloads", "does not know outputFormat 'humanizePrecise'"),
    ("parameter", "opensearch-workloads", "ignores the parameter useShortSuffix"),
    ("attribute", "kibana-workloads", "unknown attribute isTextBasedOnly"),
    ("missing values", "kibana-workloads", "missingBucket of target.name without otherBucket"),
    ("order", "kibana-8-workloads", "reads the order from vis.params.sort"),
    ("ids in Kibana 8", "kibana-8-workloads", "links to k8sidx-article, k8sidx-control-plane"),
    ("ids in Kibana 9", "kibana-workloads", "links to k8sidx-article, k8sidx-control-plane"),
    ("outcome", "opensearch-overview", "no fixed colour for event.outcome success, failure"),
    ("outcome in Lens", "kibana-overview", "no fixed colour for event.outcome success, failure"),
    ("decision", "kibana-8-overview", "no fixed colour for annotations.authorization.k8s.io/dec"),
    ("columns", "opensearch-workloads", "resource, namespace, name, last seen, requests is hidden"),
    ("stream", "kibana-workloads", "of the grid: source.ip, userAgent is hidden"),
    ("columns in Lens", "kibana-workloads", "namespace, name, last seen, requests is hidden"),
    ("lists", "kibana-8-workloads", "the panel is 7 rows high, its lists need 9"),
    ("number", "kibana-workloads", "shows N/A instead of 0"),
    ("fields", "opensearch-overview", "no fields: the first view asks the indices"),
    ("empty verb", "kibana-overview", "an empty verb has no label"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("file", "fault"), [fault[1:] for fault in FAULTS], ids=[fault[0] for fault in FAULTS]
)
def test_a_fault_of_the_real_products_is_named(file: str, fault: str) -> None:
    name = f"{file}.ndjson"
    problems = check_file(name, (FOLDER / name).read_bytes(), known_fields())
    assert any(fault in problem.text for problem in problems), problems


@pytest.mark.parametrize("flavor", FLAVORS)
def test_the_present_files_have_none(flavor: Flavor) -> None:
    content = export(dashboards(), flavor)
    assert check_file("all.ndjson", content, known_fields(), flavor) == []


def test_a_file_for_another_product_is_checked_for_the_one_that_is_named() -> None:
    content = export([dashboards()[0]], "kibana-8")
    texts = [p.text for p in check_file("a.ndjson", content, known_fields(), "opensearch")]
    assert texts == []
    lens = export([dashboards()[0]], "kibana")
    texts = [p.text for p in check_file("a.ndjson", lens, known_fields(), "opensearch")]
    assert any("unknown attribute controlGroupInput" in text for text in texts)


def test_dashboards_with_the_same_title_are_named() -> None:
    one, other = (
        [orjson.loads(line) for line in export([dashboards()[0]], "opensearch", Names(prefix))
         .splitlines()[:-1]]
        for prefix in ("k8s-audit", "prod")
    )  # fmt: skip
    content = b"\n".join(map(orjson.dumps, one + other))
    assert check_file("two.ndjson", content, known_fields()) == []
    other[-1]["attributes"]["title"] = one[-1]["attributes"]["title"]
    [problem] = check_file("two.ndjson", b"\n".join(map(orjson.dumps, one + other)), known_fields())
    assert "another dashboard has the title" in problem.text


def test_every_fact_names_its_source() -> None:
    for product in PRODUCTS.values():
        sources = [members.source for members in MEMBERS.values()]
        sources += [attributes.source for attributes in product.attributes.values()]
        sources += [chosen.source for chosen in product.formats.values()]
        assert all(source.endswith((".ts", ".tsx")) for source in sources)
