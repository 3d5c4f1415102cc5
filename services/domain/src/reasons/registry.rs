//! The table of reason codes, in the order of report.

use super::{Fact, Level, ReasonEntry};
use crate::reference::Basis;

/// Writes an entry as its code, level, basis, the facts that its rules need, Dutch text, English text, source and
/// remedy.
macro_rules! reasons {
    ($(
        $code:literal $level:ident $basis:ident [$($fact:ident),*]
        $dutch:literal $english:literal $source:literal $remedy:literal
    )+) => {
        &[$(ReasonEntry {
            code: $code,
            level: Level::$level,
            basis: Basis::$basis,
            facts: &[$(Fact::$fact),*],
            dutch: $dutch,
            english: $english,
            source: $source,
            remedy: $remedy,
        }),+]
    };
}

/// All codes, in the order of report.
pub const REASONS: &[ReasonEntry] = reasons! {
    // Reading, version, environment.
    "0001" Delivery Standard []
        "Bericht is om technische redenen afgewezen."
        "The message is refused for technical reasons."
        "Vektis COD954-VEKT"
        "Correct the faults that are listed with their paths, and send it under a new message id."
    "8067" Delivery Standard []
        "Declaratie is al eerder ingediend: het berichtnummer is met andere inhoud geregistreerd."
        "The message id was registered before, with other content."
        "Vektis COD954-VEKT; RFC 9562"
        "Send the new content under a new message id."
    "0011" Message Standard []
        "Versienummer berichtstandaard ontbreekt of is onjuist."
        "The version of the message is not supported."
        "Vektis COD954-VEKT"
        "Send schema_version 1.0."
    "8028" Message Standard []
        "Soort bericht ontbreekt of is onjuist voor deze omgeving."
        "Test message on production, or production message on a test environment."
        "Vektis COD954-VEKT; COD856-VEKT"
        "Send production messages to production and test messages to the test environment."
    // Uniqueness.
    "0030" Message Standard [History]
        "Factuurnummer ontbreekt, is onjuist of is al gebruikt."
        "The invoice number or part is malformed, or was used before by this payee."
        "Vektis COD954-VEKT; AW319 v1.4, field 0116"
        "Use a number of the SEPA set that this payee did not use for five years."
    "8021" Line Standard [History]
        "Referentienummer ontbreekt of is niet uniek."
        "The line reference was used before by this declarant."
        "Vektis COD954-VEKT; AW319 v1.4, field 0431"
        "Use a reference that this declarant did not use for five years."
    // Header: roles, receiver, payee, periods, dates, currency.
    "0017" Message Standard []
        "Code zorgaanbieder ontbreekt, is onbekend of is onjuist."
        "The AGB code of sender or declarant is malformed, unknown, or not registered on every day."
        "Vektis COD954-VEKT; AGB register"
        "Check the code and its dates in the AGB register."
    "8023" Message Standard [Declarant]
        "Geen relatie tussen de aanleverende partij en de zorgaanbieder."
        "The party that sent the message may not send or declare for this AGB code."
        "Vektis COD954-VEKT"
        "Have the mandate of the declarant registered, or send as the declarant itself."
    "0018" Message Standard []
        "UZOVI-nummer ontbreekt of is onjuist."
        "The UZOVI number is malformed or not in use."
        "Vektis COD954-VEKT; UZOVI register"
        "Check the insurer's number in the UZOVI register."
    "8029" Message Standard [Declarant]
        "Identificatiecode betaling aan ontbreekt of is onjuist."
        "The payee code is wrong, or points at a service bureau that the sender is not."
        "Vektis COD954-VEKT; COD833-VEKT"
        "Send 01 as a service bureau, else 02, 03 or 04."
    "0020" Message Standard []
        "Begindatum declaratieperiode ontbreekt of is onjuist."
        "The declaration period begins after the day of sending or receipt."
        "Vektis COD954-VEKT; AW319 v1.4, field 0114"
        "Send the declaration after its period has begun."
    "0021" Message Standard []
        "Einddatum declaratieperiode ontbreekt, is onjuist of ligt voor de begindatum."
        "The declaration period ends before it begins."
        "Vektis COD954-VEKT; AW319 v1.4, field 0115"
        "Correct the first or last day of the declaration period."
    "8003" Message Standard [History]
        "Declaratieperiode sluit niet aan of is niet zoals afgesproken."
        "An earlier part of this invoice did not arrive in time."
        "Vektis COD954-VEKT"
        "Send the parts of an invoice in order; send the missing part first."
    "0025" Message Standard []
        "Dagtekening factuur ontbreekt of is onjuist."
        "The invoice is dated before the end of the declaration period."
        "Vektis COD954-VEKT; AW319 v1.4, field 0117"
        "Date the invoice on or after the last day of the declaration period."
    "9265" Message Standard []
        "Factuurdatum ligt na de verzenddatum."
        "The invoice is dated after the day of sending or receipt."
        "Vektis COD954-VEKT; GDS801"
        "Date the invoice on or before the day of sending."
    "9267" Message Standard []
        "Einddatum declaratieperiode ligt na de verzenddatum."
        "The declaration period ends after the day of sending or receipt."
        "Vektis COD954-VEKT; GDS801"
        "Send the declaration after its period has ended."
    "0031" Message Standard []
        "Valutacode ontbreekt of is onjuist."
        "The currency is not euro."
        "Vektis COD954-VEKT; COD363-ISO"
        "Declare in EUR."
    // Totals and counts.
    "0150" Message Standard []
        "Totaalbedrag is onjuist."
        "The totals are not the sums of the declared amounts of debit and credit lines."
        "Vektis COD954-VEKT"
        "Correct the control totals, or send the lines that are missing."
    "0158" Message Standard []
        "Aantal prestatierecords is onjuist."
        "The line count is not the number of lines."
        "Vektis COD954-VEKT"
        "Correct the line count, or send the lines that are missing."
    "0801" Message Standard []
        "Identificatie detailrecord ontbreekt of is onjuist."
        "A line number is zero or stands in the message twice."
        "Vektis COD954-VEKT"
        "Number the lines of a message from 1, each once."
    "8002" Line Standard []
        "Niet beoordeeld, omdat een hoger of lager record is afgewezen."
        "Not judged, because the message as a whole is refused."
        "Vektis COD954-VEKT"
        "Correct what the message is refused for, and send the line again."
    // Line: direction, dates, amounts, quantity.
    "0631" Line Standard []
        "Indicatie debet/credit ontbreekt of is onjuist."
        "A debit names an original; only a credit does."
        "Vektis COD954-VEKT; COD043-VEKT"
        "Leave original_reference out, or send the line as a credit."
    "8007" Line Standard []
        "Begin- of einddatum prestatie ontbreekt of is onjuist."
        "The period of the line ends before it begins."
        "Vektis COD954-VEKT"
        "Correct the first or last day."
    "8176" Line Standard [Period]
        "Datum prestatie ligt na de factuurdatum."
        "The day of the prestatie is after the invoice date."
        "Vektis COD954-VEKT; GDS801"
        "Declare what was performed by the invoice date."
    "8177" Line Standard [Period]
        "Begindatum prestatie ligt na de factuurdatum."
        "The prestatie begins after the invoice date."
        "Vektis COD954-VEKT; GDS801"
        "Declare what was performed by the invoice date; an advance is no declaration."
    "8178" Line Standard [Period]
        "Einddatum prestatie ligt na de factuurdatum."
        "The prestatie ends after the invoice date."
        "Vektis COD954-VEKT; GDS801"
        "Declare when the period has ended; an advance is no declaration."
    "9278" Line Standard []
        "Tarief, berekend bedrag en declaratiebedrag zijn niet alle nul of alle positief."
        "Tarief, computed and declared amount must be all zero or all positive."
        "Vektis COD954-VEKT; GDS801"
        "Send zero in all three under a nil agreement, else in none."
    "8032" Line Standard []
        "Berekend bedrag ontbreekt of is onjuist."
        "The computed amount is not tarief x quantity, rounded half away from zero."
        "Vektis COD954-VEKT; AW319 v1.4, field 0426"
        "Compute the amount from tarief and quantity again."
    "8063" Line Standard []
        "Berekend bedrag mag niet lager zijn dan het declaratiebedrag."
        "More is declared than was computed."
        "Vektis COD954-VEKT"
        "Declare at most the computed amount."
    "0638" Line Standard [Prestatie]
        "Aantal ontbreekt of is onjuist."
        "The quantity is zero, or that of a lumpsum is not one."
        "Vektis COD954-VEKT; 004_edc514e4c29859bf.txt, article 3"
        "Send quantity 1 for a lumpsum, else the number of units."
    // Credits.
    "0651" Line Standard []
        "Referentienummer voorgaande gerelateerde prestatie ontbreekt of is onjuist."
        "A credit does not name the debit that it reverses."
        "Vektis COD954-VEKT; AW319 v1.4, field 0432"
        "Send the reference of the debit in original_reference."
    "8017" Line Standard [History]
        "Er is geen debetprestatie bekend voor deze creditprestatie."
        "No such debit is known, it was refused, or the credit does not repeat it whole."
        "Vektis COD954-VEKT"
        "Repeat reference, prestatie, contract, period, subject, quantity and amounts of the debit."
    "8084" Line Standard [History]
        "De debetprestatie is al gecrediteerd."
        "The debit was credited before."
        "Vektis COD954-VEKT"
        "Send nothing: the debit is reversed already."
    "8062" Line Standard []
        "Debet- en creditprestatie staan in hetzelfde bericht."
        "A debit and its own credit are in one message."
        "Vektis COD954-VEKT"
        "Leave both out, or send the credit in a later message."
    // Prestatie.
    "0581" Line Standard [Period]
        "Aanduiding prestatiecodelijst ontbreekt of is onjuist."
        "The list of prestatie codes is wrong."
        "Vektis COD954-VEKT; COD367-VEKT"
        "Use a list of COD367-VEKT."
    "9334" Line Standard [Period]
        "Prestatiecodelijst is onbekend."
        "The list of prestatie codes does not exist."
        "Vektis COD954-VEKT; COD367-VEKT"
        "Use a list of COD367-VEKT."
    "0582" Line Standard [Period]
        "Prestatiecode bestaat niet."
        "The list has no such prestatie."
        "Vektis COD954-VEKT"
        "Use a code of the catalogue."
    "9336" Line Standard [Period]
        "Prestatiecode of codelijst is nog niet geldig op de begindatum."
        "List or code is not in use yet on the begin date."
        "Vektis COD954-VEKT"
        "Use the code that is valid on the begin date."
    "9338" Line Standard [Period]
        "Prestatiecode of codelijst is niet meer geldig op de begindatum."
        "List or code is no longer in use on the begin date."
        "Vektis COD954-VEKT"
        "Use the code that is valid on the begin date."
    "9544" Line Standard [Period]
        "Codelijst 999 is alleen toegestaan naar een servicebureau."
        "This list may not be used towards an insurer."
        "Vektis COD954-VEKT; COD367-VEKT"
        "Use a list that is meant for insurers."
    "0698" Line Law [Period, Prestatie]
        "Niet declarabel volgens de NZa-declaratiebepalingen."
        "Not to be declared under the rules of the NZa."
        "Vektis COD954-VEKT; Wmg, article 35"
        "Check the description of the prestatie; what it does not cover is not declared under it."
    "GDC-EXP" Line Regulation [Period]
        "De periode valt buiten de looptijd van het experiment."
        "The period does not lie inside the window of the experiment."
        "004_edc514e4c29859bf.txt, articles 3 and 5"
        "Declare only periods inside the window; split a period that crosses its edge."
    // Provider.
    "0562" Line Standard [Period]
        "Zorgaanbieder is niet erkend of niet bevoegd voor deze prestatie."
        "A provider is malformed, not registered on every day, or of a kind that may not take part."
        "Vektis COD954-VEKT; AGB register"
        "Check the AGB codes of the line, their kind and their dates."
    "8010" Line Standard [Contract]
        "Niet toegestaan voor deze uitvoerder volgens het contract."
        "An activity is not part of the contract."
        "Vektis COD954-VEKT"
        "Leave the activity out, or declare it under the contract that has it."
    // Contract.
    "8022" Line Standard [Declarant, Insurer, Period]
        "Geen contract met de declarant in de gedeclareerde periode."
        "No contract of this declarant and insurer covers the whole period."
        "Vektis COD954-VEKT; 004_edc514e4c29859bf.txt, article 4, paragraph 2"
        "Name the contract that covers declarant, insurer and the whole period."
    "8060" Line Standard [Contract, Prestatie, Period]
        "Geen contract met de declarant voor deze prestatie in de gedeclareerde periode."
        "The contract does not cover this prestatie in this period."
        "Vektis COD954-VEKT"
        "Declare a prestatie of the contract, over a period for which one tarief was agreed."
    "GDC-SCHRIFT" Line Regulation [Declarant, Insurer, Period]
        "De overeenkomst is niet schriftelijk of niet door beide partijen getekend."
        "The agreement is not in writing, or not signed by both sides at the invoice date."
        "004_edc514e4c29859bf.txt, article 4 (2); 002_eb0531d2b212ba40.txt, draft article 4"
        "Have the agreement signed and registered before declaring."
    // Content.
    "0435" Line Standard []
        "Burgerservicenummer ontbreekt of is onjuist."
        "An insured person is needed, or the BSN given is none."
        "Vektis COD954-VEKT; elfproef"
        "Send the BSN of the insured person."
    "8072" Line Standard [Prestatie, Contract]
        "Afgewezen; neem contact op met de zorgverzekeraar."
        "Refused; the code beside it says why."
        "Vektis COD954-VEKT"
        "See the code beside it, or ask the insurer."
    "GDC-GROEP" Line Draft [Prestatie, Contract]
        "Patiëntengroep ontbreekt of staat niet in de overeenkomst."
        "The patient group is missing or not one of the contract."
        "002_eb0531d2b212ba40.txt, toelichting article 4"
        "Name a patient group of the contract."
    "GDC-INDIV" Line Regulation [Prestatie]
        "Gegevens of overleg over een individuele verzekerde bij een groepsgebonden prestatie."
        "An insured person or individual meeting under a prestatie that is about a group."
        "004_edc514e4c29859bf.txt, article 1 under b"
        "Leave the insured person out; meetings about individuals are in the regular tarief."
    "GDC-SLEUTEL" Line Draft [Prestatie, AgreedTerm]
        "Verdeelsleutel ontbreekt, telt niet op tot 100 % of wijkt af van de overeenkomst."
        "Shares are missing, do not come to 10,000, or are not those of the contract."
        "002_eb0531d2b212ba40.txt, toelichting article 4"
        "Send the shares that the contract has for this period."
    "GDC-ZVW-DEEL" Line Draft [Prestatie, AgreedTerm, Amounts]
        "Het gedeclareerde bedrag bevat kosten buiten de Zvw."
        "More than the agreed Zvw part is declared, or there is no Zvw part."
        "002_eb0531d2b212ba40.txt, toelichting article 3"
        "Declare the Zvw part only; other domains bear their own costs."
    "GDC-ADZ-TOETS" Line Assumption [Prestatie, Period]
        "ADZ-vorm is niet door het Zorginstituut getoetst of heeft geen NZa-beschrijving."
        "The form of ADZ is not assessed by the Zorginstituut, or not described by the NZa."
        "000_5970900bc1799c66.txt, conditions for direct billing"
        "Declare from the day on which both are there."
    // Tarief, ceilings, terms.
    "0611" Line Standard [Prestatie, AgreedTerm, Amounts]
        "Tarief ontbreekt of is niet volgens landelijke of contractuele afspraken."
        "The tarief is not the one agreed or allowed."
        "Vektis COD954-VEKT; 001_391917b9bc3bdc5d.txt, 4.5"
        "Declare the tarief of the contract, within what the NZa allows."
    "0589" Line Standard [Contract, Amounts, History]
        "Maximaal declarabel bedrag is al gedeclareerd."
        "The line would go over a ceiling of the contract."
        "Vektis COD954-VEKT"
        "Agree a higher ceiling; there is no partial award."
    "0584" Line Standard [AgreedTerm, History]
        "Maximum aantal is overschreden."
        "All terms that the contract has for this prestatie and subject are used."
        "Vektis COD954-VEKT"
        "Check which lines were declared before; credit the one that was wrong."
    // Submission.
    "0586" Line Standard [Contract, Period, History]
        "Declaratie is te laat ingediend."
        "The line came after the last day of submission."
        "Vektis COD954-VEKT; terms of the contract"
        "Ask the insurer; force majeure is judged by a person."
    // Double funding.
    "0587" Line Standard [Coverage, History]
        "Prestatie is al eerder gedeclareerd of betaald, of aan een ander betaald."
        "The same was declared or paid before, by this declarant or another."
        "Vektis COD954-VEKT"
        "Send nothing, or credit the earlier line first if it was wrong."
    "0634" Line Standard [Coverage, History]
        "Prestatie is niet geldig in combinatie met een eerdere prestatie."
        "It may not be declared beside an earlier prestatie."
        "Vektis COD954-VEKT"
        "See the rival in the evidence; one of the two is credited or not declared."
    "8020" Line Standard [Coverage, History]
        "Prestatie valt binnen de looptijd van een andere gerelateerde prestatie."
        "The period overlaps that of an earlier line under the same contract."
        "Vektis COD954-VEKT"
        "Declare periods that do not overlap."
    "GDC-DF-EXCL" Line Draft [Coverage, History]
        "Dubbele bekostiging: een andere prestatie bekostigt dezelfde samenwerking."
        "Double funding: another prestatie pays for the same cooperation."
        "002_eb0531d2b212ba40.txt, chapter 4 and toelichting article 3"
        "See the rival in the evidence; one of the two is credited or not declared."
    "GDC-DF-FLAG" Line Draft [Coverage, History]
        "Mogelijk dubbele bekostiging; wordt door een medewerker beoordeeld."
        "Possible double funding; held for a person."
        "002_eb0531d2b212ba40.txt, chapter 4"
        "Wait for the new version of the outcome."
    "GDC-PARTIJ" Line Regulation [Coverage]
        "Minder dan twee zorgaanbieders in de samenwerking; wordt door een medewerker beoordeeld."
        "Fewer than two zorgaanbieders take part; held for a person."
        "004_edc514e4c29859bf.txt, article 2; 002_eb0531d2b212ba40.txt"
        "Wait for the new version of the outcome, or name the other zorgaanbieder."
    "8059" Line Standard [Coverage]
        "Er is een ander berekend bedrag toegekend."
        "Another amount is awarded than was declared."
        "Vektis COD954-VEKT"
        "See the code beside it."
    "GDC-DF-RED" Line Draft [Coverage]
        "Lager toegekend wegens overlap met cliëntgebonden bekostiging."
        "Awarded lower, because part of it is paid through client-bound prestaties."
        "002_eb0531d2b212ba40.txt, 3.1.2"
        "Nothing: the deduction is the one that the contract agreed."
    "GDC-BEOORDEELD" Line Draft [Coverage]
        "Na beoordeling door een medewerker is een lager bedrag toegekend."
        "A person who looked at the line awarded less."
        "Vektis COD954-VEKT, 8059; 002_eb0531d2b212ba40.txt, chapter 4"
        "Ask the insurer why."
    // Commands of persons that are not carried out.
    "GDC-NIET-AANGEHOUDEN" Command Assumption [History]
        "De regel wacht niet op beoordeling."
        "The line is not held: it was decided, credited, or never declared."
        "Samenloop, decisions by persons"
        "Look at its newest outcome; an awarded line is undone by a credit of its declarant."
    "GDC-VERSIE" Command Assumption [History]
        "De regel is gewijzigd sinds de uitkomst die is bekeken."
        "The line was decided anew after the version of the outcome that was looked at."
        "Samenloop, decisions by persons"
        "Look at the newest version and decide again."
    "GDC-GEEN-OVERRIDE" Command Assumption [History]
        "De regel voor dubbele bekostiging laat geen afwijking toe."
        "The rule of double funding allows no override."
        "Samenloop, decisions by persons; pair rules of the reference data"
        "Refuse the line, or have one of the two credited."
    "GDC-BEDRAG" Command Assumption [History]
        "Het bedrag is niet lager dan wat wordt toegekend."
        "The amount is not above nil and below what would be awarded."
        "Samenloop, decisions by persons"
        "Accept without an amount, or name a lower one."
    "GDC-TWEEDE-PERSOON" Command Assumption [History]
        "Boven dit bedrag moet een tweede, andere medewerker instemmen."
        "Above this amount a second, other person must agree."
        "Samenloop, decisions by persons; configuration reviews.second_person_above_cents"
        "Send it again under a new command id, with a second person."
    "GDC-OPDRACHT" Command Assumption [History]
        "De opdracht noemt iets dat niet bestaat, of het nummer is met andere inhoud gebruikt."
        "The command names what does not exist, or its id was used for another command."
        "Samenloop, decisions by persons"
        "Correct it and send it under a new command id."
};
