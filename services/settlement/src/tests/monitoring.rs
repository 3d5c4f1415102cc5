//! The report of an insurer's books, over the wire.

use samenloop_proto::settlement::v1::settlement_client::SettlementClient as Api;
use tonic_types::StatusExt as _;

use super::*;

fn of(insurer: &str, first: &str, last: &str) -> wire::GetMonitoringReportRequest {
    wire::GetMonitoringReportRequest {
        insurer_uzovi: insurer.to_owned(),
        first: first.to_owned(),
        last: last.to_owned(),
    }
}

fn begun(sequence: u64, cents: i64, first: &str) -> Claim {
    Claim {
        first: first.to_owned(),
        last: first.to_owned(),
        kind: "BDSS".to_owned(),
        region: "R1".to_owned(),
        contract_id: "C1".to_owned(),
        ..claim(sequence, 1, cents)
    }
}

#[tokio::test]
async fn report_has_the_insurer_s_own_part_of_a_year_and_its_claims_are_listed() {
    let served = served(SettlementConfig::default()).await;
    let credit = Claim {
        reverses_claim_id: "1.1.1".to_owned(),
        ..begun(3, -10_001, "2024-07-01")
    };
    let claims = [
        begun(1, 10_001, "2024-07-01"),
        begun(2, 500, "2025-01-01"),
        credit,
        begun(4, 1_000, "2024-12-31"),
    ];
    for claim in claims {
        let told = states(&served.client, vec![claim]).await;
        assert_eq!(told[0].0, ClaimState::Recorded, "{told:?}");
    }
    let mut api = Api::connect(served.endpoint.clone()).await.unwrap();
    let asked = api.get_monitoring_report(of("7095", "2024-01-01", "2024-12-31"));
    let report = asked.await.unwrap().into_inner();
    let told: Vec<String> = (report.tables.iter())
        .flat_map(|table| {
            let rows = table.rows.iter();
            rows.map(move |row| format!("{} {} {:?}", table.id, row.key, row.values))
        })
        .collect();
    assert_eq!(
        told,
        [
            // Contracts, charges, charged, credited, beside declarations, net: 40 % of each, in two sectors.
            "sectors HA [1, 3, 2200, -2000, 0, 200]",
            "sectors WV [1, 3, 2200, -2000, 0, 200]",
            "insurers 7095 [1, 6, 4400, -4000, 0, 400]",
            "kinds BDSS [1, 6, 4400, -4000, 400]",
            "regions R1 [1, 6, 4400, -4000, 400]",
            "months 2024-07 [4, 4000, -4000, 0]",
            "months 2024-12 [2, 400, 0, 400]",
        ]
    );
    let listed = wire::ListClaimsRequest {
        insurer_uzovi: "7095".to_owned(),
        begins_first: "2024-01-01".to_owned(),
        begins_last: "2024-12-31".to_owned(),
        ..wire::ListClaimsRequest::default()
    };
    let listed = api.list_claims(listed).await.unwrap().into_inner().claims;
    let ids: Vec<&str> = listed.iter().map(|it| it.claim_id.as_str()).collect();
    assert_eq!(ids, ["1.1.1", "3.1.1", "4.1.1"]);
    assert_eq!(listed.iter().map(|it| it.cents).sum::<i64>(), 400);
    drop(api);
    served.stop().await;
}

#[tokio::test]
async fn report_over_more_than_a_year_or_of_nobody_is_refused() {
    let served = served(SettlementConfig::default()).await;
    let mut api = Api::connect(served.endpoint.clone()).await.unwrap();
    for (request, reason) in [
        (of("7095", "2024-01-01", "2025-01-01"), "DAY_INVALID"),
        (of("7095", "2024-12-31", "2024-01-01"), "DAY_INVALID"),
        (of("7095", "", ""), "DAY_INVALID"),
        (of("70", "2024-01-01", "2024-12-31"), "INSURER_INVALID"),
    ] {
        let refused = api
            .get_monitoring_report(request.clone())
            .await
            .unwrap_err();
        let info = refused.get_details_error_info().unwrap();
        assert_eq!(info.reason, reason, "{request:?}");
    }
    let whole = api.get_monitoring_report(of("7095", "2024-01-01", "2024-12-31"));
    assert_eq!(whole.await.unwrap().into_inner().tables, []);
    drop(api);
    served.stop().await;
}
