"""Rows from the JSON of sacct, in the shapes of several versions of Slurm."""

import json

import pytest

from torc.hpc.accounting import AccountRow, rows

STEP_22 = {
    "step": {"job_id": 5, "id": "batch", "name": "batch"},
    "state": "CANCELLED",
    "exit_code": {"status": "SIGNALED", "return_code": None, "signal": {"signal_id": 9, "name": "Killed"}},
    "nodes": {"list": ["node1"], "count": 1, "range": "node1"},
    "time": {"elapsed": 84, "total": {"seconds": 3, "microseconds": 5}},
    "tres": {"allocated": [], "requested": {"max": [{"type": "mem", "count": 434884608, "node": "node1"}]}},
}
SLURM_22 = {
    "meta": {"plugin": {"type": "openapi/dbv0.0.38"}},
    "jobs": [
        {
            "job_id": 5,
            "name": "worker_1",
            "state": {"current": "FAILED", "reason": "None"},
            "exit_code": {"status": "SUCCESS", "return_code": 0},
            "nodes": "node1",
            "time": {"elapsed": 85, "total": {"seconds": 4}},
            "tres": {"allocated": [{"type": "cpu", "count": 2}], "requested": [{"type": "cpu", "count": 2}]},
            "steps": [STEP_22],
        }
    ],
}
SLURM_23 = {
    "jobs": [
        {
            "name": "w",
            "state": {"current": ["NODE_FAIL", "REQUEUED"]},
            "exit_code": {"status": ["ERROR"], "return_code": {"set": True, "infinite": False, "number": 3}},
            "nodes": "node[1-2]",
            "time": {"elapsed": {"set": True, "number": 7500}, "total": {"seconds": 1}},
            "steps": [
                {
                    "step": {"id": {"job_id": 5, "step_id": {"set": True, "number": 0}}, "name": "bash"},
                    "state": ["COMPLETED"],
                }
            ],
        }
    ]
}


def test_the_shape_of_22_with_true_exit_codes():
    job, step = rows(5, json.dumps(SLURM_22), {"5": "3:0", "5.batch": "0:9"})
    assert job == AccountRow(5, "worker_1", "FAILED", "3:0", 85, 434884608, 4, "node1")
    assert step == AccountRow(5, "batch", "CANCELLED", "0:9", 84, 434884608, 3, "node1")


def test_the_shape_of_23():
    job, step = rows(5, json.dumps(SLURM_23), {"5.0": "0:0"})
    assert job == AccountRow(5, "w", "NODE_FAIL, REQUEUED", "3", 7500, None, 1, "node[1-2]")
    assert (step.job_step, step.state, step.exit_code) == ("bash", "COMPLETED", "0:0")


@pytest.mark.parametrize("text", ["", "no", "[]", "{}", '{"jobs": 3}'])
def test_what_is_not_sacct_is_refused(text):
    with pytest.raises(ValueError, match="Invalid JSON output"):
        list(rows(5, text, {}))
