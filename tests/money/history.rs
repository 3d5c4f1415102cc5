//! Random histories of claims, credits, advances, corrections, runs, payments and reversals, with commits that fail;
//! after each the books are compared with themselves, and with what the calls said.

use std::collections::BTreeMap;

use samenloop_adapters::{
    fault_plan::{Fault, FaultPlan, FaultPoint},
    report,
    settlement_store::{AccountBalance, SettlementStore},
};
use samenloop_domain::{
    identifiers::Uzovi,
    ledger::Account,
    period::{Day, Period},
    report::Asked,
};
use samenloop_proto::settlement::v1::{
    self as wire, BankAccount, ClaimState, ClosePeriodRequest, ConfirmPaymentRequest,
    OrderPaymentsRequest, PayeeAccount, Payment, PaymentState, RecordAdvanceRequest,
    RecordBudgetRequest, RecordCorrectionRequest, ReverseEntryRequest, ReversePaymentRequest,
    SettleBudgetRequest, Share, Term, remittance_item::Item,
};
use tonic::{Code, Status};

use crate::{
    books::{Api, Books, CONTRACTS, INSURERS, PAYEES, claim},
    random::Random,
};

/// Calls until the database takes it, and then once more: the answer is the same, and the effect is one.
macro_rules! until_done {
    ($api:ident.$method:ident($request:expr)) => {{
        let request = $request;
        let mut tries = 0;
        let mut call = async || loop {
            tries += 1;
            assert!(tries < 100, "the database never takes it");
            match $api.$method(request.clone()).await {
                Err(e) if e.code() == Code::Unavailable => {}
                other => break other.map(tonic::Response::into_inner),
            }
        };
        let first = call().await;
        if first.is_ok() {
            assert_eq!(
                call().await.ok(),
                first.as_ref().ok().cloned(),
                "a repetition"
            );
        }
        first
    }};
}
/// Steps of one history.
const STEPS: u64 = 60;

/// Commits that fail: about one of five.
pub(crate) fn faults(seed: u64) -> FaultPlan {
    let mut random = Random::new(seed).branch();
    let mut at = 0;
    (0..30).fold(FaultPlan::default(), |plan, _| {
        at += 1 + random.below(9);
        plan.with(FaultPoint::BeforeCommit, at, Fault::Error)
    })
}

/// What a history remembers.
struct Played {
    api: Api,
    random: Random,
    seed: u64,
    requests: u64,
    sequence: u64,
    /// Claims that are not credited, by sequence.
    open: BTreeMap<u64, wire::Claim>,
    /// Entries by insurer that may be undone.
    entries: Vec<(String, u64)>,
    /// Days closed, per insurer, as a number of days after the first.
    closed: BTreeMap<String, i8>,
    budgets: u64,
}

pub(crate) async fn play(books: &Books, seed: u64) {
    let mut played = Played {
        api: books.api.clone(),
        random: Random::new(seed),
        seed,
        requests: 0,
        sequence: 0,
        open: BTreeMap::new(),
        entries: Vec::new(),
        closed: BTreeMap::new(),
        budgets: 0,
    };
    for _ in 0..STEPS {
        played.step().await;
    }
    played.check(books).await;
    played.undo_everything().await;
    played.check(books).await;
    played.check_nothing_is_left(books).await;
}

impl Played {
    async fn step(&mut self) {
        match self.random.below(12) {
            0..=2 => self.submit_some().await,
            3 => self.credit_one().await,
            4 => self.advance().await,
            5 => self.correct().await,
            6 => self.record_budget().await,
            7 => self.close().await,
            8 => self.order().await,
            9 => self.confirm_or_reverse().await,
            10 => self.undo_one().await,
            _ => self.settle().await,
        }
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        let place = self.random.below(from.len() as u64);
        from[usize::try_from(place).expect("an index")]
    }

    fn amount(&mut self) -> i64 {
        1 + i64::try_from(self.random.below(1_000_000)).expect("it is small")
    }

    fn request_id(&mut self) -> String {
        self.requests += 1;
        format!("00000000-0000-4000-8000-{:012}", self.requests)
    }

    /// Submits until it is on disk, and then once more: that has no effect.
    async fn submit(&mut self, claims: Vec<wire::Claim>) {
        let mut recorded = false;
        for _ in 0..50 {
            let request = wire::SubmitClaimsRequest {
                claims: claims.clone(),
            };
            let answered = self.api.submit_claims(tokio_stream::iter([request])).await;
            let mut answers = answered.expect("a stream").into_inner();
            let Ok(Some(answer)) = answers.message().await else {
                continue;
            };
            let all = |state: ClaimState| answer.receipts.iter().all(|it| it.state() == state);
            assert!(all(ClaimState::Recorded) || all(ClaimState::AlreadyRecorded));
            if recorded {
                return;
            }
            recorded = true;
        }
        panic!("seed {}: claims are never recorded", self.seed);
    }

