//! The store of settlement: every method, with the same result on every database.

mod books;
mod made;
mod money;
mod recording;
mod streams;

use crate::database::{Database, Kind};

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
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
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
    recording::a_claim_is_found_as_it_was_recorded,
    recording::claims_recorded_again_have_no_effect,
    recording::other_content_under_a_claim_id_is_refused,
    recording::a_claim_of_a_recorded_message_is_late,
    recording::old_and_new_messages_may_come_in_one_batch,
    recording::a_claim_id_has_one_spelling,
    recording::a_fault_before_the_commit_leaves_nothing,
    recording::a_panic_before_the_commit_leaves_nothing,
    recording::a_fault_on_a_read_is_transient,
    recording::what_is_recorded_outlives_the_store,
    recording::lost_connections_come_back,
    recording::a_newer_schema_is_refused,
    streams::events_come_in_order_of_recording_and_in_pages,
    streams::an_insurer_hears_of_its_own_parts_only,
    streams::a_claim_that_nobody_owes_is_heard_by_the_insurer_asked,
    streams::heads_are_the_sums_of_the_events,
    streams::an_acknowledgement_never_goes_back,
    streams::what_subscribers_have_and_where_claims_are_told_is_known,
    streams::positions_have_no_gap_whatever_fails,
    streams::a_reader_misses_nothing_while_others_write,
    streams::of_the_same_claims_at_once_each_is_recorded_once,
    books::balances_sum_to_zero_and_a_credit_undoes_its_debit,
    books::a_journal_that_does_not_balance_is_refused,
    books::a_posting_has_a_journal_and_comes_before_it,
    books::a_position_follows_the_last_one,
    books::nothing_written_is_changed_or_deleted,
    books::a_row_is_not_written_over,
    books::a_posting_cannot_race_its_journal,
    money::balances_are_the_sums_of_their_postings_and_can_be_rebuilt,
    money::a_command_has_its_effect_once,
    money::a_command_that_is_refused_or_fails_leaves_nothing,
    money::a_reversal_undoes_its_journal_once,
    money::commands_of_one_insurer_are_numbered_without_a_gap,
    money::a_payment_and_a_term_go_forward_only,
    money::the_role_of_the_service_may_not_change_the_books,
}
