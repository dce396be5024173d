"""All state, in one SQLite file. The only package that imports sqlite3; one function, one transaction."""
