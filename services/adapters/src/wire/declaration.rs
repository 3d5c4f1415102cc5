//! From the generated declaration to the domain's: one reading for JSON and protobuf.

use samenloop_domain::{
    cents::{BasisPoints, Cents},
    declaration::{
        Control, Declaration, Direction, Insured, InsuredIdentity, LINES_MAX, Line, Meeting,
        MessageKind, Participant, PrestatieKey, Share,
    },
    period::{Day, Span},
    tarief::Tarief,
};
use samenloop_proto::declaration::v1 as wire;
use uuid::Uuid;

use super::Malformed;
use crate::pseudonym::PseudonymKeys;

/// Says who the insured of the line with this index is.
type Identify<'a> = &'a mut dyn FnMut(usize, &wire::Insured) -> InsuredIdentity;

/// Reads a generated declaration; BSNs become pseudonyms.
///
/// # Errors
/// [`Malformed`] with every fault and its path.
pub fn read(message: &wire::Declaration, keys: &PseudonymKeys) -> Result<Declaration, Malformed> {
    let message_id = message
        .message_id
        .as_deref()
        .and_then(|id| Uuid::try_parse(id).ok());
    read_with(message, &mut |_, insured| {
        keys.identity(insured.bsn.as_deref().unwrap_or_default())
    })
    .map_err(|faults| Malformed::new(message_id, faults))
}

/// Reads a generated declaration; `identify` says who the insured of a line is.
pub(super) fn read_with(
    message: &wire::Declaration,
    identify: Identify<'_>,
) -> Result<Declaration, Vec<wire::Fault>> {
    let mut reader = Reader { faults: Vec::new() };
    match read_header(&mut reader, message, identify) {
        Some(declaration) if reader.faults.is_empty() => Ok(declaration),
        _ => Err(reader.faults),
    }
}

/// The day that `YYYY-MM-DD` writes.
#[must_use]
pub fn parse_day(text: &str) -> Option<Day> {
    (text.len() == 10).then(|| text.parse().ok()).flatten()
}

/// Collects faults while a message is read; reading goes on with what there is.
struct Reader {
    faults: Vec<wire::Fault>,
}

impl Reader {
    fn fault(&mut self, path: &str, problem: &str) {
        self.faults.push(wire::Fault {
            path: path.to_owned(),
            problem: problem.to_owned(),
        });
    }

    fn need<T>(&mut self, value: Option<T>, path: &str) -> Option<T> {
        if value.is_none() {
            self.fault(path, "is missing");
        }
        value
    }

    fn read<T, U>(
        &mut self,
        value: Option<T>,
        path: &str,
        wanted: &str,
        parse: impl FnOnce(T) -> Option<U>,
    ) -> Option<U> {
        let parsed = parse(self.need(value, path)?);
        if parsed.is_none() {
            self.fault(path, wanted);
        }
        parsed
    }

    /// U+0000 is refused: PostgreSQL keeps no text with it, so such a line could not be recorded.
    fn text(&mut self, value: Option<&str>, path: &str, max: usize) -> Option<String> {
        let wanted = format!("must have 1 to {max} characters, none of them U+0000");
        let keepable = |text: &&str| !text.contains('\0') && text.chars().count() <= max;
        self.read(value, path, &wanted, |text| {
            let kept = Some(text).filter(|text| !text.is_empty());
            kept.filter(keepable).map(str::to_owned)
        })
    }

    fn optional(&mut self, value: &Option<String>, path: &str, max: usize) -> Option<String> {
        value
            .as_deref()
            .and_then(|text| self.text(Some(text), path, max))
    }

    fn day(&mut self, value: Option<&str>, path: &str) -> Option<Day> {
        self.read(value, path, "must be a day, YYYY-MM-DD", parse_day)
    }

    fn span(&mut self, value: Option<&wire::Span>, path: &str) -> Option<Span> {
        let span = self.need(value, path)?;
        let first = self.day(span.first.as_deref(), &format!("{path}/first"));
        let last = self.day(span.last.as_deref(), &format!("{path}/last"));
        Some(Span {
            first: first?,
            last: last?,
        })
    }

    fn cents(&mut self, value: Option<i64>, path: &str) -> Option<Cents> {
        self.read(value, path, "must be 0 to 10000000000000 cents", |cents| {
            Cents::new(cents).filter(|cents| *cents >= Cents::ZERO)
        })
    }

    fn share(&mut self, key: (&str, Option<&str>), part: Option<u32>, path: &str) -> Option<Share> {
        let (name, key) = key;
        let key = self.text(key, &format!("{path}/{name}"), 20);
        let wanted = "must be 0 to 10000 basis points";
        let part = self.read(
            part,
            &format!("{path}/basis_points"),
            wanted,
            BasisPoints::new,
        );
        Some(Share {
            key: key?.into(),
            basis_points: part?,
        })
    }
}

