use std::path::Path;

use super::*;

fn reference() -> Reference {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/sample");
    crate::reference::load(&sample.join("reference"))
        .unwrap()
        .reference
}

/// What becomes of one row, with `column` changed to `text`.
fn row(column: &str, text: &str) -> Result<ExistingRow, RowFault> {
    let good = [
        ("line_reference", "OUD-1"),
        ("prestatie_list", "990"),
        ("prestatie_code", "OENI1"),
        ("declarant_agb", "01056789"),
        ("insurer_uzovi", "7095"),
        ("first", "2024-07-01"),
        ("last", "2024-09-30"),
        ("patient_group_id", "G1"),
        ("participants", "53530001 91910001"),
        ("activities", "A10 A11"),
        ("awarded_cents", "450000"),
    ];
    let cell = |name: &str| {
        let found = good.iter().find(|(column, _)| *column == name);
        if name == column {
            text
        } else {
            found.map_or("", |(_, text)| text)
        }
    };
    let cells = COLUMNS.map(cell);
    let file = format!("{}\n{}\n", COLUMNS.join(","), cells.join(","));
    let pseudonyms = |_: &Bsn| {
        vec![Pseudonym {
            key_id: "k".into(),
            value: [1; 32],
        }]
    };
    let reference = reference();
    let mut rows = read(file.as_bytes(), &reference, &pseudonyms);
    rows.next().expect("there is a row")
}

#[test]
fn a_row_has_the_facts_by_which_a_line_meets_it() {
    let ExistingRow {
        row: number,
        coverage,
        awarded,
    } = row("meeting", "hybrid").unwrap();
    assert_eq!((number, awarded), (1, Cents::new(450_000).unwrap()));
    assert_eq!(coverage.agbs.len(), 3);
    assert_eq!(coverage.region, Some(RegionCode::new("R1")));
    assert_eq!(coverage.meeting, Some(Meeting::Hybrid));
    let of_contract = row("contract_id", "C3").unwrap().coverage;
    assert!(of_contract.each_insurer);
}

#[test]
fn a_bad_cell_is_reported_with_its_row_and_reason() {
    for (column, text, reason) in [
        ("line_reference", "", "line_reference is empty"),
        (
            "prestatie_code",
            "OENI9",
            "prestatie OENI9 of list 990 is unknown",
        ),
        (
            "declarant_agb",
            "00123456",
            "declarant_agb `00123456` is not an AGB code",
        ),
        ("insurer_uzovi", "1234", "insurer 1234 is unknown"),
        ("contract_id", "C99", "contract C99 is unknown"),
        (
            "first",
            "01-07-2024",
            "first `01-07-2024` is not a day such as 2024-07-01",
        ),
        (
            "last",
            "2024-06-30",
            "first 2024-07-01 is after last 2024-06-30",
        ),
        ("patient_group_id", "G7", "group G7 is unknown"),
        ("bsn", "123456789", "bsn is not a BSN"),
        (
            "participants",
            "5353",
            "participant `5353` is not an AGB code",
        ),
        ("activities", "A99", "activity A99 is unknown"),
        (
            "meeting",
            "groep",
            "meeting `groep` is not group, individual or hybrid",
        ),
        (
            "awarded_cents",
            "12.50",
            "awarded_cents `12.50` is not an amount of 0 to 10^13",
        ),
        (
            "awarded_cents",
            "1,2",
            "the row has 17 cells, the header has 16",
        ),
    ] {
        let fault = row(column, text).unwrap_err();
        assert_eq!((fault.row, fault.reason.as_str()), (1, reason));
    }
}

#[test]
fn good_rows_around_a_bad_one_are_read() {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/sample");
    let text = std::fs::read_to_string(sample.join("existing.csv")).unwrap();
    let text = text.replacen("01056789", "0105678", 1);
    let reference = reference();
    let rows: Vec<_> = read(text.as_bytes(), &reference, &|_| Vec::new()).collect();
    assert_eq!(rows[0].as_ref().unwrap_err().row, 1);
    assert_eq!(rows[1..].iter().filter(|row| row.is_ok()).count(), 3);
}

