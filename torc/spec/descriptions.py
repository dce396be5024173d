"""What each key of a specification means, for people: editors show it, docs/specification.md lists it.

Written for someone who has read nothing else. The Structs stay one page without it; a test insists that every key is
here, under the Struct that declares it.
"""

from msgspec import Struct

from torc.spec import document as spec


def description(kind: type[Struct], key: str) -> str:
    """What ``key`` of a mapping means; keys that several mappings share are described once."""
    return next(DESCRIPTIONS[owner][key] for owner in kind.__mro__ if key in DESCRIPTIONS.get(owner, {}))


DESCRIPTIONS: dict[type[Struct], dict[str, str]] = {
    spec.Specification: {
        "name": "What lists and messages call the workflow. It need not be unique.",
        "user": "Owner of the workflow. Default: whoever creates it.",
        "description": "A sentence or two about the workflow, shown with it.",
        "parameters": "Parameters that jobs, files and user data may share: each takes those that it lists under"
        ' use_parameters. Example: lr: "[0.01, 0.1]"',
        "compute_node_expiration_buffer_seconds": "Seconds before the end of their allocation at which runners start"
        " to end the jobs they still run. Default: 60.",
        "compute_node_wait_for_new_jobs_seconds": "Seconds that a runner with nothing to do waits for jobs to become"
        " ready before it leaves; 0 is without end. Default: 60.",
        "compute_node_ignore_workflow_completion": "true: runners stay when every job has ended, for jobs that may"
        " still be added. Default: false.",
        "compute_node_wait_for_healthy_database_minutes": "Minutes that a runner goes on with what it has while the"
        " server does not answer. Default: 20.",
        "jobs_sort_method": "Which ready jobs runners get first: gpus_runtime_memory (the default) and"
        " gpus_memory_runtime take the biggest first, compared in this order; none takes them as they stand.",
        "job_sort_method": "Another name of jobs_sort_method.",
        "jobs": "The commands to run. The order does not matter: what a job waits for is said in it.",
        "files": "The files that jobs read and write. A job that reads a file waits for the job that writes it.",
        "user_data": "Small JSON values that jobs read and write, as they do files.",
        "resource_requirements": "What jobs need: CPUs, memory, GPUs, time. Jobs refer to them by name.",
        "slurm_schedulers": "The kinds of Slurm allocation that the workflow can ask for.",
        "failure_handlers": "Rules for trying failed jobs again. Jobs refer to them by name.",
        "resource_monitor": "How closely the CPU and memory that jobs use are measured. Default: in summary.",
        "actions": "Commands to run, or nodes to ask for, when something happens in the workflow.",
    },
    spec.Parameterized: {
        "parameters": "Makes many of this entry, one for each combination of values; {i} in its texts becomes the"
        ' value of i, {i:03d} formats it. Example: i: "1:100" or lr: [0.01, 0.1]',
        "parameter_mode": "product (the default): every combination of the values. zip: the first values together, the"
        " second values together, and so on, from lists of one length.",
        "use_parameters": "Names of parameters of the workflow that this entry takes as if they were its own. Its own"
        " parameters win over those of the same name.",
    },
    spec.JobSpec: {
        "name": "What other entries call the job; no two jobs share a name. With parameters, those shown here, such as"
        " {i}, make a job each; along others it stays one job that waits for and reads what all values name.",
        "command": "What bash runs. ${files.input.NAME} and ${files.output.NAME} become paths and link the job to the"
        " files, ${user_data.input.NAME} and ${user_data.output.NAME} become ids; any other ${...} is the shell's.",
        "invocation_script": "Put in front of the command, for example a script that prepares the environment and then"
        ' runs its arguments: "bash setup.sh". Takes the same references as command.',
        "cancel_on_blocking_job_failure": "Whether the job is canceled when a job it waits for does not succeed; false:"
        " it runs all the same. Default: true.",
        "supports_termination": "true: when time runs out the job gets SIGTERM and a while to save its work; otherwise"
        " it is killed. Default: false.",
        "resource_requirements": "What the job needs: the name of one of resource_requirements, or a mapping with keys"
        " such as num_cpus and memory. Default: 1 CPU, 1 MB, 1 minute.",
        "depends_on": "Names of jobs that have to end first. Not needed where files or user data say so already.",
        "depends_on_regexes": 'Regular expressions; every job whose name contains a match has to end first: "^train_".',
        "input_files": "Names of files that the job reads. It waits for the jobs that write them.",
        "output_files": "Names of files that the job writes. It has failed if one is missing at its end.",
        "input_user_data": "Names of user data that the job reads. It waits for the jobs that write them.",
        "output_user_data": "Names of user data that the job writes.",
        "input_file_regexes": "Regular expressions; the job reads every file whose name contains a match.",
        "output_file_regexes": "Regular expressions; the job writes every file whose name contains a match.",
        "input_user_data_regexes": "Regular expressions; the job reads all user data whose name contains a match.",
        "output_user_data_regexes": "Regular expressions; the job writes all user data whose name contains a match.",
        "scheduler": "The name of one of slurm_schedulers: in Slurm the job runs in allocations of that kind only.",
        "slurm_scheduler": "Another name of scheduler.",
        "failure_handler": "The name of one of failure_handlers: what is done when the job fails.",
    },
    spec.FileSpec: {
        "name": "What jobs call the file; no two files share a name.",
        "path": "Where the file is, seen from the folder in which the runner was started. May show parameters.",
        "st_mtime": "When the file was last changed, in seconds since 1970; found out when the workflow starts.",
    },
    spec.UserDataSpec: {
        "name": "What jobs call the record; no two records share a name.",
        "is_ephemeral": "true: what jobs wrote is forgotten when the workflow is initialized again. Default: false.",
        "data": "Any JSON value. Parameters are filled in within its texts. Left out: a job will write it.",
    },
    spec.InlineRequirements: {
        "num_cpus": "CPUs that the job needs. Default: 1.",
        "num_gpus": "GPUs that the job needs. Default: 0.",
        "num_nodes": "Nodes that the job spans at once. Default: 1.",
        "memory": "Memory as a number with k, m, g or t, powers of 1024: 512m, 2g, 1.5t. Default: 1m.",
        "runtime": "How long the job may take, as an ISO 8601 duration: PT30M, PT1H30M, P2D. A job is started only"
        " where so much time is left. Default: PT1H.",
    },
    spec.RequirementsSpec: {
        "name": "What jobs call it; no two share a name.",
    },
    spec.SchedulerSpec: {
        "name": "What jobs and actions call it; no two share a name.",
        "account": "The account that the allocation is charged to (sbatch --account).",
        "nodes": "Nodes of one allocation (sbatch --nodes). Default: 1.",
        "num_nodes": "Another name of nodes.",
        "walltime": "How long an allocation lasts, as Slurm writes it or in words: 04:00:00, 2-12:00:00, 90m, 1d12h."
        " A bare number is minutes. Default: 01:00:00.",
        "partition": "The partition (sbatch --partition). Default: the site's.",
        "qos": "The quality of service (sbatch --qos). Default: the site's.",
        "gres": "GPUs and other generic resources of a node (sbatch --gres): gpu:2, gpu:h100:4.",
        "mem": "Memory of a node (sbatch --mem): 180G; 0 is all of it, a bare number is megabytes.",
        "tmp": "Local disk of a node (sbatch --tmp): 500G.",
        "ntasks_per_node": "Tasks on a node (sbatch --ntasks-per-node).",
        "extra": "More options for sbatch, as on its command line: --constraint=lbw --exclusive.",
    },
    spec.ActionSpec: {
        "trigger_type": "When it happens. on_jobs_ready and on_jobs_complete wait for all jobs that jobs and"
        " job_name_regexes name; on_worker_start and on_worker_complete happen on every runner.",
        "action_type": "What happens: run_commands runs commands, schedule_nodes asks Slurm for allocations.",
        "jobs": "Names of the jobs to watch, with every parameter filled in: train_1, not train_{i}.",
        "job_name_regexes": 'Regular expressions; every job whose name contains a match is watched: "^train_".',
        "commands": "For run_commands: shell commands, run one after the other.",
        "scheduler": "For schedule_nodes: the name of one of slurm_schedulers.",
        "scheduler_type": "For schedule_nodes: slurm.",
        "num_allocations": "For schedule_nodes: how many allocations to ask for. Default: 1.",
        "start_one_worker_per_node": "For schedule_nodes: true starts a runner on every node of an allocation instead"
        " of one for all of them. Default: false.",
        "max_parallel_jobs": "For schedule_nodes: each runner runs so many jobs at a time, whatever they need. Default:"
        " as many as fit.",
        "persistent": "true: every runner does it; false: only the first to come. Default: true for the two triggers"
        " of workers, otherwise false.",
    },
    spec.FailureHandlerSpec: {
        "name": "What jobs call it; no two share a name.",
        "rules": "The first rule that matches a failure decides; a failure that none matches stays one.",
    },
    spec.RuleSpec: {
        "exit_codes": "Matches jobs that ended with one of these exit codes: [1, 137].",
        "match_all_exit_codes": "true: matches every exit code but 0.",
        "signals": "Matches jobs that one of these signals ended, by name or number: [TERM, 9].",
        "causes": "Matches failures of these kinds: oom (out of memory), timeout (longer than its runtime), time_up"
        " (the allocation ended), lost_node, missing_output (a file it should have written), spawn_failed (could not"
        " be started), exit and signal (any exit code, any signal).",
        "recovery_script": "A shell command that runs before the next attempt. It finds TORC_ATTEMPT_ID and"
        " TORC_RETURN_CODE in its environment.",
        "max_retries": "At most so many more attempts; 0 is none. Default: 3.",
        "backoff_s": "Seconds before the next attempt; doubles with each, up to five minutes. Default: 1.",
        "memory_factor": "After running out of memory the next attempt gets so many times as much. Default: 1.5.",
        "runtime_factor": "After running too long the next attempt may take so many times as long. Default: 1.5.",
    },
    spec.MonitorSpec: {
        "enabled": "false: nothing is measured. Default: true.",
        "granularity": "summary keeps peak and average of each job, time_series every sample. Default: summary.",
        "sample_interval_seconds": "Seconds between two looks at the running jobs. Default: 5.",
        "generate_plots": "true: figures are drawn from a time_series at the end. Default: false.",
    },
}