fn read_header(
    reader: &mut Reader,
    message: &wire::Declaration,
    identify: Identify<'_>,
) -> Option<Declaration> {
    let id = message.message_id.as_deref();
    let message_id = reader.read(id, "/message_id", "must be a UUID", |id| {
        Uuid::try_parse(id).ok()
    });
    let schema_version = reader.text(message.schema_version.as_deref(), "/schema_version", 10);
    let kind = reader.read(
        message.kind,
        "/kind",
        "must be production or test",
        read_kind,
    );
    let sender = reader.text(message.sender_agb.as_deref(), "/sender_agb", 20);
    let declarant = reader.text(message.declarant_agb.as_deref(), "/declarant_agb", 20);
    let declarant_kind = reader.text(message.declarant_kind.as_deref(), "/declarant_kind", 2);
    let pay_to = reader.text(message.pay_to.as_deref(), "/pay_to", 2);
    let insurer = reader.text(message.insurer_uzovi.as_deref(), "/insurer_uzovi", 20);
    let invoice_number = reader.text(message.invoice_number.as_deref(), "/invoice_number", 35);
    let invoice_part = reader.need(message.invoice_part, "/invoice_part");
    let invoice_parts = reader.need(message.invoice_parts, "/invoice_parts");
    let invoice_date = reader.day(message.invoice_date.as_deref(), "/invoice_date");
    let sent_on = reader.day(message.sent_on.as_deref(), "/sent_on");
    let period = reader.span(message.declaration_period.as_ref(), "/declaration_period");
    let currency = reader.text(message.currency.as_deref(), "/currency", 3);
    let control = read_control(reader, message.control.as_ref());
    let lines = read_lines(reader, &message.lines, identify);
    Some(Declaration {
        message_id: message_id?,
        schema_version: schema_version?,
        kind: kind?,
        sender_agb: sender?.as_str().into(),
        declarant_agb: declarant?.as_str().into(),
        declarant_kind: declarant_kind?,
        pay_to: pay_to?,
        insurer_uzovi: insurer?.as_str().into(),
        invoice_number: invoice_number?.as_str().into(),
        invoice_part: invoice_part?,
        invoice_parts: invoice_parts?,
        invoice_date: invoice_date?,
        sent_on: sent_on?,
        declaration_period: period?,
        currency: currency?,
        control: control?,
        lines,
    })
}

fn read_kind(kind: i32) -> Option<MessageKind> {
    match wire::Kind::try_from(kind).ok()? {
        wire::Kind::Production => Some(MessageKind::Production),
        wire::Kind::Test => Some(MessageKind::Test),
        wire::Kind::Unspecified => None,
    }
}

fn read_control(reader: &mut Reader, control: Option<&wire::Control>) -> Option<Control> {
    let control = reader.need(control, "/control")?;
    let line_count = reader.need(control.line_count, "/control/line_count");
    let debit = reader.cents(control.debit_cents, "/control/debit_cents");
    let credit = reader.cents(control.credit_cents, "/control/credit_cents");
    Some(Control {
        line_count: line_count?,
        debit: debit?,
        credit: credit?,
    })
}

fn read_lines(reader: &mut Reader, lines: &[wire::Line], identify: Identify<'_>) -> Vec<Line> {
    if lines.is_empty() || lines.len() > LINES_MAX {
        let count = lines.len();
        reader.fault(
            "/lines",
            &format!("has {count} lines; send 1 to {LINES_MAX}, and more as parts of the invoice"),
        );
        return Vec::new();
    }
    let mut read = Vec::with_capacity(lines.len());
    for (index, line) in lines.iter().enumerate() {
        read.extend(read_line(reader, line, index, identify));
    }
    read
}

