//! The store of decisions: every method, with the same result on every database.

mod history;
mod log;
mod made;
mod operation;
mod quarantine;
mod random;
mod register;
mod registration;
mod reviews;
mod search;
mod site;

use samenloop_adapters::{
    decision_store::{DecisionStore, StoreError},
    fault_plan::FaultPlan,
};

use crate::database::{Database, Kind};

/// The schema of the store on PostgreSQL.
const SCHEMA: &str = "decisions";

async fn open(database: &Database) -> DecisionStore {
    open_with(database, FaultPlan::default()).await
}

async fn open_with(database: &Database, faults: FaultPlan) -> DecisionStore {
    DecisionStore::open(&database.url, faults).await.unwrap()
}

async fn try_open(database: &Database) -> Result<DecisionStore, StoreError> {
    DecisionStore::open(&database.url, FaultPlan::default()).await
}

/// Runs every chapter on every database, each on a database of its own.
macro_rules! chapters {
    ($($part:ident::$chapter:ident,)+) => {
        chapters!(@on sqlite_in_memory Memory: $($part::$chapter,)+);
        chapters!(@on sqlite_in_a_file File: $($part::$chapter,)+);
        chapters!(@on postgres Postgres: $($part::$chapter,)+);
    };
    (@on $name:ident $kind:ident: $($part:ident::$chapter:ident,)+) => {
        mod $name {
            use super::*;

            $(
                #[tokio::test]
                async fn $chapter() {
                    let database = Database::new(Kind::$kind).await;
                    $part::$chapter(&database).await;
                    database.close().await;
                }
            )+
        }
    };
}

chapters! {
    registration::a_message_is_registered_with_its_outcome,
    registration::messages_are_listed_newest_first,
    registration::an_id_is_registered_once,
    registration::a_revised_outcome_replaces_the_one_before,
    log::the_log_is_a_chain_without_gaps,
    log::a_gap_is_a_defect_and_leaves_nothing,
    log::a_second_writer_waits_for_the_first,
    log::a_dropped_transaction_leaves_nothing,
    log::a_fault_before_the_commit_leaves_nothing,
    log::a_panic_before_the_commit_leaves_nothing,
    log::a_fault_on_a_read_is_transient,
    log::what_is_decided_outlives_the_store,
    log::the_log_is_never_changed,
    log::a_newer_schema_is_refused,
    log::lost_connections_come_back,
    log::a_holder_that_hangs_loses_the_lock,
    history::nothing_is_loaded_without_keys,
    history::a_line_comes_back_as_it_was_decided,
    history::coverage_is_found_by_key_and_period,
    history::existing_coverage_is_found_as_imported,
    history::a_credit_frees_what_its_original_took,
    history::the_credit_of_a_held_line_withdraws_it,
    history::two_lines_withdrawn_at_once_make_one_new_version,
    history::a_credit_in_the_same_batch_frees_as_well,
    history::a_reused_invoice_part_has_its_newest_day,
    history::refused_lines_may_repeat_a_number,
    history::what_is_loaded_is_what_was_applied,
    register::rows_of_a_file_are_known_after_their_import,
    register::snapshot_is_of_one_moment_and_waits_for_nobody,
    register::all_coverage_is_read_key_by_key,
    register::page_of_the_log_ends_where_it_is_large,
    operation::rows_leave_the_outbox_in_order,
    operation::a_message_shows_what_became_of_its_rows,
    operation::a_lease_is_held_by_one,
    operation::attempts_are_counted_until_they_are_cleared,
    operation::a_delivery_is_quarantined_once,
    operation::quarantined_bodies_have_a_term_and_their_rows_have_none,
    quarantine::a_filter_finds_what_it_says_in_pages_of_either_order,
    quarantine::a_change_is_made_once_and_what_comes_back_waits_again,
    quarantine::operations_are_kept_newest_first_with_how_far_they_are,
    operation::what_no_database_keeps_is_quarantined_all_the_same,
    operation::the_last_activated_version_is_in_force,
    operation::a_version_keeps_its_content,
    operation::messages_wait_until_they_are_released,
    operation::figures_count_what_stands,
    reviews::held_lines_are_listed_until_they_leave,
    reviews::a_line_that_is_decided_again_is_what_was_applied,
    reviews::refused_lines_are_found_by_what_excludes_them,
    reviews::a_command_is_kept_with_its_result,
    reviews::a_case_is_listed_once_until_it_is_closed,
    reviews::a_withdrawn_import_occupies_nothing,
    search::a_message_is_found_by_everything_that_it_is_known_by,
    search::a_line_that_is_decided_anew_leads_to_its_entry,
    site::attempts_are_told_by_stage,
    site::activated_versions_are_listed_newest_first,
    site::a_row_that_nobody_took_is_sent_again_when_asked,
    search::a_proposal_is_open_once_for_a_line_and_ends_once,
    reviews::what_stands_between_contracts_is_loaded_until_it_is_ended,
    register::awarded_coverage_is_read_in_pages_without_what_was_imported,
}
