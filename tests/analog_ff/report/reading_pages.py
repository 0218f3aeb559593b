"""What a test reads from a report: its elements, without a browser."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path


class Report(HTMLParser):
    """The elements of a page, each with its attributes, and all of its text."""

    VOID = {"meta", "link", "img", "br"}

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(file.read_text(encoding="utf-8"))
        self.close()
        assert not self.open, f"never closed: {self.open}"
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.words.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """Return the attributes of every element of a kind."""
        return [attributes for name, attributes in self.elements if name == tag]

    def check(self) -> None:
        """Assert what every report keeps: alternative texts, places that exist, and nothing that asks a network."""
        assert all(picture["alt"] for picture in self.all("img"))
        drawn = [one for one in self.all("svg") if "aria-hidden" not in one]
        assert all(one["role"] == "img" and one["aria-label"] for one in drawn)
        ids = [attributes["id"] for _, attributes in self.elements if "id" in attributes]
        assert len(set(ids)) == len(ids)
        for _, attributes in self.elements:
            for name in ("src", "href"):
                place = attributes.get(name)
                assert place is None or place.startswith("data:") or place[1:] in ids
        policy = [one["content"] for one in self.all("meta") if one.get("http-equiv") == "Content-Security-Policy"]
        assert policy == ["default-src 'none'; style-src 'unsafe-inline'; img-src data:"]
        assert not self.all("script") and not self.all("iframe")
