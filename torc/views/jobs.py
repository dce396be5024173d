"""Jobs."""

from torc.views.column import Column, as_id_list

TABLE = (Column("ID", "id"), Column("Name", "name"), Column("Status", "status"), Column("Command", "command"))

DETAILS = (
    Column("Name", "name"),
    Column("Command", "command"),
    Column("Workflow ID", "workflow_id"),
    Column("Status", "status"),
    Column("Cause", "cause"),
    Column("Caused by job ID", "cause_job_id"),
    Column("Attempt", "attempt_id"),
    Column("Blocking job IDs", "depends_on_job_ids", as_id_list),
    Column("Input file IDs", "input_file_ids", as_id_list),
    Column("Output file IDs", "output_file_ids", as_id_list),
)
