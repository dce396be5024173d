"""Many rows in, many rows out, in few statements."""

from torc.store.database import Database
from torc.store.rows import ROWS_AT_ONCE, insert_many, select_at_once


def test_many_rows_get_ids_that_follow_each_other(database: Database) -> None:
    count = 2 * ROWS_AT_ONCE + 3
    with database.write() as db:
        db.execute("CREATE TABLE note (id INTEGER PRIMARY KEY AUTOINCREMENT, text TEXT, number REAL)")
        before = insert_many(db, "note", ("text", "number"), [("gone", 0)])
        db.execute("DELETE FROM note")
        first_id = insert_many(db, "note", ("text", "number"), [(f"row {k}", k / 3) for k in range(count)])
        stored = db.execute("SELECT id, text, number FROM note ORDER BY id").fetchall()

    assert first_id == before + 1
    assert stored == [(first_id + k, f"row {k}", k / 3) for k in range(count)]


def test_rows_that_come_at_once_are_the_rows_that_are_stored(database: Database) -> None:
    rows = [[1, None, 'quotes " and \\ and \n'], [-(2**63), "nul \x00 inside", "Grüße 🙂"], [2**63 - 1, "", "[1, 2]"]]
    with database.write() as db:
        db.execute("CREATE TABLE note (number INTEGER, text TEXT, more TEXT)")
        insert_many(db, "note", ("number", "text", "more"), rows)
        found = select_at_once(db, "number, text, more", "FROM note WHERE number <> ?", (0,))

        assert found == rows
        assert select_at_once(db, "number, text, more", "FROM note WHERE number = ?", (0,)) == []
