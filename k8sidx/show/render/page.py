"""Self-contained HTML pages: no external resource, all text escaped, no script but our own."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from k8sidx.show.render.escape import iso_time, visible
from k8sidx.show.render.sheet import is_number, quantity, readable, readable_time


def render_page(
    template: str, title: str, *, style: str = "", scripts: Sequence[str] = (), **data: object
) -> str:
    """Return a whole page.

    :param template: a file of the folder ``templates`` that extends ``page.html.j2``.
    :param style: CSS besides that of every page.
    :param scripts: our own; the page's policy allows these texts and nothing else.
    :param data: variables of the template, as they come from the log: every expression of a
        template is made visible and escaped.
    """
    styles = asset("page.css") + style
    allowed = " ".join(map(_hashed, scripts)) or "'none'"
    policy = (
        f"default-src 'none'; style-src {_hashed(styles)}; script-src {allowed}; "
        "base-uri 'none'; form-action 'none'"
    )
    page = _environment().get_template(template)
    return page.render(title=title, policy=policy, styles=styles, scripts=scripts, **data)


def asset(name: str) -> str:
    """Return the text of a file of the folder ``assets``."""
    return (resources.files("k8sidx.show.render") / "assets" / name).read_text("utf-8")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("k8sidx.show.render"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_visible,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(
        iso_time=iso_time, quantity=quantity, readable=readable, readable_time=readable_time
    )
    environment.tests.update(moment=_is_moment, numeric=is_number)
    environment.policies["json.dumps_kwargs"] = {"separators": (",", ":")}
    return environment


def _visible(value: Any) -> Any:
    """Return text with whatever is not printable as an escape; HTML from a macro as it is."""
    return visible(value) if isinstance(value, str) and not hasattr(value, "__html__") else value


def _is_moment(value: object) -> bool:
    return isinstance(value, datetime)


def _hashed(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
