"""The shortest way from a file to results, through the real programs."""


def test_a_diamond_is_created_run_and_looked_at(torc, tmp_path):
    (tmp_path / "diamond.yaml").write_text(
        "name: diamond\njobs:\n"
        "  - {name: head, command: echo hello}\n"
        "  - {name: left, command: 'true', depends_on: [head]}\n"
        "  - {name: right, command: 'true', depends_on: [head]}\n"
        "  - {name: tail, command: 'true', depends_on: [left, right]}\n"
    )
    said = torc("run", "diamond.yaml", "-f", "json")
    assert said.code == 0
    assert said.json["status"] == "completed"
    workflow_id = said.json["workflow_id"]
    jobs = torc("jobs", "list", workflow_id, "-f", "json").json["jobs"]
    assert {job["name"]: job["status"] for job in jobs} == dict.fromkeys(["head", "left", "right", "tail"], "completed")
    results = torc("results", "list", workflow_id, "-f", "json").json["results"]
    assert sorted(result["job_id"] for result in results) == [job["id"] for job in jobs]
    stdout = tmp_path / "output" / "job_stdio" / f"job_{workflow_id}_{jobs[0]['id']}_1.o"
    assert stdout.read_text() == "hello\n"
