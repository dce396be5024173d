"""The 55 defects of the reference (contract rest-api.md section 9), and the test that shows each is not ours.

Paths are below ``tests/``. What exists in client programs only has no test here: that writes of the reference's
command line carry no credentials (the other half of 43) and that none of its programs looks at on_workflow_complete
(the other half of 23).

==  ===================================================================================================
1   server/test_defects_scheduling.py::test_a_completion_releases_what_waits_for_it_before_it_is_answered
2   server/test_defects_scheduling.py::test_a_failure_settles_every_job_behind_it
3   server/test_defects_scheduling.py::test_a_failure_settles_every_job_behind_it
4   server/test_defects_scheduling.py::test_a_failure_is_followed_through_any_depth
5   server/test_defects_scheduling.py::test_jobs_canceled_by_a_cascade_start_over_with_the_job_that_failed
5   server/test_defects_scheduling.py::test_the_report_of_a_job_that_was_canceled_meanwhile_is_kept
5   store/test_actions.py::test_jobs_canceled_by_a_cascade_are_counted
6   server/test_defects_scheduling.py::test_the_status_of_a_report_counts_and_not_its_return_code
7   server/test_defects_races.py::test_completions_in_the_same_moment_are_all_counted
8   server/test_defects_races.py::test_a_run_begun_while_a_job_runs_does_not_strand_what_waits_for_it
9   server/test_defects_races.py::test_initializing_during_a_run_executes_nothing_twice
10  server/test_defects_scheduling.py::test_initializing_cancels_a_job_whose_dependency_failed
11  server/test_defects_scheduling.py::test_a_disabled_job_blocks_nobody_and_stays_disabled
12  server/test_defects_scheduling.py::test_jobs_that_wait_for_each_other_are_refused_by_name
12  server/test_defects_scheduling.py::test_a_job_that_reads_what_it_writes_is_refused_by_name
13  server/test_defects_scheduling.py::test_deleting_a_job_frees_what_waits_for_it
14  store/test_readiness.py::test_ready_asked_for_by_hand_is_what_the_dependencies_make_of_it
14  store/test_readiness.py::test_the_upstream_of_a_job_that_is_handed_out_is_not_reset
14  store/test_reset.py::test_what_lies_behind_an_uninitialized_job_starts_over_at_any_depth_and_through_groups
15  server/test_runner_flow.py::test_the_jobs_of_a_runner_that_falls_silent_become_ready
15  store/test_results.py::test_a_claim_that_is_not_started_in_time_goes_back
16  server/test_defects_races.py::test_nothing_is_claimed_after_a_cancel_was_answered
17  store/test_claims.py::test_a_queue_of_big_jobs_does_not_hide_a_small_one
18  server/test_defects_scheduling.py::test_a_claim_says_why_it_is_empty
19  server/test_defects_scheduling.py::test_a_claim_without_a_sort_method_follows_the_workflow
20  server/test_defects_scheduling.py::test_a_claimed_job_comes_with_its_script_requirements_and_outputs
21  server/test_defects_scheduling.py::test_the_scheduler_of_a_job_is_kept_and_no_scheduler_stays_none
22  server/test_defects_scheduling.py::test_a_trigger_counts_a_job_once_however_often_it_ends
23  server/test_defects_scheduling.py::test_the_end_of_a_workflow_fires_whoever_brought_it
24  server/test_defects_scheduling.py::test_a_worker_claims_a_persistent_action_once
25  server/test_defects_scheduling.py::test_ephemeral_data_that_jobs_write_lasts_one_run
26  server/test_defects_races.py::test_a_completion_that_is_refused_leaves_nothing_and_can_be_repaired
27  server/test_defects_races.py::test_a_completion_that_is_refused_leaves_nothing_and_can_be_repaired
28  server/test_defects_races.py::test_a_job_is_started_by_one_of_many_nodes
28  server/test_defects_races.py::test_an_action_is_claimed_by_one_of_many
29  server/test_defects_races.py::test_users_who_start_a_workflow_together_do_not_share_a_run
30  server/test_defects_races.py::test_a_change_of_a_job_that_is_refused_changes_nothing
30  server/test_defects_races.py::test_user_data_for_a_job_that_is_not_there_is_not_stored
30  server/test_defects_races.py::test_a_new_workflow_has_its_status_and_requirements_at_once
31  server/test_defects_races.py::test_claims_that_fail_hold_up_no_writer
31  store/test_database.py::test_a_lock_whose_holder_failed_is_free
32  server/test_defects_races.py::test_a_verb_over_a_workflow_is_whole_whoever_looks
32  store/test_lifecycle.py::test_an_interrupted_reset_is_finished
33  server/test_defects_validation.py::test_a_typing_error_is_told_from_an_outage
33  server/test_bad_requests.py::test_a_field_with_a_bad_value_is_refused_or_taken
34  server/test_defects_validation.py::test_a_workflow_that_never_was_is_404_everywhere_and_its_lists_are_empty
35  server/test_lists.py::test_a_list_is_sorted_by_any_field
35  server/test_lists.py::test_an_empty_sort_is_none_and_one_that_does_not_exist_is_refused
36  server/test_lists.py::test_a_page_is_bounded
36  server/test_defects_validation.py::test_a_limit_of_a_claim_that_means_nothing_is_refused
37  server/test_lists.py::test_a_filter_filters
38  server/test_defects_validation.py::test_a_number_out_of_range_is_refused
39  server/test_defects_validation.py::test_ids_of_another_workflow_are_refused
39  server/test_defects_validation.py::test_results_nodes_groups_and_actions_of_another_workflow_are_refused
40  server/test_defects_validation.py::test_what_ended_connections_is_answered
41  server/test_resources.py::test_an_event_keeps_its_shape
42  server/test_resources.py::test_put_keeps_what_is_left_out_and_clears_what_is_null
42  server/test_resources.py::test_a_workflow_keeps_what_put_leaves_out_and_loses_what_is_null
42  server/test_resources.py::test_a_status_keeps_the_flags_that_put_leaves_out
43  server/test_authentication.py::test_with_a_file_wrong_credentials_are_refused
43  server/test_authentication.py::test_required_credentials_are_required_for_every_path
44  server/test_reference_defects.py::test_nobody_elses_certificate_is_served
45  server/test_resources.py::test_what_jobs_or_results_need_is_deleted_only_by_force
45  server/test_resources.py::test_jobs_without_their_requirements_need_what_the_default_says
46  server/test_defects_validation.py::test_a_deleted_workflow_leaves_nothing_and_the_others_everything
46  store/test_deletion.py::test_a_deleted_workflow_leaves_no_row_in_any_table
47  server/test_defects_speed.py::test_a_large_workflow_is_initialized_claimed_and_released
47  server/test_defects_speed.py::test_what_changed_in_a_large_workflow_is_found
48  server/test_defects_speed.py::test_a_list_comes_with_its_relations
49  store/test_claims.py::test_a_claim_reads_shapes_and_not_the_queue
50  server/test_defects_speed.py::test_a_large_workflow_is_initialized_claimed_and_released
51  server/test_defects_speed.py::test_jobs_are_walked_and_not_paths
52  server/test_defects_speed.py::test_a_large_workflow_is_initialized_claimed_and_released
53  server/test_defects_speed.py::test_relations_are_paged_without_building_the_product
53  store/test_workflows.py::test_completeness_is_looked_up_and_never_counted
54  server/test_defects_speed.py::test_pages_neither_skip_nor_repeat_while_jobs_change
54  server/test_defects_speed.py::test_pages_of_equal_jobs_do_not_overlap
55  server/test_defects_validation.py::test_a_batch_of_the_python_client_is_one_longer_than_it_says
==  ===================================================================================================
"""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent.parent
TABLE = [tuple(line.split()) for line in (__doc__ or "").splitlines() if "::" in line]


def test_every_defect_has_a_test() -> None:
    assert [int(number) for number, _ in TABLE] == sorted(int(number) for number, _ in TABLE)
    assert {int(number) for number, _ in TABLE} == set(range(1, 56))


@pytest.mark.parametrize("place", sorted({place for _, place in TABLE}))
def test_the_test_that_is_named_is_there(place: str) -> None:
    path, _, name = place.partition("::")
    tree = ast.parse((TESTS / path).read_text())
    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("option", ["--https", "--tls-cert=cert.pem"])
def test_nobody_elses_certificate_is_served(database_path: Path, option: str) -> None:  # 44
    """The reference takes certificates from its folder of examples. Without any of our own, nothing is served."""
    command = [sys.executable, "-m", "torc.server", "run", "--port", "0", "--database", str(database_path), option]
    refused = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert refused.returncode == 1
    assert "--https" in refused.stderr
    assert not database_path.exists()