    async fn submit_some(&mut self) {
        let mut claims = Vec::new();
        for _ in 0..=self.random.below(3) {
            self.sequence += 1;
            let (payee, contract) = (self.pick(&PAYEES), self.pick(&CONTRACTS));
            let claim = claim(self.sequence, payee, contract, self.amount());
            self.open.insert(self.sequence, claim.clone());
            claims.push(claim);
        }
        self.submit(claims).await;
    }

    async fn credit_one(&mut self) {
        let Some((_, original)) = self.open.pop_first() else {
            return;
        };
        self.credit(original).await;
    }

    async fn credit(&mut self, original: wire::Claim) {
        self.sequence += 1;
        let sequence = self.sequence;
        let credit = wire::Claim {
            claim_id: format!("{sequence}.1.1"),
            sequence,
            message_id: format!("00000000-0000-7000-8000-{sequence:012}"),
            awarded_cents: -original.awarded_cents,
            reverses_claim_id: original.claim_id.clone(),
            ..original
        };
        self.submit(vec![credit]).await;
    }

    async fn advance(&mut self) {
        let insurer = self.pick(&INSURERS).to_owned();
        let request = RecordAdvanceRequest {
            insurer_uzovi: insurer.clone(),
            request_id: self.request_id(),
            payee_agb: self.pick(&PAYEES).to_owned(),
            contract_id: self.pick(&CONTRACTS).to_owned(),
            cents: self.amount(),
            note: String::new(),
        };
        let mut api = self.api.clone();
        let entry = until_done!(api.record_advance(request)).expect("it is sound");
        self.entries.push((insurer, entry.number));
    }

    async fn correct(&mut self) {
        let insurer = self.pick(&INSURERS).to_owned();
        let sign = if self.random.below(2) == 0 { 1 } else { -1 };
        let request = RecordCorrectionRequest {
            insurer_uzovi: insurer.clone(),
            request_id: self.request_id(),
            payee_agb: self.pick(&PAYEES).to_owned(),
            contract_id: self.pick(&CONTRACTS).to_owned(),
            kind: wire::CorrectionKind::Ceiling.into(),
            cents: sign * self.amount(),
            sector_shares: sectors(),
            note: "ceiling".to_owned(),
            result: None,
        };
        let mut api = self.api.clone();
        let entry = until_done!(api.record_correction(request)).expect("it is sound");
        self.entries.push((insurer, entry.number));
    }

    async fn record_budget(&mut self) {
        self.budgets += 1;
        let cents = self.amount();
        let request = RecordBudgetRequest {
            insurer_uzovi: self.pick(&INSURERS).to_owned(),
            request_id: self.request_id(),
            budget_id: format!("B{}", self.budgets),
            payee_agb: self.pick(&PAYEES).to_owned(),
            contract_id: self.pick(&CONTRACTS).to_owned(),
            first: "2025-01-01".to_owned(),
            last: "2025-12-31".to_owned(),
            budget_cents: cents,
            terms: vec![Term {
                due_on: "2025-01-10".to_owned(),
                cents,
            }],
            sector_shares: sectors(),
        };
        let mut api = self.api.clone();
        // One of this payee and contract may be there.
        let done = until_done!(api.record_budget(request));
        assert!(done.is_ok() || code(&done) == Code::AlreadyExists);
    }

    async fn settle(&mut self) {
        let insurer = self.pick(&INSURERS).to_owned();
        let number = 1 + self.random.below(self.budgets.max(1));
        let request = SettleBudgetRequest {
            insurer_uzovi: insurer.clone(),
            request_id: self.request_id(),
            budget_id: format!("B{number}"),
        };
        let mut api = self.api.clone();
        match until_done!(api.settle_budget(request)) {
            Ok(entry) => self.entries.push((insurer, entry.number)),
            refused => assert_eq!(code(&refused), Code::NotFound),
        }
    }

    async fn close(&mut self) {
        let insurer = self.pick(&INSURERS).to_owned();
        let days = self.closed.entry(insurer.clone()).or_insert(0);
        *days += 1;
        let last =
            jiff::civil::date(2025, 1, 1) + jiff::SignedDuration::from_hours(24 * i64::from(*days));
        let request = ClosePeriodRequest {
            insurer_uzovi: insurer,
            request_id: self.request_id(),
            last: last.to_string(),
            due_on: String::new(),
        };
        let mut api = self.api.clone();
        until_done!(api.close_period(request)).expect("it is sound");
    }

