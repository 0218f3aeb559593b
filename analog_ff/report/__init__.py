"""The page ``report.html`` of a finished folder: what it shows, and how it is drawn without any other file or program."""
