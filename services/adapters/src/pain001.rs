//! Payment orders for a bank: ISO 20022 pain.001.001.09, one batch of SEPA credit transfers.
//!
//! Only writes; the amounts and references are those of the ledger. The bank of either side follows from its IBAN, so
//! none is named. Source: EPC132-08, SEPA Credit Transfer, customer-to-PSP implementation guidelines.

use std::io;

use iban::{Iban, IbanLike as _};
use jiff::{Timestamp, civil::Date};
use quick_xml::{
    Writer,
    events::{BytesDecl, BytesText, Event},
};
use samenloop_domain::cents::Cents;

/// Largest amount of one transfer: 999,999,999.99 euro (EPC132-08, AT-T002).
pub const TRANSFER_CENTS_MAX: i64 = 99_999_999_999;

/// Characters of a name or a remittance text.
const NAME_LENGTH_MAX: usize = 70;

const NAMESPACE: &str = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09";

/// An account at a bank.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Account {
    name: String,
    iban: Iban,
}

impl Account {
    /// The account, if `iban` is one and `name` is 1 to 70 characters of those that every bank takes.
    #[must_use]
    pub fn new(name: &str, iban: &str) -> Option<Self> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || " /-?:().,'+".contains(c);
        let fits = (1..=NAME_LENGTH_MAX).contains(&name.len()) && name.chars().all(allowed);
        // No slash at either end, and none doubled: it has a meaning of its own between banks.
        let sound = fits && !name.starts_with('/') && !name.ends_with('/') && !name.contains("//");
        let iban = iban
            .parse()
            .ok()
            .filter(|_| sound && !name.trim().is_empty())?;
        let name = name.to_owned();
        Some(Self { name, iban })
    }
}

/// What is to be paid.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Order {
    /// Unique for the debtor, at most 35 characters.
    pub message_id: String,
    /// When the order was made.
    pub created_at: Timestamp,
    /// When the bank is to execute it.
    pub execute_on: Date,
    /// Who pays.
    pub debtor: Account,
    /// What, to whom.
    pub transfers: Vec<Transfer>,
}

/// One payment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Transfer {
    /// Comes back with the statement of the bank; at most 35 characters.
    pub reference: String,
    /// More than nothing, and at most [`TRANSFER_CENTS_MAX`].
    pub cents: Cents,
    /// Who is paid.
    pub creditor: Account,
}

/// The order as a file.
#[must_use]
pub fn write(order: &Order) -> Vec<u8> {
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    write_document(&mut writer, order).expect("a file in memory takes everything");
    let mut file = writer.into_inner();
    file.push(b'\n');
    file
}

type Xml = Writer<Vec<u8>>;

fn write_document(xml: &mut Xml, order: &Order) -> io::Result<()> {
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let document = xml
        .create_element("Document")
        .with_attribute(("xmlns", NAMESPACE));
    document.write_inner_content(|xml| {
        nested(xml, "CstmrCdtTrfInitn", |xml| {
            nested(xml, "GrpHdr", |xml| write_header(xml, order))?;
            nested(xml, "PmtInf", |xml| write_batch(xml, order))
        })
    })?;
    Ok(())
}

fn write_header(xml: &mut Xml, order: &Order) -> io::Result<()> {
    text(xml, "MsgId", &order.message_id)?;
    let created_at = order.created_at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    text(xml, "CreDtTm", &created_at)?;
    write_totals(xml, order)?;
    nested(xml, "InitgPty", |xml| text(xml, "Nm", &order.debtor.name))
}

fn write_batch(xml: &mut Xml, order: &Order) -> io::Result<()> {
    text(xml, "PmtInfId", &order.message_id)?;
    text(xml, "PmtMtd", "TRF")?;
    write_totals(xml, order)?;
    nested(xml, "PmtTpInf", |xml| {
        nested(xml, "SvcLvl", |xml| text(xml, "Cd", "SEPA"))
    })?;
    nested(xml, "ReqdExctnDt", |xml| {
        text(xml, "Dt", &order.execute_on.to_string())
    })?;
    nested(xml, "Dbtr", |xml| text(xml, "Nm", &order.debtor.name))?;
    nested(xml, "DbtrAcct", |xml| write_iban(xml, &order.debtor))?;
    nested(xml, "DbtrAgt", |xml| {
        nested(xml, "FinInstnId", |xml| {
            nested(xml, "Othr", |xml| text(xml, "Id", "NOTPROVIDED"))
        })
    })?;
    text(xml, "ChrgBr", "SLEV")?;
    for transfer in &order.transfers {
        nested(xml, "CdtTrfTxInf", |xml| write_transfer(xml, transfer))?;
    }
    Ok(())
}

