"""What map_function_across_workers.py maps: a function for one set of parameters, and one for all results."""

from typing import Any


def run(job_name: str, params: dict[str, float]) -> dict[str, Any]:
    """Drop a ball and let it bounce. An exception here would be the failure of the job."""
    height, bounces = params["height"], 0
    while height > 0.01:
        height *= params["elasticity"]
        bounces += 1
    print(f"{job_name}: {bounces} bounces")
    return {"params": params, "bounces": bounces}


def postprocess(results: list[dict[str, Any]]) -> dict[str, Any]:
    """The results come in the order of the parameters."""
    best = max(results, key=lambda result: result["bounces"])
    return {"total_bounces": sum(result["bounces"] for result in results), "liveliest": best["params"]}
