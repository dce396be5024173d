-- What became of an allocation, as the batch system tells it.
ALTER TABLE scheduled_compute_node ADD COLUMN name TEXT;
ALTER TABLE scheduled_compute_node ADD COLUMN reason TEXT;
ALTER TABLE scheduled_compute_node ADD COLUMN submitted_at TEXT;
ALTER TABLE scheduled_compute_node ADD COLUMN started_at TEXT;
ALTER TABLE scheduled_compute_node ADD COLUMN ended_at TEXT;
