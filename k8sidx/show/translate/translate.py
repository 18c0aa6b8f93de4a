"""Translation of a hunt to a language."""

from __future__ import annotations

from collections.abc import Callable

from k8sidx.errors import UnsupportedQuery
from k8sidx.hunt.definition import Hunt
from k8sidx.show.translate.target import Target
from k8sidx.show.translate.translatable import NotTranslatable, Translation


def translate(hunt: Hunt, target: Target) -> Translation:
    """Return the hunt as a text for the target.

    :raises NotTranslatable: naming the hunt, and what the target lacks.
    """
    try:
        return _translator(target)(hunt)
    except UnsupportedQuery as error:
        message = f"{hunt.id} cannot be translated to {target}: {error.message}"
        raise NotTranslatable(message, remedy=error.remedy) from error


def _translator(target: Target) -> Callable[[Hunt], Translation]:
    match target:
        case Target.INSIGHTS:
            from k8sidx.show.translate.insights import to_insights

            return to_insights
        case Target.DSL:
            from k8sidx.show.translate.dsl import to_dsl

            return to_dsl
        case Target.SQL:
            from k8sidx.show.translate.sql import to_sql

            return to_sql
        case Target.SIGMA:
            from k8sidx.show.translate.sigma import to_sigma

            return to_sigma
        case Target.KQL:
            from k8sidx.show.translate.kql import to_kql

            return to_kql
        case Target.LUCENE:
            from k8sidx.show.translate.lucene import to_lucene

            return to_lucene
        case Target.ESQL:
            from k8sidx.show.translate.piped import to_esql

            return to_esql
        case Target.PPL:
            from k8sidx.show.translate.piped import to_ppl

            return to_ppl
