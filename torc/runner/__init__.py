"""Claims jobs and runs them on this machine: ``torc.runner.loop.run_workflow``."""
