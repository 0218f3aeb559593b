"""The configuration of a run: its parts, the choices that go together, and reading it from texts and files."""