#[test]
fn a_wrong_header_is_the_only_fault() {
    let reference = reference();
    let rows: Vec<_> = read("a,b\n1,2\n".as_bytes(), &reference, &|_| Vec::new()).collect();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].as_ref().unwrap_err().row, 0);
}

/// Spans of a file of `count` rows of which every hundredth is bad.
fn chunks(count: u64) -> Vec<RowChunk> {
    let rows = (1..=count).map(|row| {
        if row.is_multiple_of(100) {
            let reason = "bad".to_owned();
            return Err(RowFault { row, reason });
        }
        let ExistingRow {
            coverage, awarded, ..
        } = SAMPLE_ROW.clone();
        Ok(ExistingRow {
            row,
            coverage,
            awarded,
        })
    });
    let mut rows = rows;
    std::iter::from_fn(|| next_chunk(&mut rows)).collect()
}

static SAMPLE_ROW: std::sync::LazyLock<ExistingRow> =
    std::sync::LazyLock::new(|| row("meeting", "").expect("a good row"));

#[test]
fn a_file_is_cut_by_its_rows_whether_they_are_good_or_bad() {
    let ranges: Vec<(u64, u64, usize, usize)> = (chunks(2 * CHUNK_ROWS + 1).iter())
        .map(|it| (it.first_row, it.last_row, it.rows.len(), it.faults.len()))
        .collect();
    let n = CHUNK_ROWS;
    assert_eq!(
        ranges,
        [
            (1, n, 9_900, 100),
            (n + 1, 2 * n, 9_900, 100),
            (2 * n + 1, 2 * n + 1, 1, 0)
        ]
    );
    assert_eq!(chunks(0), []);
}

#[test]
fn bad_rows_are_written_with_number_and_reason() {
    let mut written = Vec::new();
    let mut rejects = Rejects::new(&mut written).unwrap();
    for fault in &chunks(200)[0].faults {
        rejects.write(fault).unwrap();
    }
    rejects.finish().unwrap();
    assert_eq!(
        String::from_utf8(written).unwrap(),
        "row,reason\n100,bad\n200,bad\n"
    );
}

#[test]
fn a_row_without_end_or_with_an_open_quote_spoils_itself_alone() {
    let header = COLUMNS.join(",");
    let good = |reference: &str| {
        format!("{reference},990,OENI1,01056789,7095,,2024-07-01,2024-09-30,,,,,,,,4500\n")
    };
    let long = good(&"x".repeat(3 * ROW_BYTES_MAX));
    let file = [
        format!("{header}\r\n"),
        good("A"),
        long,
        good("\"B"),
        "\n".to_owned(),
        good("\"C, \"\"D\"\"\""),
        good("x\"y,\"z"),
        good("E").trim_end().to_owned(),
    ];
    let reference = reference();
    let pseudonyms = |_: &Bsn| Vec::new();
    let file = file.concat();
    let rows = read(file.as_bytes(), &reference, &pseudonyms);
    let read: Vec<Result<String, (u64, String)>> = rows
        .map(|row| match row {
            Ok(row) => Ok(row.coverage.line_reference.to_string()),
            Err(fault) => Err((fault.row, fault.reason)),
        })
        .collect();
    let long = format!("the row is longer than {ROW_BYTES_MAX} bytes; a row is one line");
    let open = "a quote is not closed in its line; double a quote within a cell";
    let good = |reference: &str| Ok(reference.to_owned());
    let expected = [
        good("A"),
        Err((2, long)),
        Err((3, open.to_owned())),
        good("C, \"D\""),
        Err((5, open.to_owned())),
        good("E"),
    ];
    assert_eq!(read, expected);
}