    /// A payment in one of these states, if there is one.
    async fn payment(&mut self, states: &[PaymentState]) -> Option<(String, Payment)> {
        let insurer = self.pick(&INSURERS).to_owned();
        let mut found = payments(&mut self.api.clone(), &insurer).await;
        found.retain(|payment| states.contains(&payment.state()));
        self.random.shuffle(&mut found);
        Some((insurer, found.into_iter().next()?))
    }

    async fn order(&mut self) {
        let Some((insurer, payment)) = self.payment(&[PaymentState::Payable]).await else {
            return;
        };
        let account = |name: &str| {
            Some(BankAccount {
                name: name.to_owned(),
                iban: "NL91ABNA0417164300".to_owned(),
            })
        };
        let creditor = |payee: &str| PayeeAccount {
            payee_agb: payee.to_owned(),
            account: account(payee),
        };
        let request = OrderPaymentsRequest {
            insurer_uzovi: insurer,
            request_id: self.request_id(),
            run: payment.run,
            debtor: account("Verzekeraar"),
            creditors: PAYEES.map(creditor).to_vec(),
        };
        let mut api = self.api.clone();
        // Another payment of the run may be paid already.
        let done = until_done!(api.order_payments(request));
        assert!(done.is_ok() || code(&done) == Code::FailedPrecondition);
    }

    async fn confirm_or_reverse(&mut self) {
        let states = [
            PaymentState::Payable,
            PaymentState::Ordered,
            PaymentState::Paid,
        ];
        let Some((insurer, payment)) = self.payment(&states).await else {
            return;
        };
        let mut api = self.api.clone();
        if self.random.below(4) == 0 {
            let request = ReversePaymentRequest {
                insurer_uzovi: insurer,
                request_id: self.request_id(),
                payment_reference: payment.payment_reference,
                note: "returned".to_owned(),
            };
            until_done!(api.reverse_payment(request)).expect("it is in a state for it");
            return;
        }
        let request = ConfirmPaymentRequest {
            insurer_uzovi: insurer,
            request_id: self.request_id(),
            payment_reference: payment.payment_reference,
            cents: payment.cents,
            paid_on: "2026-01-31".to_owned(),
        };
        let done = until_done!(api.confirm_payment(request));
        let is_paid = payment.state == i32::from(PaymentState::Paid);
        assert_eq!(done.is_err(), is_paid, "a payment is paid once: {done:?}");
    }

    async fn undo_one(&mut self) {
        if let Some((insurer, number)) = self.entries.pop() {
            self.undo(insurer, number).await;
        }
    }

    async fn undo(&mut self, insurer: String, number: u64) {
        let request = ReverseEntryRequest {
            insurer_uzovi: insurer,
            request_id: self.request_id(),
            number,
            note: "a mistake".to_owned(),
        };
        let mut api = self.api.clone();
        until_done!(api.reverse_entry(request)).expect("it was not undone before");
    }

    async fn undo_everything(&mut self) {
        while let Some((_, original)) = self.open.pop_first() {
            self.credit(original).await;
        }
        for (insurer, number) in std::mem::take(&mut self.entries) {
            self.undo(insurer, number).await;
        }
    }

    /// Nothing costs anything when all claims are credited and all entries undone: at every sector.
    async fn check_nothing_is_left(&self, books: &Books) {
        for balance in books.store.balances().await.expect("it answers") {
            let is_cost = balance.account.contains(":cost:");
            let is_settled = balance.account.contains(":budget-settled:");
            assert!(
                !(is_cost || is_settled) || balance.cents == 0,
                "seed {}: {balance:?}",
                self.seed
            );
        }
    }

    async fn check(&self, books: &Books) {
        let seed = self.seed;
        let store = &books.store;
        let balances = store.balances().await.expect("it answers");
        let sum = |part: &str| -> i64 {
            let found = balances.iter().filter(|it| it.account.contains(part));
            found.map(|it| it.cents).sum()
        };
        assert_eq!(sum(""), 0, "seed {seed}: the books balance");
        let differences = store.differences().await.expect("it answers");
        assert_eq!(
            differences,
            [],
            "seed {seed}: balances are the sums of their postings"
        );
        for insurer in INSURERS {
            let uzovi = Uzovi::parse(insurer).expect("an insurer");
            let heads = store.stream_heads().await.expect("it answers");
            let Some(head) = heads.iter().find(|head| head.insurer == uzovi) else {
                continue;
            };
            let events = store
                .events(uzovi, 0, u32::MAX)
                .await
                .expect("they are read");
            let positions: Vec<u64> = events.iter().map(|event| event.position).collect();
            assert_eq!(
                positions,
                (1..=head.position).collect::<Vec<_>>(),
                "seed {seed}: no gap"
            );
            let streamed: i64 = events.iter().map(|event| event.cents).sum();
            assert_eq!(streamed, head.cents, "seed {seed}");
            let costs = sum(&format!("insurer:{insurer}:cost:"));
            assert_eq!(
                costs, streamed,
                "seed {seed}: the stream tells what the sectors cost"
            );
            self.check_payments(insurer, &sum).await;
        }
        self.check_report(store, &balances).await;
    }

