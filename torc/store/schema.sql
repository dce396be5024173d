-- The whole database. migrations/NNNN_what.sql add up to this file; a test compares the two.
-- Times: timestamp columns are ISO 8601 text or, where named _ms, milliseconds since the epoch.

CREATE TABLE meta (
    schema_version INTEGER NOT NULL,
    database_id TEXT NOT NULL,
    generation INTEGER NOT NULL DEFAULT 1  -- raised by a restore: runners notice that ids went back
);

CREATE TABLE workflow (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    user TEXT NOT NULL,
    owner TEXT,
    description TEXT,
    timestamp TEXT NOT NULL,
    compute_node_expiration_buffer_seconds INTEGER NOT NULL DEFAULT 60,
    compute_node_wait_for_new_jobs_seconds INTEGER NOT NULL DEFAULT 60,
    compute_node_ignore_workflow_completion INTEGER NOT NULL DEFAULT 0,
    compute_node_wait_for_healthy_database_minutes INTEGER NOT NULL DEFAULT 20,
    jobs_sort_method TEXT NOT NULL DEFAULT 'gpus_runtime_memory',
    resource_monitor_config TEXT,
    revision INTEGER NOT NULL DEFAULT 0,
    hidden TEXT CHECK (hidden IN ('draft', 'deleted'))
);

CREATE TABLE workflow_status (
    id INTEGER PRIMARY KEY REFERENCES workflow (id),
    run_id INTEGER NOT NULL DEFAULT 0,
    is_canceled INTEGER NOT NULL DEFAULT 0,
    is_archived INTEGER NOT NULL DEFAULT 0,
    has_detected_need_to_run_completion_script INTEGER NOT NULL DEFAULT 0,
    busy TEXT,                             -- the verb under way, see lifecycle.py
    busy_arguments TEXT,                   -- JSON, enough to resume the verb after a crash
    completed_run_id INTEGER,              -- the run whose completion has been announced
    started_run_id INTEGER                 -- the run for which the actions were set back
);

-- A workflow under construction; ids of the whole document are reserved when it begins.
CREATE TABLE draft (
    workflow_id INTEGER PRIMARY KEY REFERENCES workflow (id),
    token_hash TEXT NOT NULL,
    last_batch INTEGER NOT NULL DEFAULT 0,
    counts TEXT NOT NULL,                  -- JSON: records per kind in the document
    bases TEXT NOT NULL,                   -- JSON: id of index 0 per kind
    sent TEXT NOT NULL                     -- JSON: records per kind received so far
);

CREATE TABLE resource_requirements (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    workflow_id INTEGER NOT NULL REFERENCES workflow (id),
    name TEXT NOT NULL,
    num_cpus INTEGER NOT NULL DEFAULT 1,
    num_gpus INTEGER NOT NULL DEFAULT 0,
    num_nodes INTEGER NOT NULL DEFAULT 1,
    memory TEXT NOT NULL DEFAULT '1m',
    runtime TEXT NOT NULL DEFAULT 'P0DT1M',
    raised_from INTEGER                    -- the requirements these were raised from, for another try
);
CREATE INDEX resource_requirements_workflow ON resource_requirements (workflow_id);

CREATE TABLE failure_handler (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    workflow_id INTEGER NOT NULL REFERENCES workflow (id),
    name TEXT NOT NULL,
    rules TEXT NOT NULL                    -- JSON list, first match wins
);
CREATE INDEX failure_handler_workflow ON failure_handler (workflow_id);

CREATE TABLE job (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    workflow_id INTEGER NOT NULL REFERENCES workflow (id),
    name TEXT NOT NULL,
    command TEXT NOT NULL,
    invocation_script TEXT,
    status TEXT NOT NULL DEFAULT 'uninitialized',  -- models/status.py; a CHECK here costs as much as the insert
    cancel_on_blocking_job_failure INTEGER NOT NULL DEFAULT 1,
    supports_termination INTEGER NOT NULL DEFAULT 0,
    resource_requirements_id INTEGER NOT NULL,
    scheduler_id INTEGER NOT NULL DEFAULT 0,  -- 0: any runner may claim the job
    failure_handler_id INTEGER,
    -- counters of dependencies, kept by readiness.py alone
    unmet INTEGER NOT NULL DEFAULT 0 CHECK (unmet >= 0),
    bad INTEGER NOT NULL DEFAULT 0 CHECK (bad >= 0),
    -- the attempt, taken by the claim
    active_compute_node_id INTEGER,
    run_id INTEGER,
    attempt_id INTEGER,
    start_time REAL,                       -- of this attempt, seconds since the epoch; null until started
    retries INTEGER NOT NULL DEFAULT 0,    -- handled failures in this run
    lost_nodes INTEGER NOT NULL DEFAULT 0, -- nodes that died under it in this run
    not_before REAL,                       -- back-off, seconds since the epoch
    cause TEXT,
    cause_job_id INTEGER,
    current_result_id INTEGER,
    input_hash TEXT,
    stop_requested INTEGER NOT NULL DEFAULT 0  -- somebody wants the running attempt terminated
);
CREATE INDEX job_workflow ON job (workflow_id);
CREATE INDEX job_status ON job (workflow_id, status);
-- The claim walks shapes (requirements, scheduler) in this index and never the queue.
CREATE INDEX job_ready ON job (workflow_id, resource_requirements_id, scheduler_id)
    WHERE status = 'ready' AND not_before IS NULL;
