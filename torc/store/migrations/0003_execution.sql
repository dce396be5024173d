-- Jobs that are tried again with more than they asked for, that somebody wants stopped, and runs that were announced.
ALTER TABLE resource_requirements ADD COLUMN raised_from INTEGER;
ALTER TABLE job ADD COLUMN stop_requested INTEGER NOT NULL DEFAULT 0;
ALTER TABLE workflow_status ADD COLUMN started_run_id INTEGER;
-- Runs that are under way have begun: their actions stay as they are.
UPDATE workflow_status SET started_run_id = run_id WHERE run_id > 0;