fn read_line(
    reader: &mut Reader,
    line: &wire::Line,
    index: usize,
    identify: Identify<'_>,
) -> Option<Line> {
    let at = |name: &str| format!("/lines/{index}/{name}");
    let line_number = reader.need(line.line_number, &at("line_number"));
    let reference = reader.text(line.line_reference.as_deref(), &at("line_reference"), 36);
    let original = reader.optional(&line.original_reference, &at("original_reference"), 36);
    let wanted = "must be debit or credit";
    let direction = reader.read(line.direction, &at("direction"), wanted, read_direction);
    let prestatie = read_prestatie(reader, line.prestatie.as_ref(), &at("prestatie"));
    let contract_id = reader.optional(&line.contract_id, &at("contract_id"), 36);
    let period = reader.span(line.period.as_ref(), &at("period"));
    let quantity = reader.need(line.quantity, &at("quantity"));
    let time_unit = reader.text(line.time_unit.as_deref(), &at("time_unit"), 2);
    let wanted = "must be euro as digits with at most 4 decimals";
    let tarief = reader.read(line.tarief.as_deref(), &at("tarief"), wanted, Tarief::parse);
    let computed = reader.cents(line.computed_cents, &at("computed_cents"));
    let declared = reader.cents(line.declared_cents, &at("declared_cents"));
    let group = reader.optional(&line.patient_group_id, &at("patient_group_id"), 36);
    let insured = read_insured(reader, line.insured.as_ref(), index, identify);
    let region = reader.optional(&line.region, &at("region"), 10);
    let participants = read_participants(reader, &line.participants, index);
    let activities = line
        .activities
        .iter()
        .enumerate()
        .filter_map(|(i, activity)| {
            reader.text(
                Some(activity),
                &format!("/lines/{index}/activities/{i}"),
                10,
            )
        });
    let activities = activities
        .map(|activity| activity.as_str().into())
        .collect();
    let meeting = line.meeting.and_then(|value| {
        let wanted = "must be group, individual or hybrid";
        reader.read(Some(value), &at("meeting"), wanted, read_meeting)
    });
    let domains = line
        .domain_shares
        .iter()
        .enumerate()
        .filter_map(|(i, share)| {
            let path = format!("/lines/{index}/domain_shares/{i}");
            reader.share(
                ("domain", share.domain.as_deref()),
                share.basis_points,
                &path,
            )
        });
    let domain_shares = domains.collect();
    let sectors = line
        .sector_shares
        .iter()
        .enumerate()
        .filter_map(|(i, share)| {
            let path = format!("/lines/{index}/sector_shares/{i}");
            reader.share(
                ("sector", share.sector.as_deref()),
                share.basis_points,
                &path,
            )
        });
    let sector_shares = sectors.collect();
    let on_behalf_of = reader.optional(&line.on_behalf_of_agb, &at("on_behalf_of_agb"), 20);
    Some(Line {
        line_number: line_number?,
        line_reference: reference?.as_str().into(),
        original_reference: original.as_deref().map(Into::into),
        direction: direction?,
        prestatie: prestatie?,
        contract_id: contract_id.as_deref().map(Into::into),
        period: period?,
        quantity: quantity?,
        time_unit: time_unit?,
        tarief: tarief?,
        computed: computed?,
        declared: declared?,
        patient_group_id: group.as_deref().map(Into::into),
        insured,
        region: region.as_deref().map(Into::into),
        participants,
        activities,
        meeting,
        domain_shares,
        sector_shares,
        on_behalf_of: on_behalf_of.as_deref().map(Into::into),
    })
}

fn read_direction(value: i32) -> Option<Direction> {
    match wire::Direction::try_from(value).ok()? {
        wire::Direction::Debit => Some(Direction::Debit),
        wire::Direction::Credit => Some(Direction::Credit),
        wire::Direction::Unspecified => None,
    }
}

pub(crate) fn read_meeting(value: i32) -> Option<Meeting> {
    match wire::Meeting::try_from(value).ok()? {
        wire::Meeting::Group => Some(Meeting::Group),
        wire::Meeting::Individual => Some(Meeting::Individual),
        wire::Meeting::Hybrid => Some(Meeting::Hybrid),
        wire::Meeting::Unspecified => None,
    }
}

fn read_prestatie(
    reader: &mut Reader,
    prestatie: Option<&wire::Prestatie>,
    path: &str,
) -> Option<PrestatieKey> {
    let prestatie = reader.need(prestatie, path)?;
    let list = reader.text(prestatie.list.as_deref(), &format!("{path}/list"), 3);
    let code = reader.text(prestatie.code.as_deref(), &format!("{path}/code"), 6);
    Some(PrestatieKey::new(&list?, &code?))
}

fn read_insured(
    reader: &mut Reader,
    insured: Option<&wire::Insured>,
    index: usize,
    identify: Identify<'_>,
) -> Option<Insured> {
    let insured = insured?;
    let since = insured.in_care_since.as_deref();
    let path = format!("/lines/{index}/insured/in_care_since");
    Some(Insured {
        identity: identify(index, insured),
        in_care_since: since.and_then(|day| reader.day(Some(day), &path)),
    })
}

fn read_participants(
    reader: &mut Reader,
    participants: &[wire::Participant],
    line: usize,
) -> Vec<Participant> {
    let mut read = Vec::with_capacity(participants.len());
    for (index, participant) in participants.iter().enumerate() {
        let path = format!("/lines/{line}/participants/{index}");
        match (&participant.agb, &participant.name, &participant.kind) {
            (Some(agb), None, None) => {
                let agb = reader.text(Some(agb), &format!("{path}/agb"), 20);
                read.extend(agb.map(|agb| Participant::Provider(agb.as_str().into())));
            }
            (None, Some(name), Some(kind)) => {
                let name = reader.text(Some(name), &format!("{path}/name"), 100);
                let kind = reader.text(Some(kind), &format!("{path}/kind"), 40);
                let third = name.zip(kind);
                read.extend(third.map(|(name, kind)| Participant::ThirdParty { name, kind }));
            }
            _ => reader.fault(&path, "must have an agb, or a name and a kind"),
        }
    }
    read
}
