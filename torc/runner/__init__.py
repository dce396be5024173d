"""Claims jobs and runs them on this machine: ``torc.runner.run.run_workflow``."""
