"""What a check of a specification has found, as people and scripts read it."""

from typing import Any

from torc.models.checked import Checked, Summary

TITLE = "Workflow Validation Results"


def verdict(checked: Checked) -> str:
    """The last line of the report."""
    if checked.errors:
        return "Validation: FAILED"
    remark = f" (with {len(checked.warnings)} warning(s))" if checked.warnings else ""
    return f"Validation: PASSED{remark}"


def report(checked: Checked) -> str:
    """All of it but the verdict. What could not be read at all has nothing to count."""
    parts = [f"{TITLE}\n{'=' * len(TITLE)}"]
    if checked.summary.name:
        parts += [heading(checked.summary), components(checked.summary)]
    for title, found in (("Errors", checked.errors), ("Warnings", checked.warnings)):
        if found:
            parts.append("\n".join([f"{title} ({len(found)}):", *(f"  - {line}" for line in found)]))
    return "\n\n".join(parts)


def heading(summary: Summary) -> str:
    """Which workflow it is."""
    described = f"\nDescription: {summary.description}" if summary.description else ""
    return f"Workflow: {summary.name}{described}"


def components(summary: Summary) -> str:
    """What would be created, and whether a batch system would run it."""
    submission = "Ready for scheduler submission (has" if summary.schedules_nodes else "Local execution only (no"
    return "\n".join(
        [
            "Components to be created:",
            f"  Jobs: {counted(len(summary.jobs), summary.jobs_written, 'job')}",
            f"  Files: {counted(summary.files, summary.files_written, 'file')}",
            f"  User data records: {summary.user_data}",
            f"  Resource requirements: {summary.resource_requirements}",
            f"  Slurm schedulers: {len(summary.schedulers)}",
            f"  Workflow actions: {summary.actions}",
            "",
            f"Submission: {submission} on_workflow_start schedule_nodes action)",
        ]
    )


def counted(count: int, written: int, noun: str) -> str:
    """How many records there will be, and of how many entries they are made."""
    return str(count) if count == written else f"{count} (expanded from {written} parameterized {noun} specs)"


def as_document(checked: Checked) -> dict[str, Any]:
    """The report for scripts."""
    summary = checked.summary
    return {
        "valid": not checked.errors,
        "errors": checked.errors,
        "warnings": checked.warnings,
        "summary": {
            "workflow_name": summary.name,
            "workflow_description": summary.description,
            "job_count": len(summary.jobs),
            "job_count_before_expansion": summary.jobs_written,
            "file_count": summary.files,
            "file_count_before_expansion": summary.files_written,
            "user_data_count": summary.user_data,
            "resource_requirements_count": summary.resource_requirements,
            "slurm_scheduler_count": len(summary.schedulers),
            "action_count": summary.actions,
            "has_schedule_nodes_action": summary.schedules_nodes,
            "job_names": summary.jobs,
            "scheduler_names": summary.schedulers,
        },
    }
