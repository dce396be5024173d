"""``torc workflows new`` and ``update``."""


def test_a_new_workflow_is_empty_and_belongs_to_who_makes_it(torc):
    said = torc("workflows", "new", "-n", "grün", "-d", "first", "-u", "ann")
    made = torc("workflows", "list", "--user", "ann", "--sort-by", "id", "--reverse-sort", "-l", "1", "-f", "json").json
    assert said.out == (
        f"Successfully created workflow:\n  ID: {made[0]['id']}\n  Name: grün\n  User: ann\n  Description: first\n"
    )
    assert torc("jobs", "list", made[0]["id"], "-f", "json").json == {"jobs": []}


def test_an_update_changes_what_is_given_and_nothing_else(torc, http):
    made = torc("workflows", "new", "-n", "before", "-f", "json").json["id"]
    http.put(f"/workflows/{made}", {"name": "before", "user": "tester", "jobs_sort_method": "none"})
    before = http.get(f"/workflows/{made}").json
    said = torc("workflows", "update", made, "--description", "told", "--owner-user", "ben")
    assert said.out.startswith(f"Successfully updated workflow:\n  ID: {made}\n  Name: before\n  User: ben\n")
    changed = http.get(f"/workflows/{made}").json
    assert changed == {**before, "description": "told", "user": "ben", "revision": changed["revision"]}


def test_an_update_without_changes_is_refused(torc):
    made = torc("workflows", "new", "-n", "before", "-f", "json").json["id"]
    said = torc("workflows", "update", made)
    assert (said.code, said.out) == (2, "")
    assert said.err == "Error: nothing to change; give --name, --description or --owner-user.\n"
    assert torc("workflows", "update", 10**9, "-n", "x").code == 1
