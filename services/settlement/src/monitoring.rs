//! What an insurer's books say for the monitoring report.

use samenloop_adapters::report;
use samenloop_domain::report::{Asked, ReportTable};
use samenloop_proto::settlement::v1 as wire;
use tonic::{Request, Status};

use crate::{commands::check, deadline, page::store_status, reason::Reason, service::Service};

/// Days of one report: a leap year.
const DAYS_MAX: u32 = 366;

impl Service {
    pub(crate) async fn monitoring_report(
        &self,
        request: Request<wire::GetMonitoringReportRequest>,
    ) -> Result<wire::GetMonitoringReportResponse, Status> {
        let caller = self.config.callers.identify(&request)?;
        let store = self.store.until(deadline::of(&request));
        let request = request.into_inner();
        let insurer = caller.acts_as(&request.insurer_uzovi)?;
        let days = check::period(&request.first, &request.last)?;
        if days.days_in_common(days) > DAYS_MAX {
            let limit = [("days_max", DAYS_MAX.to_string())];
            return Err(Reason::DayInvalid.status("the period is over a year", &limit));
        }
        // It reads a year of claims, so as many may be at it as streams may be open.
        let _permit = self.stream_permit()?;
        let asked = Asked {
            insurer: Some(insurer),
            ..Asked::all_in(days)
        };
        let report = report::report_of_ledger(&store, asked).await;
        let report = report.map_err(|e| store_status(&e))?;
        let tables = report.tables.iter().filter(|table| !table.rows.is_empty());
        Ok(wire::GetMonitoringReportResponse {
            first: request.first,
            last: request.last,
            tables: tables.map(wire_table).collect(),
        })
    }
}

fn wire_table(table: &ReportTable) -> wire::ReportTable {
    let row = |row: &samenloop_domain::report::ReportRow| wire::ReportRow {
        key: row.key.to_string(),
        values: row.values.clone(),
    };
    wire::ReportTable {
        id: table.shape.id.to_owned(),
        columns: table
            .shape
            .columns
            .iter()
            .map(|it| it.id.to_owned())
            .collect(),
        rows: table.rows.iter().map(row).collect(),
        total: table.total.clone().unwrap_or_default(),
    }
}