CREATE INDEX job_backing_off ON job (workflow_id, not_before) WHERE not_before IS NOT NULL;
CREATE INDEX job_on_node ON job (active_compute_node_id) WHERE status IN ('pending', 'running');

CREATE TABLE job_depends_on (
    job_id INTEGER NOT NULL,
    depends_on_job_id INTEGER NOT NULL,
    condition TEXT NOT NULL DEFAULT 'default',
    CHECK (job_id <> depends_on_job_id),
    PRIMARY KEY (job_id, depends_on_job_id)
) WITHOUT ROWID;
CREATE INDEX job_depends_on_reverse ON job_depends_on (depends_on_job_id);

-- "All of these before each of those" costs n + m rows.
CREATE TABLE dependency_group (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    workflow_id INTEGER NOT NULL REFERENCES workflow (id),
    members_hash TEXT NOT NULL,            -- of the sorted member ids: one group per distinct set
    remaining INTEGER NOT NULL DEFAULT 0 CHECK (remaining >= 0),
    failed INTEGER NOT NULL DEFAULT 0 CHECK (failed >= 0)
);
CREATE INDEX dependency_group_workflow ON dependency_group (workflow_id, members_hash);

CREATE TABLE dependency_group_member (
    group_id INTEGER NOT NULL REFERENCES dependency_group (id),
    job_id INTEGER NOT NULL,
    PRIMARY KEY (group_id, job_id)
) WITHOUT ROWID;
CREATE INDEX dependency_group_member_reverse ON dependency_group_member (job_id);

CREATE TABLE job_depends_on_group (
    job_id INTEGER NOT NULL,
    group_id INTEGER NOT NULL REFERENCES dependency_group (id),
    condition TEXT NOT NULL DEFAULT 'default',
    PRIMARY KEY (job_id, group_id)
) WITHOUT ROWID;
CREATE INDEX job_depends_on_group_reverse ON job_depends_on_group (group_id);

CREATE TABLE file (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    workflow_id INTEGER NOT NULL REFERENCES workflow (id),
    name TEXT NOT NULL,
    path TEXT NOT NULL,
    st_mtime REAL,
    size INTEGER
);
CREATE INDEX file_workflow ON file (workflow_id);

CREATE TABLE user_data (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    workflow_id INTEGER NOT NULL REFERENCES workflow (id),
    name TEXT NOT NULL,
    is_ephemeral INTEGER NOT NULL DEFAULT 0,
    data TEXT                              -- JSON; null while nobody has written it
);
CREATE INDEX user_data_workflow ON user_data (workflow_id, name);

CREATE TABLE job_input_file (
    job_id INTEGER NOT NULL,
    file_id INTEGER NOT NULL,
    PRIMARY KEY (job_id, file_id)
) WITHOUT ROWID;
CREATE INDEX job_input_file_reverse ON job_input_file (file_id);

CREATE TABLE job_output_file (
    job_id INTEGER NOT NULL,
    file_id INTEGER NOT NULL,
    PRIMARY KEY (job_id, file_id)
) WITHOUT ROWID;
CREATE INDEX job_output_file_reverse ON job_output_file (file_id);

CREATE TABLE job_input_user_data (
    job_id INTEGER NOT NULL,
    user_data_id INTEGER NOT NULL,
    PRIMARY KEY (job_id, user_data_id)
) WITHOUT ROWID;
CREATE INDEX job_input_user_data_reverse ON job_input_user_data (user_data_id);

CREATE TABLE job_output_user_data (
    job_id INTEGER NOT NULL,
    user_data_id INTEGER NOT NULL,
    PRIMARY KEY (job_id, user_data_id)
) WITHOUT ROWID;
CREATE INDEX job_output_user_data_reverse ON job_output_user_data (user_data_id);

