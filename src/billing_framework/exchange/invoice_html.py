"""The printable invoice: one HTML file without scripts or outside resources, for the screen and for paper."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence

import jinja2
from markupsafe import Markup

from billing_framework.exchange.invoice_page import RenderedInvoice, page_of
from billing_framework.invoicing.document import Document

_PLAIN = re.compile(r"[A-Za-z0-9]", re.ASCII)


def invoice_html(document: Document) -> str:
    """Return a stored document as HTML.

    Args:
        document: issued or void, or a draft for review; only what it holds is printed.
    """
    return render(page_of(document))


def render(page: RenderedInvoice) -> str:
    """Return the HTML of a page; every text is escaped, also inside the style sheet."""
    return _environment().get_template("invoice.html.j2").render(page=page, words=page.words)


def css_string(text: str) -> Markup:
    """Return `text` as a quoted CSS string in which everything but plain letters and digits is escaped by its code point.

    Blanks too: CSS takes a blank behind an escape for its end and drops it.
    """
    escaped = "".join(sign if _PLAIN.fullmatch(sign) else f"\\{ord(sign):06x}" for sign in text)
    return Markup('"{}"').format(Markup(escaped))  # noqa: S704 - nothing but letters, digits and backslashes is left


def css_lines(lines: Sequence[str]) -> Markup:
    """Return lines as one CSS string that breaks between them."""
    return Markup(" ").join(css_string(line) + Markup(' "\\a"') for line in lines) or css_string("")


@functools.cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("billing_framework.exchange"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(css_string=css_string, css_lines=css_lines)
    return environment