    /// Over all days, the report says of each sector and insurer what their accounts hold.
    async fn check_report(&self, store: &SettlementStore, balances: &[AccountBalance]) {
        let seed = self.seed;
        let always = Period::new(Day::MIN, Day::MAX).expect("it ends after it begins");
        let told = report::report_of_ledger(store, Asked::all_in(always)).await;
        let told = told.expect("it answers");
        let mut booked: BTreeMap<(&str, String), i64> = BTreeMap::new();
        for balance in balances {
            if let Some(Account::SectorCost { insurer, sector }) = Account::parse(&balance.account)
            {
                for row in [
                    ("sectors", sector.to_string()),
                    ("insurers", insurer.to_string()),
                ] {
                    *booked.entry(row).or_default() += balance.cents;
                }
            }
        }
        for ((table, row), cents) in booked {
            let found = told
                .table(table)
                .and_then(|it| it.figure(&row, "net_cents"));
            assert_eq!(found.unwrap_or(0), cents, "seed {seed}: {table} {row}");
        }
        let total = |table: &str, column: &str| {
            let found = told.table(table).and_then(|it| it.total_of(column));
            found.expect("it has totals")
        };
        let claimed = total("sectors", "net_cents") - total("sectors", "entry_cents");
        for table in ["kinds", "regions", "months"] {
            assert_eq!(total(table, "net_cents"), claimed, "seed {seed}: {table}");
        }
        let budgets = u64::try_from(total("recorded_budgets", "budgets")).expect("a number");
        assert!(
            budgets <= self.budgets,
            "seed {seed}: a budget is reported once"
        );
    }

    /// Payments are what the ledger says, and each is what was brought forward and its items.
    async fn check_payments(&self, insurer: &str, sum: &impl Fn(&str) -> i64) {
        let seed = self.seed;
        let mut api = self.api.clone();
        let payments = payments(&mut api, insurer).await;
        let in_state = |states: &[PaymentState]| -> i64 {
            let found = payments.iter().filter(|it| states.contains(&it.state()));
            found.map(|it| it.cents).sum()
        };
        let paid = in_state(&[PaymentState::Paid]);
        assert_eq!(
            -sum(&format!("insurer:{insurer}:paid")),
            paid,
            "seed {seed}"
        );
        for (kind, state) in [
            ("due", PaymentState::Payable),
            ("ordered", PaymentState::Ordered),
        ] {
            let booked = -sum(&format!(":{kind}:{insurer}"));
            assert_eq!(booked, in_state(&[state]), "seed {seed}: {kind}");
        }
        for payment in &payments {
            let request = wire::GetRemittanceRequest {
                insurer_uzovi: insurer.to_owned(),
                payment_reference: payment.payment_reference.clone(),
                page_size: 1000,
                page_token: String::new(),
            };
            let advice = api
                .get_remittance(request)
                .await
                .expect("it is read")
                .into_inner();
            let owed: i64 = advice.items.iter().map(owed).sum();
            let before = advice.brought_forward_cents + owed;
            let after = payment.cents - payment.carried_cents;
            let moved = payment.advanced_cents - payment.set_off_cents;
            assert_eq!(before + moved, after, "seed {seed}: {advice:?}");
        }
    }
}

fn owed(item: &wire::RemittanceItem) -> i64 {
    match item.item.as_ref().expect("an item is of something") {
        Item::Claim(claim) => claim.cents,
        Item::Entry(entry) => entry.cents - entry.set_off_cents,
    }
}

async fn payments(api: &mut Api, insurer: &str) -> Vec<Payment> {
    let request = wire::ListSettlementsRequest {
        insurer_uzovi: insurer.to_owned(),
        page_size: 1000,
        ..wire::ListSettlementsRequest::default()
    };
    let listed = api.list_settlements(request).await;
    listed.expect("it is listed").into_inner().settlements
}

fn sectors() -> Vec<Share> {
    let share = |(key, basis_points): (&str, u32)| Share {
        key: key.to_owned(),
        basis_points,
    };
    [("WV", 5_000), ("HA", 5_000)].map(share).to_vec()
}

fn code<T>(result: &Result<T, Status>) -> Code {
    result.as_ref().err().map_or(Code::Ok, Status::code)
}
