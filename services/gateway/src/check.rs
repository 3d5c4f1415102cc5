//! What would become of a declaration, asked beforehand. Detection answers; nothing goes on a queue.

use axum::{
    Json,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use samenloop_adapters::{broker, funding_client::FundingError, wire::v1};
use serde::Serialize;

use crate::{App, caller, intake, problem::Problem};

/// The answer.
#[derive(Debug, Serialize)]
struct Checked {
    /// What would be answered now; its sequence is 0, because nothing was decided.
    outcome: v1::Outcome,
    /// Sequence of the register that was asked.
    sequence: u64,
}

/// `POST /v1/checks`.
pub(crate) async fn ask(State(app): State<App>, request: Request) -> Result<Response, Problem> {
    let headers = request.headers().clone();
    let party = caller::authenticate(&app, &headers).await?;
    let content_type = intake::content_type(&headers)?;
    let _room = intake::reserve(&app, &headers)?;
    let body = intake::read_body(request).await?;
    if body.len() > broker::BODY_BYTES_MAX {
        return Err(Problem::too_large(
            format!(
                "A declaration that is asked about may have at most {} bytes; this one has {}.",
                broker::BODY_BYTES_MAX,
                body.len()
            ),
            "Ask about its parts one by one, or about the lines in doubt.",
        ));
    }
    let answer = (app.gateway.funding).check(&party, content_type, body.into());
    let answer = answer.await.map_err(problem)?;
    metrics::counter!("samenloop_gateway_checks_total").increment(1);
    Ok(Json(Checked {
        outcome: answer.outcome.unwrap_or_default(),
        sequence: answer.sequence,
    })
    .into_response())
}

fn problem(error: FundingError) -> Problem {
    match error {
        FundingError::Malformed(faults) => Problem::malformed_in(faults),
        FundingError::Busy(_) => {
            Problem::busy("As many questions as are answered at once are being answered.")
        }
        other => Problem::unavailable("the check of declarations", &other),
    }
}
