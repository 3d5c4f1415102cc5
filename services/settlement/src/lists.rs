//! Lists of an insurer's books, in pages.

use samenloop_adapters::settlement_store::{
    Item, StoredEvent,
    commands::{ClaimFilter, PaymentFilter, StoredPayment},
};
use samenloop_domain::{
    identifiers::{Agb, Uzovi},
    period::Period,
};
use samenloop_proto::settlement::v1 as wire;
use tonic::{Request, Status};

use crate::{
    commands::check,
    deadline,
    page::{store_status, wire_part},
    reason::Reason,
    service::Service,
    token::PageOf,
};

/// Rows of one page where the caller does not say.
const PAGE_DEFAULT: u32 = 100;

/// Rows of one page at most.
pub const PAGE_MAX: u32 = 1000;

/// Bytes of a prefix, a region or a contract that is asked for.
const FILTER_BYTES_MAX: usize = 200;

type Listed<T> = Result<T, Status>;

impl Service {
    pub(crate) async fn claims(
        &self,
        request: Request<wire::ListClaimsRequest>,
    ) -> Listed<wire::ListClaimsResponse> {
        let caller = self.config.callers.identify(&request)?;
        let store = self.store.until(deadline::of(&request));
        let request = request.into_inner();
        let insurer = caller.acts_as(&request.insurer_uzovi)?;
        let filter = ClaimFilter {
            payee: payee(&request.payee_agb)?,
            contract_id: some(&request.contract_id)?,
            begins: begins(&request)?,
        };
        let of = format!(
            "claims {} {} {:?}",
            request.payee_agb, request.contract_id, filter.begins
        );
        let page = self.page(insurer, of, request.page_size, &request.page_token)?;
        let after = page.number()?;
        let rows = store.claim_page(insurer, filter, after, page.rows + 1);
        let rows = rows.await.map_err(|e| store_status(&e))?;
        let (rows, next_page_token) = page.cut(rows, |event| event.position.to_string());
        let claims = rows.into_iter().filter_map(insurer_claim);
        Ok(wire::ListClaimsResponse {
            claims: claims.collect(),
            next_page_token,
        })
    }

    pub(crate) async fn settlements(
        &self,
        request: Request<wire::ListSettlementsRequest>,
    ) -> Listed<wire::ListSettlementsResponse> {
        let caller = self.config.callers.identify(&request)?;
        let store = self.store.until(deadline::of(&request));
        let request = request.into_inner();
        let insurer = caller.acts_as(&request.insurer_uzovi)?;
        let filter = PaymentFilter {
            run: Some(request.run).filter(|run| *run > 0),
            payee: payee(&request.payee_agb)?,
        };
        let of = format!("settlements {} {}", request.run, request.payee_agb);
        let page = self.page(insurer, of, request.page_size, &request.page_token)?;
        let (run, payee) = page.after.split_once(' ').unwrap_or_default();
        let after = (run.parse().unwrap_or_default(), payee.to_owned());
        let rows = store.payment_page(insurer, filter, after, page.rows + 1);
        let rows = rows.await.map_err(|e| store_status(&e))?;
        let (rows, next_page_token) = page.cut(rows, |payment| {
            format!("{} {}", payment.run.number, payment.settled.payee)
        });
        Ok(wire::ListSettlementsResponse {
            settlements: rows.iter().map(wire_payment).collect(),
            next_page_token,
        })
    }

    pub(crate) async fn balances(
        &self,
        request: Request<wire::GetBalanceRequest>,
    ) -> Listed<wire::GetBalanceResponse> {
        let caller = self.config.callers.identify(&request)?;
        let store = self.store.until(deadline::of(&request));
        let request = request.into_inner();
        let insurer = caller.acts_as(&request.insurer_uzovi)?;
        let prefix = some(&request.account_prefix)?.unwrap_or_default();
        let of = format!("balances {prefix}");
        let page = self.page(insurer, of, request.page_size, &request.page_token)?;
        let rows = store.balance_page(insurer, &prefix, &page.after, page.rows + 1);
        let rows = rows.await.map_err(|e| store_status(&e))?;
        let (rows, next_page_token) = page.cut(rows, |(balance, _)| balance.account.clone());
        let balances = rows
            .into_iter()
            .map(|(balance, posting_count)| wire::Balance {
                account: balance.account,
                cents: balance.cents,
                posting_count,
            });
        Ok(wire::GetBalanceResponse {
            balances: balances.collect(),
            next_page_token,
        })
    }

    pub(crate) async fn remittance(
        &self,
        request: Request<wire::GetRemittanceRequest>,
    ) -> Listed<wire::GetRemittanceResponse> {
        let caller = self.config.callers.identify(&request)?;
        let store = self.store.until(deadline::of(&request));
        let request = request.into_inner();
        let insurer = caller.acts_as(&request.insurer_uzovi)?;
        let reference = some(&request.payment_reference)?.unwrap_or_default();
        let of = format!("remittance {reference}");
        let page = self.page(insurer, of, request.page_size, &request.page_token)?;
        let after = page.number()?;
        let found = store.remittance(insurer, &reference, after, page.rows + 1);
        let found = found
            .await
            .map_err(|e| store_status(&e))?
            .ok_or_else(|| Reason::PaymentUnknown.status("there is no such payment", &[]))?;
        let (rows, next_page_token) = page.cut(found.items, |event| event.position.to_string());
        Ok(wire::GetRemittanceResponse {
            payment: Some(wire_payment(&found.payment)),
            brought_forward_cents: found.brought_forward_cents,
            items: rows.into_iter().map(remittance_item).collect(),
            next_page_token,
        })
    }

