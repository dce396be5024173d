"""The actions of this node: their commands run beside the jobs, one after another, and their ends are told.

Nothing here waits: the loop calls ``reap`` when a child has ended, and whatever comes next is started then.
"""

import os
import shlex
import signal
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from torc.models.action import WorkflowAction
from torc.models.sync import ActionReport, SyncRequest, SyncWorkflow
from torc.runner import processes
from torc.runner.launcher import find_bash, path_with_our_programs, spawn
from torc.runner.processes import MARK

FOLDER = "action_stdio"

TAIL_CHARS = 2000
"""So much of what a failed command said last goes to the server; the whole stays in its file."""

COMMAND_CHARS = 200
KILL_ROUNDS = 5
"""Processes may start others while they are being killed; these are found in the next round."""

BURIAL_S = 5.0
POLL_S = 0.02

IN_FOLDER = 'cd -- "$0" && exec "$BASH" -c "$1"'
"""A spawned process starts where we are; this takes it to the folder that is its first argument."""


class Execution:
    """One action at work: its commands, the one that runs, and the file that takes what they print."""

    def __init__(
        self, action: WorkflowAction, commands: list[str], log_path: Path, folder: Path, environment: dict[str, str]
    ) -> None:
        """Raises OSError where the file cannot be made."""
        self.action = action
        self.killed = False
        self._commands = commands
        self._begun = 0
        self._pid = 0
        self._folder = folder
        self._environment = environment
        self._log_path = log_path
        log_path.parent.mkdir(parents=True, exist_ok=True)
        self._log = os.open(log_path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC, 0o666)

    def has_more(self) -> bool:
        """Whether another command follows."""
        return self._begun < len(self._commands)

    def begin_next(self) -> None:
        """Start the next command. Raises OSError or ValueError where the system does not want it."""
        command = self._commands[self._begun]
        self._begun += 1
        with open(os.devnull, "rb") as null:
            arguments = ["-c", IN_FOLDER, str(self._folder), command]
            files = {"null": null.fileno(), "out": self._log, "err": self._log}
            self._pid = spawn(find_bash(), arguments, self._environment, **files)

    def reap(self) -> int | None:
        """How the running command ended; None while it runs. Negative: killed by that signal."""
        pid, status = os.waitpid(self._pid, os.WNOHANG)
        return os.waitstatus_to_exitcode(status) if pid else None

    def kill(self) -> None:
        """End the running command with all that any command has started."""
        self.killed = True
        trees = processes.Trees()
        mark = self._environment[MARK].rpartition(" ")[2]
        for _ in range(KILL_ROUNDS):
            table = processes.look()
            found = trees.of(table, {self._pid: mark})[self._pid]
            for pid in found:
                processes.send(signal.SIGKILL, pid, table[pid].born)
            if not found:
                break
        processes.send_to_group(signal.SIGKILL, self._pid)  # where there is no /proc

    def explain(self, code: int) -> str:
        """Which command failed, how, and what it said last."""
        how = f"ended with exit code {code}" if code >= 0 else f"was killed by {signal.Signals(-code).name}"
        if self.killed:
            how = "was killed because its runner was told to end at once"
        return f"{self._running()} {how}; its output is in {self._log_path}\n{self._tail()}".rstrip()

    def explain_unable(self, error: OSError | ValueError) -> str:
        """Why a command could not be started."""
        reason = error.strerror if isinstance(error, OSError) else str(error)
        return f"{self._running()} could not be started: {reason}"

    def close(self) -> None:
        """It is over."""
        os.close(self._log)

    def _running(self) -> str:
        command = self._commands[self._begun - 1]
        shown = command if len(command) <= COMMAND_CHARS else f"{command[:COMMAND_CHARS]}..."
        return f"command {self._begun} of {len(self._commands)} ({shown})"

    def _tail(self) -> str:
        """The end of the file, without reading the rest."""
        most = 4 * TAIL_CHARS  # bytes of a character
        size = os.fstat(self._log).st_size
        return os.pread(self._log, most, max(size - most, 0)).decode(errors="replace")[-TAIL_CHARS:]


