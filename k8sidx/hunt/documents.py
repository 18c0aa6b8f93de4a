"""A file of Sigma → its rules and correlations, each with the line it begins at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import yaml
from sigma.collection import SigmaCollection
from sigma.exceptions import SigmaError
from sigma.rule import SigmaRuleBase

from k8sidx.errors import InvalidHunt, Where
from k8sidx.hunt.sigma import POLICY

LINE = "k8sidx document line"
BLOCK_LINE = "k8sidx block line"
"""Custom attributes of a rule: where it and its ``k8sidx`` key begin."""


def read_documents(text: str, file: str) -> list[dict[str, Any]]:
    """The YAML documents, each with the lines that it and its ``k8sidx`` key begin at."""
    try:
        nodes = [node for node in yaml.compose_all(text, yaml.CSafeLoader) if node is not None]
        loaded = [one for one in yaml.load_all(text, yaml.CSafeLoader) if one is not None]
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = Where(file, mark.line + 1 if mark else 0)
        raise InvalidHunt(
            f"no valid YAML: {error.problem or error.context}.", where=where
        ) from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise InvalidHunt(f"no valid YAML: {error}.", where=Where(file)) from error
    documents = []
    for node, document in zip(nodes, loaded, strict=False):
        line = node.start_mark.line + 1
        if not isinstance(document, dict) or not isinstance(node, yaml.MappingNode):
            raise InvalidHunt("a Sigma document is a mapping.", where=Where(file, line))
        lines = {key.value: key.start_mark.line + 1 for key, _ in node.value}
        if "action" not in document:
            document |= {LINE: line, BLOCK_LINE: lines.get("k8sidx", line)}
        documents.append(document)
    return documents


def rules_of(documents: Sequence[dict[str, Any]], file: str) -> list[SigmaRuleBase]:
    line = documents[0].get(LINE, 0) if len(documents) == 1 else 0
    try:
        collection = SigmaCollection.from_dicts(cast("Any", list(documents)), policy=POLICY)
    except SigmaError as error:
        message = str(error.args[0] if error.args else error).rstrip(".")
        raise InvalidHunt(f"no valid Sigma: {message}.", where=Where(file, line)) from error
    except (AttributeError, TypeError, KeyError, ValueError, RecursionError) as error:
        # pySigma checks most of a document, but not the type of every part.
        message = f"no valid Sigma: a part of it has the wrong type ({error})."
        raise InvalidHunt(message, where=Where(file, line)) from error
    rules = list(collection.get_output_rules())
    if not rules:
        raise InvalidHunt("there is no rule in this file.", where=Where(file))
    return sorted(rules, key=lambda rule: int(rule.custom_attributes.get(LINE, 0)))
