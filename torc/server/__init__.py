"""HTTP in, one store call, HTTP out; the only process that opens the database."""
