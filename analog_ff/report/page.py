"""From a page to one HTML file that needs no other file and asks no network."""

from __future__ import annotations

from analog_ff import __version__
from analog_ff.report.parts import Page


def html(page: Page) -> str:
    """Return a report as HTML: styles, charts and pictures inside it; every text of a file is escaped."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("analog_ff.report")
    environment = Environment(
        loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined
    )
    return environment.get_template("page.html").render(page=page, version=__version__)
