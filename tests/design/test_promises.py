"""Every point of "What it promises" in the README has tests that fail when it is broken, and they exist."""

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
README = TESTS.parent / "README.md"

PROMISES = {
    "Exact resumption": (
        "behaviour/test_kills.py::test_a_run_killed_at_any_stage_of_a_write_resumes_and_ends_unchanged",
        "behaviour/test_kills.py::test_a_run_killed_at_random_instants_resumes_and_ends_unchanged",
        "behaviour/test_kills_of_games.py::test_every_kind_of_game_ends_unchanged_after_kills",
        "behaviour/test_stops.py::test_ctrl_c_saves_and_the_resumed_run_equals_an_uninterrupted_one",
    ),
    "It watches itself": (
        "behaviour/test_watchdog_repairs.py::test_a_run_with_an_excessive_learning_rate_is_rescued",
        "behaviour/test_watchdog_repairs.py::test_watchdog_off_writes_no_signals_and_only_repair_keeps_snapshots",
        "watchdog/test_monitor.py::test_a_report_has_evidence_and_advice",
        "watchdog/test_monitor.py::test_a_remedy_that_helped_stays",
        "watchdog/test_monitor.py::test_a_remedy_that_did_not_help_is_reverted_and_the_next_applied",
        "watchdog/test_monitor.py::test_warn_reports_findings_and_applies_no_remedies",
        "watchdog/test_monitor.py::test_off_the_watchdog_does_nothing",
    ),
    "It needs no tuning of γ": (
        "objectives/test_gamma.py::test_automatic_gamma_settles_where_the_lead_is_at_its_set_point",
        "behaviour/test_learns.py::test_the_default_recipe_learns_every_mixture",
    ),
    "Verified checkpoints": (
        "training/test_checkpoint.py::test_a_flipped_bit_is_detected",
        "training/test_checkpoint.py::test_a_truncated_file_is_detected",
        "training/test_checkpoint.py::test_a_missing_file_is_detected",
        "behaviour/test_stops.py::test_a_damaged_checkpoint_is_reported_and_the_older_one_is_used",
        "behaviour/test_trials.py::test_no_case_is_silent_or_ends_in_a_traceback_or_hangs",
    ),
    "Received files are data": (
        "cli/test_received_folders.py::test_no_verb_follows_a_link_in_a_run_folder",
        "cli/test_received_folders.py::test_an_empty_recipe_is_no_permission_to_run_code_that_a_folder_names",
        "data/readers/test_bounds.py::test_an_archive_that_unpacks_to_far_more_is_refused_unread",
        "runs/test_session.py::test_code_named_in_a_run_folder_is_executed_only_if_passed_explicitly",
        "behaviour/test_trials.py::test_no_case_is_silent_or_ends_in_a_traceback_or_hangs",
    ),
    "No pickle": (
        "design/test_source.py::test_no_source_can_execute_the_content_of_a_file",
        "runs/test_session.py::test_code_named_in_a_run_folder_is_executed_only_if_passed_explicitly",
        "behaviour/test_no_network.py::test_a_run_folder_holds_no_file_that_could_execute_code",
    ),
    "No telemetry": (
        "behaviour/test_no_network.py::test_no_verb_opens_a_connection",
        "behaviour/test_no_network.py::test_only_named_downloads_can_open_one",
        "data/test_downloads.py::test_a_file_that_differs_is_refused",
        "data/test_downloads.py::test_every_published_file_is_pinned",
    ),
    "Clear errors": (
        "cli/test_mistakes.py::test_mistakes_are_reported_in_one_sentence",
        "behaviour/test_trials.py::test_no_case_is_silent_or_ends_in_a_traceback_or_hangs",
    ),
    "Exit codes": (
        "cli/test_mistakes.py::test_sample_evaluate_and_inspect_write_their_files",
        "cli/test_mistakes.py::test_mistakes_are_reported_in_one_sentence",
        "behaviour/test_stops.py::test_ctrl_c_saves_and_the_resumed_run_equals_an_uninterrupted_one",
        "behaviour/test_stops.py::test_sigterm_saves_a_checkpoint",
    ),
}
"""Promise → the tests that fail when it is broken, as file::function."""


def test_every_promise_has_tests() -> None:
    text = README.read_text(encoding="utf-8")
    section = re.search(r"(?ms)^## What it promises\n(.*?)^## ", text)
    assert section is not None
    assert set(re.findall(r"(?m)^\* \*\*(.+?)\.\*\*", section[1])) == set(PROMISES)
    assert len(re.findall(r"(?m)^\* ", section[1])) == len(PROMISES), "each point opens with its name in bold"


@pytest.mark.parametrize("test", sorted({test for tests in PROMISES.values() for test in tests}))
def test_the_tests_of_promises_exist(test: str) -> None:
    file, _, function = test.partition("::")
    tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
    assert function in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