CREATE TABLE compute_node (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    workflow_id INTEGER NOT NULL REFERENCES workflow (id),
    hostname TEXT NOT NULL,
    pid INTEGER NOT NULL,
    start_time TEXT NOT NULL,
    duration_seconds REAL,
    is_active INTEGER NOT NULL DEFAULT 0,
    num_cpus INTEGER NOT NULL,
    memory_gb REAL NOT NULL,
    num_gpus INTEGER NOT NULL,
    num_nodes INTEGER NOT NULL,
    time_limit TEXT,
    scheduler_config_id INTEGER,
    compute_node_type TEXT NOT NULL,
    scheduler TEXT,                        -- JSON
    spool_path TEXT,
    last_seq INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX compute_node_workflow ON compute_node (workflow_id);
CREATE INDEX compute_node_active ON compute_node (workflow_id) WHERE is_active;

CREATE TABLE scheduled_compute_node (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    workflow_id INTEGER NOT NULL REFERENCES workflow (id),
    scheduler_id INTEGER NOT NULL,
    scheduler_config_id INTEGER NOT NULL,
    scheduler_type TEXT NOT NULL,
    status TEXT NOT NULL,
    name TEXT,
    reason TEXT,
    submitted_at TEXT,
    started_at TEXT,
    ended_at TEXT
);
CREATE INDEX scheduled_compute_node_workflow ON scheduled_compute_node (workflow_id);

CREATE TABLE local_scheduler (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    workflow_id INTEGER NOT NULL REFERENCES workflow (id),
    name TEXT,
    memory TEXT,
    num_cpus INTEGER
);
CREATE INDEX local_scheduler_workflow ON local_scheduler (workflow_id);

CREATE TABLE slurm_scheduler (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    workflow_id INTEGER NOT NULL REFERENCES workflow (id),
    name TEXT,
    account TEXT NOT NULL,
    gres TEXT,
    mem TEXT,
    nodes INTEGER NOT NULL,
    ntasks_per_node INTEGER,
    partition TEXT,
    qos TEXT,
    tmp TEXT,
    walltime TEXT NOT NULL,
    extra TEXT
);
CREATE INDEX slurm_scheduler_workflow ON slurm_scheduler (workflow_id);

-- History of attempts; a row is never overwritten, except that a report is worth more than what was posted by hand.
CREATE TABLE result (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    job_id INTEGER NOT NULL,
    workflow_id INTEGER NOT NULL REFERENCES workflow (id),
    run_id INTEGER NOT NULL,
    attempt_id INTEGER NOT NULL,
    compute_node_id INTEGER NOT NULL,
    return_code INTEGER NOT NULL,
    exec_time_minutes REAL NOT NULL,
    completion_time TEXT NOT NULL,
    peak_memory_bytes INTEGER,
    avg_memory_bytes INTEGER,
    peak_cpu_percent REAL,
    avg_cpu_percent REAL,
    status TEXT NOT NULL,
    cause TEXT,
    signal INTEGER,
    gpu_ids TEXT,                          -- JSON list
    stdout TEXT,                           -- the end of it, as a client posted it
    stderr TEXT
);
CREATE UNIQUE INDEX result_attempt ON result (job_id, run_id, attempt_id);
CREATE INDEX result_workflow ON result (workflow_id);

-- Typed: what the server has to say about a job costs a few integers; the contract's `data` is built when read.
CREATE TABLE event (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    workflow_id INTEGER NOT NULL REFERENCES workflow (id),
    timestamp_ms INTEGER NOT NULL,
    kind TEXT NOT NULL,                    -- see events.py
    run_id INTEGER,
    job_id INTEGER,
    attempt_id INTEGER,
    compute_node_id INTEGER,
    status TEXT,
    data TEXT                              -- JSON: posted by a client, or the details of a verb
);
CREATE INDEX event_workflow ON event (workflow_id);

CREATE TABLE workflow_action (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    workflow_id INTEGER NOT NULL REFERENCES workflow (id),
    trigger_type TEXT NOT NULL,
    action_type TEXT NOT NULL,
    action_config TEXT NOT NULL,           -- JSON
    trigger_count INTEGER NOT NULL DEFAULT 0,
    required_triggers INTEGER NOT NULL DEFAULT 1,
    state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN (
        'waiting', 'pending', 'claimed', 'running', 'done', 'failed'
    )),
    executed_at TEXT,
    executed_by INTEGER,
    persistent INTEGER NOT NULL DEFAULT 0,
    has_jobs INTEGER NOT NULL DEFAULT 0,   -- job_ids was given, perhaps empty
    output_tail TEXT
);
CREATE INDEX workflow_action_workflow ON workflow_action (workflow_id);

CREATE TABLE workflow_action_job (
    action_id INTEGER NOT NULL REFERENCES workflow_action (id),
    job_id INTEGER NOT NULL,
    satisfied INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (action_id, job_id)
) WITHOUT ROWID;
CREATE INDEX workflow_action_job_reverse ON workflow_action_job (job_id);

-- What each worker made of a persistent action.
CREATE TABLE workflow_action_node (
    action_id INTEGER NOT NULL REFERENCES workflow_action (id),
    compute_node_id INTEGER NOT NULL,
    run_id INTEGER NOT NULL,
    state TEXT NOT NULL,
    output_tail TEXT,
    PRIMARY KEY (action_id, compute_node_id, run_id)
) WITHOUT ROWID;
