"""The sections of the report, one a file; each is found because its file exists."""