fn write_totals(xml: &mut Xml, order: &Order) -> io::Result<()> {
    text(xml, "NbOfTxs", &order.transfers.len().to_string())?;
    let sum: i64 = order
        .transfers
        .iter()
        .map(|transfer| transfer.cents.get())
        .sum();
    text(xml, "CtrlSum", &euro(sum))
}

fn write_transfer(xml: &mut Xml, transfer: &Transfer) -> io::Result<()> {
    nested(xml, "PmtId", |xml| {
        text(xml, "EndToEndId", &transfer.reference)
    })?;
    nested(xml, "Amt", |xml| {
        let amount = xml
            .create_element("InstdAmt")
            .with_attribute(("Ccy", "EUR"));
        amount.write_text_content(BytesText::new(&euro(transfer.cents.get())))?;
        Ok(())
    })?;
    nested(xml, "Cdtr", |xml| text(xml, "Nm", &transfer.creditor.name))?;
    nested(xml, "CdtrAcct", |xml| write_iban(xml, &transfer.creditor))?;
    nested(xml, "RmtInf", |xml| text(xml, "Ustrd", &transfer.reference))
}

fn write_iban(xml: &mut Xml, account: &Account) -> io::Result<()> {
    nested(xml, "Id", |xml| {
        text(xml, "IBAN", account.iban.electronic_str())
    })
}

fn nested(
    xml: &mut Xml,
    name: &str,
    inner: impl FnOnce(&mut Xml) -> io::Result<()>,
) -> io::Result<()> {
    xml.create_element(name).write_inner_content(inner)?;
    Ok(())
}

fn text(xml: &mut Xml, name: &str, text: &str) -> io::Result<()> {
    xml.create_element(name)
        .write_text_content(BytesText::new(text))?;
    Ok(())
}

/// An amount that is not negative, as banks write it.
fn euro(cents: i64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Source of the IBANs: the examples of the SWIFT IBAN registry.
    #[test]
    fn account_has_an_iban_and_a_name_that_banks_take() {
        let iban = "NL91ABNA0417164300";
        for (name, iban, is_sound) in [
            ("Zorggroep Noord", iban, true),
            ("Zorggroep Noord", "NL91 ABNA 0417 1643 00", true),
            ("Zorggroep Noord", "NL91ABNA0417164301", false),
            ("Zorggroep Noord", "", false),
            ("", iban, false),
            (" ", iban, false),
            ("Zorg & Co", iban, false),
            ("Praktijk Dé", iban, false),
            ("a//b", iban, false),
            ("/a", iban, false),
            (&"x".repeat(70), iban, true),
            (&"x".repeat(71), iban, false),
        ] {
            assert_eq!(
                Account::new(name, iban).is_some(),
                is_sound,
                "{name} {iban}"
            );
        }
    }

    #[test]
    fn amounts_are_written_in_euro_and_totals_are_those_of_the_transfers() {
        let account = |name: &str| Account::new(name, "NL91ABNA0417164300").unwrap();
        let transfer = |cents: i64| Transfer {
            reference: format!("7095-1-{cents:08}"),
            cents: Cents::new(cents).unwrap(),
            creditor: account("Zorggroep"),
        };
        let order = Order {
            message_id: "7095-2".to_owned(),
            created_at: Timestamp::UNIX_EPOCH,
            execute_on: Date::constant(2024, 10, 30),
            debtor: account("Verzekeraar"),
            transfers: vec![transfer(5), transfer(TRANSFER_CENTS_MAX)],
        };
        let file = String::from_utf8(write(&order)).unwrap();
        for piece in [
            "<NbOfTxs>2</NbOfTxs>",
            "<CtrlSum>1000000000.04</CtrlSum>",
            "<InstdAmt Ccy=\"EUR\">0.05</InstdAmt>",
            "<InstdAmt Ccy=\"EUR\">999999999.99</InstdAmt>",
            "<CreDtTm>1970-01-01T00:00:00Z</CreDtTm>",
            "<IBAN>NL91ABNA0417164300</IBAN>",
        ] {
            assert!(file.contains(piece), "{piece} in {file}");
        }
    }
}
