"""References to user data in a command, filled in when the job is handed out."""

import re
import sqlite3

REFERENCE = re.compile(r"\$\{(user_data|user_data_json)\.(?:input|output)\.([^}]+)\}")


def resolve(db: sqlite3.Connection, workflow_id: int, text: str) -> str:
    """``${user_data.input.NAME}`` becomes the record's id, ``${user_data_json.input.NAME}`` its JSON text.

    Commands keep names until then, so that hashes, exports and imports do not depend on ids. A name that does not
    exist any more is left as it stands.
    """
    if "${user_data" not in text:
        return text

    def value(match: re.Match[str]) -> str:
        row = db.execute(
            "SELECT id, data FROM user_data WHERE workflow_id = ? AND name = ? ORDER BY id LIMIT 1",
            (workflow_id, match[2]),
        ).fetchone()
        if row is None:
            return match[0]
        return str(row[0]) if match[1] == "user_data" else (row[1] or "null")

    return REFERENCE.sub(value, text)