class ActionRunner:
    """Carries out what the server gives this node, and says so until it is acknowledged."""

    def __init__(
        self,
        output_dir: Path,
        workflow_id: int,
        environment: dict[str, str],
        *,
        node_id: int,
        node_mark: str,
        asks_for_nodes: bool = False,
        note: Callable[[str], None] = lambda text: None,
    ) -> None:
        """``node_mark`` is what the marks of all processes of this node begin with; failures are noted too.

        With ``asks_for_nodes``, actions that want allocations of Slurm are carried out, too.
        """
        self._folder = output_dir.absolute()
        self._workflow_id = workflow_id
        self._environment = {**os.environ, **environment, "PATH": path_with_our_programs()}
        self._node_id = node_id
        self._node_mark = node_mark
        self._kinds = ["run_commands", "schedule_nodes"] if asks_for_nodes else ["run_commands"]
        self._note = note
        self._waiting: dict[int, tuple[WorkflowAction, SyncWorkflow]] = {}
        self._doing: Execution | None = None
        self._told: dict[int, ActionReport] = {}  # and not acknowledged
        self._told_since = 0.0
        self._is_leaving = False
        self._is_over = False

    def receive(self, actions: Iterable[WorkflowAction], workflow: SyncWorkflow) -> None:
        """Actions the server gave us. One that is not taken is given again, or to somebody else."""
        for action in actions:
            assert action.id is not None
            if action.id not in self._held() and self._takes(action):
                self._waiting[action.id] = action, workflow
        self._begin()

    def leave(self) -> None:
        """Begin nothing more but what belongs to the end of this runner."""
        self._is_leaving = True
        self._waiting = {key: given for key, given in self._waiting.items() if self._takes(given[0])}

    def reap(self) -> None:
        """Go on with the next command, or action, where one has ended."""
        while self._doing is not None and (code := self._doing.reap()) is not None:
            if code or self._doing.killed:
                self._end(self._doing.explain(code))
            elif self._doing.has_more():
                self._go_on()
            else:
                self._end()

    def sections(self) -> dict[str, Any]:
        """The parts of a SyncRequest that say what happened here."""
        return {
            "actions": list(self._told.values()),
            "holding_actions": sorted(self._held()),
            "runs_actions": [] if self.is_busy() or self._is_over else self._kinds,
        }

    def acknowledge(self, request: SyncRequest) -> None:
        """The server has applied ``request``."""
        for told in request.actions:
            if self._told.get(told.action_id) == told:
                del self._told[told.action_id]
        self._told_since = time.monotonic()

    def is_busy(self) -> bool:
        """Whether an action is to be done, or being done."""
        return bool(self._waiting) or self._doing is not None

    def is_empty(self) -> bool:
        """Nothing is to be done or to be told."""
        return not self.is_busy() and not self._told

    def report_due_at(self, patience_s: float) -> float | None:
        """When the server should hear: of an end now, of a beginning after ``patience_s``; None without news."""
        if not self._told:
            return None
        return self._told_since + patience_s if all(told.state == "running" for told in self._told.values()) else 0.0

    def kill_all(self) -> None:
        """End what runs at once, and begin nothing more."""
        self._is_over = True
        self._waiting.clear()
        if self._doing is not None:
            self._doing.kill()

    def bury(self) -> None:
        """Kill and wait, whatever went wrong: no command survives its runner."""
        self.kill_all()
        give_up_at = time.monotonic() + BURIAL_S
        while self._doing is not None and time.monotonic() < give_up_at:
            with suppress(ChildProcessError):
                self.reap()
            if self._doing is not None:
                time.sleep(POLL_S)

    def _held(self) -> set[int]:
        doing = {self._doing.action.id or 0} if self._doing else set()
        return {*self._waiting, *doing, *self._told}

    def _takes(self, action: WorkflowAction) -> bool:
        return not self._is_over and (not self._is_leaving or action.trigger_type == "on_worker_complete")

    def _begin(self) -> None:
        """Start the next action. One that cannot be started has failed."""
        while self._doing is None and self._waiting:
            action_id = next(iter(self._waiting))
            action, workflow = self._waiting.pop(action_id)
            log_path = self._folder / FOLDER / self._log_name(action_id, workflow.run_id)
            try:
                environment = self._environment_of(action, workflow)
                # What is submitted works where we do: that is where the jobs find their files.
                folder = Path.cwd() if action.action_type == "schedule_nodes" else self._folder
                self._doing = Execution(action, self._commands_of(action), log_path, folder, environment)
            except OSError as error:
                reason = f"cannot write {log_path} ({error.strerror}); choose another folder with --output-dir"
                self._tell(ActionReport(action_id=action_id, state="failed", output_tail=reason))
                continue
            self._tell(ActionReport(action_id=action_id, state="running"))
            self._go_on()

    def _commands_of(self, action: WorkflowAction) -> list[str]:
        config = action.action_config
        if action.action_type == "run_commands":
            commands: list[str] = config["commands"]
            return commands
        words = [
            "torc",
            "slurm",
            "schedule-nodes",
            str(self._workflow_id),
            "--no-prompts",
            "--output",
            str(self._folder),
        ]
        words += ["--scheduler-config-id", str(config["scheduler_id"])]
        words += ["--num-hpc-jobs", str(config.get("num_allocations") or 1)]
        if config.get("max_parallel_jobs"):
            words += ["--max-parallel-jobs", str(config["max_parallel_jobs"])]
        if config.get("start_one_worker_per_node"):
            words.append("--start-one-worker-per-node")
        if action.trigger_type == "on_workflow_start":
            words.append("--unless-there")  # we may be in one of them, in a later run of the workflow
        return [shlex.join(words)]

    def _go_on(self) -> None:
        assert self._doing is not None
        try:
            self._doing.begin_next()
        except (OSError, ValueError) as error:  # ValueError: a null character in the command
            self._end(self._doing.explain_unable(error))

    def _end(self, reason: str | None = None) -> None:
        """The action is over; it has failed for a ``reason``. What waits comes next."""
        doing, self._doing = self._doing, None
        assert doing is not None and doing.action.id is not None
        doing.close()
        self._tell(
            ActionReport(action_id=doing.action.id, state="failed" if reason else "done", output_tail=reason or None)
        )
        self._begin()

    def _tell(self, report: ActionReport) -> None:
        if not self._told:
            self._told_since = time.monotonic()
        self._told[report.action_id] = report
        if report.state == "failed":
            self._note(f"action {report.action_id} failed: {(report.output_tail or '').partition(chr(10))[0]}")

    def _log_name(self, action_id: int, run_id: int) -> str:
        return f"action_{self._workflow_id}_{action_id}_{run_id}_{self._node_id}.log"

    def _environment_of(self, action: WorkflowAction, workflow: SyncWorkflow) -> dict[str, str]:
        mark = f"{processes.action_mark(self._node_mark)}{action.id}"
        return {
            **self._environment,
            MARK: f"{os.environ.get(MARK, '')} {mark}".lstrip(),
            "TORC_RUN_ID": str(workflow.run_id),
            "TORC_ACTION_ID": str(action.id),
            "TORC_TRIGGER": action.trigger_type,
            **({"TORC_WORKFLOW_CANCELED": "1"} if workflow.is_canceled else {}),
        }