    pub(crate) async fn allocation_keys(
        &self,
        request: Request<wire::GetAllocationKeysRequest>,
    ) -> Listed<wire::GetAllocationKeysResponse> {
        let caller = self.config.callers.identify(&request)?;
        let store = self.store.until(deadline::of(&request));
        let request = request.into_inner();
        let insurer = caller.acts_as(&request.insurer_uzovi)?;
        let region = some(&request.region)?.unwrap_or_default();
        let year = Some(request.year).filter(|year| *year > 0);
        let of = format!("keys {region} {}", request.year);
        let page = self.page(insurer, of, request.page_size, &request.page_token)?;
        let rows = store.key_page(insurer, (region, year), &page.after, page.rows + 1);
        let rows = rows.await.map_err(|e| store_status(&e))?;
        let (rows, next_page_token) = page.cut(rows, |(place, _)| place.clone());
        Ok(wire::GetAllocationKeysResponse {
            keys: rows.into_iter().map(|(_, key)| key).collect(),
            next_page_token,
        })
    }

    /// The page that a request asks for; `of` is all that it filters by, for a token is good for that only.
    fn page(&self, insurer: Uzovi, of: String, size: u32, token: &str) -> Result<Page<'_>, Status> {
        let page_of = self.tokens.page_of(insurer, &of);
        let after = match token {
            "" => Some(String::new()),
            token => page_of.place(token),
        };
        let message = "the page token is none of this request";
        Ok(Page {
            after: after.ok_or_else(|| Reason::PageTokenInvalid.status(message, &[]))?,
            rows: match size {
                0 => PAGE_DEFAULT,
                asked => asked.min(PAGE_MAX),
            },
            page_of,
        })
    }
}

/// One page of a list.
struct Page<'a> {
    page_of: PageOf<'a>,
    /// Place of the last row of the page before; empty at the begin.
    after: String,
    rows: u32,
}

impl Page<'_> {
    fn number(&self) -> Result<u64, Status> {
        if self.after.is_empty() {
            return Ok(0);
        }
        let number = self.after.parse();
        number.map_err(|_| Reason::PageTokenInvalid.status("the page token names no row", &[]))
    }

    /// The rows of the page, of which one more was asked for than it has, and the token of the next one.
    fn cut<T>(&self, mut rows: Vec<T>, place: impl Fn(&T) -> String) -> (Vec<T>, String) {
        let size = usize::try_from(self.rows).expect("a page fits in memory");
        if rows.len() <= size {
            return (rows, String::new());
        }
        rows.truncate(size);
        let token = rows.last().map(|row| self.page_of.token(&place(row)));
        (rows, token.unwrap_or_default())
    }
}

/// A filter, where there is one.
fn some(text: &str) -> Result<Option<String>, Status> {
    if text.len() > FILTER_BYTES_MAX || text.contains('\0') {
        let limit = [("bytes_max", FILTER_BYTES_MAX.to_string())];
        return Err(Reason::NameInvalid.status("a name that is asked for is too long", &limit));
    }
    Ok(Some(text.to_owned()).filter(|text| !text.is_empty()))
}

fn payee(agb: &str) -> Result<Option<Agb>, Status> {
    if agb.is_empty() {
        return Ok(None);
    }
    let message = "payee_agb is no AGB code";
    let payee = Agb::parse(agb).ok_or_else(|| Reason::PayeeInvalid.status(message, &[]));
    payee.map(Some)
}

/// The days on which the claims asked begin.
fn begins(request: &wire::ListClaimsRequest) -> Result<Option<Period>, Status> {
    let (first, last) = (&request.begins_first, &request.begins_last);
    if first.is_empty() && last.is_empty() {
        return Ok(None);
    }
    check::period(first, last).map(Some)
}

/// A claim as it is listed; an entry is none.
fn insurer_claim(event: StoredEvent) -> Option<wire::InsurerClaim> {
    let Item::Claim(allocated) = event.item else {
        return None;
    };
    let claim = allocated.claim;
    Some(wire::InsurerClaim {
        position: event.position,
        claim_id: claim.claim_id,
        cents: event.cents,
        parts: allocated.parts.iter().map(wire_part).collect(),
        payee_agb: claim.payee_agb,
        contract_id: claim.contract_id,
        first: claim.first,
        last: claim.last,
        line_reference: claim.line_reference,
        invoice_number: claim.invoice_number,
        recorded_at: event.recorded_at.to_string(),
    })
}

fn remittance_item(event: StoredEvent) -> wire::RemittanceItem {
    use wire::remittance_item::Item as Told;
    let item = match event.item {
        Item::Entry(entry) => Some(Told::Entry(*entry)),
        Item::Claim(_) => insurer_claim(event).map(Told::Claim),
    };
    wire::RemittanceItem { item }
}

pub(crate) fn wire_payment(payment: &StoredPayment) -> wire::Payment {
    let settled = &payment.settled;
    wire::Payment {
        run: payment.run.number,
        payee_agb: settled.payee.to_string(),
        payment_reference: settled.reference.clone(),
        state: payment.state().into(),
        cents: settled.cents.get(),
        advanced_cents: settled.advanced.get(),
        set_off_cents: settled.set_off.get(),
        carried_cents: settled.carried.get(),
        last: payment.run.last_day.to_string(),
        due_on: payment.run.due_on.to_string(),
    }
}
