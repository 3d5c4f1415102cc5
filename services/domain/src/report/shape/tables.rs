//! What each table of the report shows.

use super::{Column, Sum, Table, Topic, Total, Unit, Words, words};

const fn column(id: &'static str, words: Words, unit: Unit, sum: Sum) -> Column {
    Column {
        id,
        words,
        unit,
        sum,
    }
}

const fn number(id: &'static str, english: &'static str, dutch: &'static str) -> Column {
    column(id, words(english, dutch), Unit::Number, Sum::Added)
}

const fn names(id: &'static str, english: &'static str, dutch: &'static str) -> Column {
    column(id, words(english, dutch), Unit::Number, Sum::Names)
}

const fn cents(id: &'static str, english: &'static str, dutch: &'static str) -> Column {
    column(id, words(english, dutch), Unit::Cents, Sum::Added)
}

const CONTRACTS: Column = names("contracts", "contracts", "overeenkomsten");
const CHARGES: Column = number("charges", "charges", "boekingen");
const GROSS: Column = cents("gross_cents", "charged", "ten laste");
const CREDITED: Column = cents("credited_cents", "credited", "gecrediteerd");
const ENTRIES: Column = cents("entry_cents", "beside declarations", "buiten declaraties");
const DECLARED: Column = cents("declared_cents", "declared", "gedeclareerd");
const AWARDED: Column = cents("awarded_cents", "awarded", "toegekend");

const fn net(of: &'static [&'static str]) -> Column {
    column("net_cents", words("net", "netto"), Unit::Cents, Sum::Of(of))
}

const CLAIMED: &[Column] = &[
    CONTRACTS,
    CHARGES,
    GROSS,
    CREDITED,
    net(&["gross_cents", "credited_cents"]),
];
const BOOKED: &[Column] = &[
    CONTRACTS,
    CHARGES,
    GROSS,
    CREDITED,
    ENTRIES,
    net(&["gross_cents", "credited_cents", "entry_cents"]),
];
const PAIRS: &[Column] = &[
    number("excluded_lines", "lines refused", "regels afgewezen"),
    number("reduced_lines", "lines reduced", "regels verminderd"),
    number("held_lines", "lines held", "regels aangehouden"),
    cents("prevented_cents", "prevented", "voorkomen"),
    number("resent_lines", "declared again", "opnieuw gedeclareerd"),
    cents("resent_cents", "of those, amount", "daarvan bedrag"),
];

const KIND: Words = words("kind of funding", "soort bekostiging");
const SECTOR: Words = words("sector", "sector");
const INSURER: Words = words("insurer (UZOVI)", "verzekeraar (UZOVI)");
const REGION: Words = words("region", "regio");

const BASES: &[(&str, Words)] = &[
    ("law", words("law", "wet")),
    ("regulation", words("regulation", "regelgeving")),
    ("standard", words("standard", "standaard")),
    ("draft", words("draft", "concept")),
    ("model", words("model", "voorbeeld")),
    (
        "assumption",
        words("agreed by the insurer", "afspraak van de verzekeraar"),
    ),
];

const STATES: &[(&str, Words)] = &[
    ("concept", words("concept", "concept")),
    (
        "in_negotiation",
        words("in negotiation", "in onderhandeling"),
    ),
    ("signed", words("signed", "getekend")),
    ("active", words("active", "actief")),
    ("ended", words("ended", "beëindigd")),
];

const REVIEWED: &[(&str, Words)] = &[
    ("accepted", words("accepted", "toegekend")),
    (
        "accepted_for_less",
        words("accepted for less", "voor minder toegekend"),
    ),
    ("refused", words("refused", "afgewezen")),
    (
        "withdrawn",
        words("withdrawn by the declarant", "door declarant ingetrokken"),
    ),
    ("open", words("not decided yet", "nog niet beslist")),
];

const DAYS: &[(&str, Words)] = &[
    ("same_day", words("on the same day", "dezelfde dag")),
    ("week", words("1 to 7 days", "1 tot 7 dagen")),
    ("month", words("8 to 30 days", "8 tot 30 dagen")),
    ("quarter", words("31 to 90 days", "31 tot 90 dagen")),
    ("longer", words("longer", "langer")),
];

const SIGNALS: &[(&str, Words)] = &[
    (
        "held",
        words(
            "lines held, of all (basis points)",
            "regels aangehouden, van alle (basispunten)",
        ),
    ),
    (
        "refused",
        words(
            "lines refused, of all (basis points)",
            "regels afgewezen, van alle (basispunten)",
        ),
    ),
    (
        "prevented",
        words(
            "double funding prevented, of declared (basis points)",
            "dubbele bekostiging voorkomen, van gedeclareerd (basispunten)",
        ),
    ),
    (
        "days_to_decision",
        words(
            "days to the decision of a person, on average",
            "dagen tot beslissing door een persoon, gemiddeld",
        ),
    ),
    (
        "burden",
        words(
            "messages for a hundred accepted lines",
            "berichten per honderd toegekende regels",
        ),
    ),
    (
        "budget",
        words(
            "awarded, of the budgets (basis points)",
            "toegekend, van de budgetten (basispunten)",
        ),
    ),
];

/// Every table, in order.
pub const TABLES: &[Table] = &[
    Table {
        id: "uses",
        words: words("Use of the prestatie", "Gebruik van de prestatie"),
        about: words(
            "Article 6 a i. Contracts with an awarded line count once. Credits are shown beside what was awarded.",
            "Artikel 6 a i. Een overeenkomst met een toegekende regel telt eenmaal. Credits staan \
             naast het toegekende.",
        ),
        key: KIND,
        rows: &[],
        columns: &[
            CONTRACTS,
            number("lines", "lines awarded", "regels toegekend"),
            number("credited_lines", "lines credited", "regels gecrediteerd"),
            DECLARED,
            AWARDED,
            CREDITED,
            net(&["awarded_cents", "credited_cents"]),
        ],
        total: Total::Shown,
        chart: None,
        topics: &[],
    },
    Table {
        id: "budgets",
        words: words("Size of the budgets", "Omvang van de budgetten"),
        about: words(
            "Article 6 a ii. Budgets of the contracts that were used, and of all that run in the year; \
             whole. A contract without a budget counts with its ceilings, or with all terms of its lumpsums.",
            "Artikel 6 a ii. Budgetten van de gebruikte overeenkomsten, en van alle die in het jaar lopen; \
             geheel. Een overeenkomst zonder budget telt met haar plafonds, of met alle termijnen van haar lumpsums.",
        ),
        key: KIND,
        rows: &[],
        columns: &[
            CONTRACTS,
            cents("budget_cents", "their budgets", "hun budgetten"),
            names(
                "agreed_contracts",
                "contracts that run",
                "lopende overeenkomsten",
            ),
            cents("agreed_cents", "their budgets", "hun budgetten"),
            names(
                "without_budget",
                "of those without a budget",
                "daarvan zonder budget",
            ),
        ],
        total: Total::Shown,
        chart: None,
        topics: &[],
    },
    Table {
        id: "sectors",
        words: words("Amounts by macro-framework", "Bedragen per macrokader"),
        about: words(
            "Article 6 a iii and iv. What each sector of the Zvw bears, from the ledger: claims, \
             credits, and what was booked beside declarations.",
            "Artikel 6 a iii en iv. Wat elke sector van de Zvw draagt, uit het grootboek: claims, \
             credits, en wat buiten declaraties is geboekt.",
        ),
        key: SECTOR,
        rows: &[],
        columns: BOOKED,
        total: Total::Shown,
        chart: Some("net_cents"),
        topics: &[],
    },
    Table {
        id: "insurers",
        words: words("Amounts by insurer", "Bedragen per verzekeraar"),
        about: words("What each insurer bears.", "Wat elke verzekeraar draagt."),
        key: INSURER,
        rows: &[],
        columns: BOOKED,
        total: Total::Shown,
        chart: Some("net_cents"),
        topics: &[],
    },
    Table {
        id: "kinds",
        words: words(
            "Amounts by kind of funding",
            "Bedragen per soort bekostiging",
        ),
        about: words("From claims alone.", "Alleen uit claims."),
        key: KIND,
        rows: &[],
        columns: CLAIMED,
        total: Total::Shown,
        chart: None,
        topics: &[Topic::Ix],
    },
    Table {
        id: "regions",
        words: words("Amounts by region", "Bedragen per regio"),
        about: words("From claims alone.", "Alleen uit claims."),
        key: REGION,
        rows: &[],
        columns: CLAIMED,
        total: Total::Shown,
        chart: Some("net_cents"),
        topics: &[],
    },
    Table {
        id: "months",
        words: words("Amounts by month", "Bedragen per maand"),
        about: words(
            "From claims alone, by the month in which the period of the prestatie begins.",
            "Alleen uit claims, naar de maand waarin de periode van de prestatie begint.",
        ),
        key: words("month", "maand"),
        rows: &[],
        columns: &[
            CHARGES,
            GROSS,
            CREDITED,
            net(&["gross_cents", "credited_cents"]),
        ],
        total: Total::Shown,
        chart: Some("net_cents"),
        topics: &[],
    },
    Table {
        id: "recorded_budgets",
        words: words("Budgets in the ledger", "Budgetten in het grootboek"),
        about: words(
            "What insurers recorded with settlement, to be settled at the end of the year.",
            "Wat verzekeraars bij de afwikkeling hebben vastgelegd, met nacalculatie aan het einde van het jaar.",
        ),
        key: INSURER,
        rows: &[],
        columns: &[
            number("budgets", "budgets", "budgetten"),
            cents("budget_cents", "agreed", "afgesproken"),
        ],
        total: Total::Shown,
        chart: None,
        topics: &[],
    },
    Table {
        id: "agreements",
        words: words("Agreements by state", "Afspraken naar stand"),
        about: words(
            "Agreements made and in the pipeline: 002_eb0531d2b212ba40.txt, chapter 4.",
            "Gemaakte afspraken en afspraken in de pijplijn: 002_eb0531d2b212ba40.txt, hoofdstuk 4.",
        ),
        key: words("state", "stand"),
        rows: STATES,
        columns: &[CONTRACTS],
        total: Total::Shown,
        chart: Some("contracts"),
        topics: &[],
    },
    Table {
        id: "bottlenecks",
        words: words("Bottlenecks by reason", "Knelpunten naar reden"),
        about: words(
            "Article 6 a. A line with several reasons stands under each of them.",
            "Artikel 6 a. Een regel met meer redenen staat onder elk daarvan.",
        ),
        key: words("reason", "reden"),
        rows: &[],
        columns: &[
            number(
                "refused_messages",
                "messages refused",
                "berichten afgewezen",
            ),
            number("refused_lines", "lines refused", "regels afgewezen"),
            number("reduced_lines", "lines reduced", "regels verminderd"),
            number("held_lines", "lines held", "regels aangehouden"),
            cents("not_awarded_cents", "not awarded", "niet toegekend"),
        ],
        total: Total::None,
        chart: Some("refused_lines"),
        topics: &[Topic::Ix],
    },
    Table {
        id: "pairs",
        words: words(
            "Double funding prevented, by pair of kinds",
            "Voorkomen dubbele bekostiging, per paar van soorten",
        ),
        about: words(
            "Article 6 b v and ix. Declared less awarded of lines that a rule over two lines refused \
             or reduced; what is asked again counts once. Lines declared a second time under one \
             contract stand apart.",
            "Artikel 6 b v en ix. Gedeclareerd min toegekend van regels die een regel over twee \
             prestaties afwees of verminderde; wat opnieuw gevraagd wordt telt eenmaal. Regels die \
             onder één overeenkomst nogmaals zijn gedeclareerd staan apart.",
        ),
        key: words("pair", "paar"),
        rows: &[],
        columns: PAIRS,
        total: Total::Shown,
        chart: Some("prevented_cents"),
        topics: &[Topic::V, Topic::Ix],
    },
    Table {
        id: "pairs_by_insurer",
        words: words(
            "Double funding prevented, by insurer",
            "Voorkomen dubbele bekostiging, per verzekeraar",
        ),
        about: words(
            "By whom the line was declared to.",
            "Naar wie de regel is gedeclareerd.",
        ),
        key: INSURER,
        rows: &[],
        columns: PAIRS,
        total: Total::Shown,
        chart: None,
        topics: &[Topic::V, Topic::Ix],
    },
    Table {
        id: "pairs_by_region",
        words: words(
            "Double funding prevented, by region",
            "Voorkomen dubbele bekostiging, per regio",
        ),
        about: words("By the region of the line.", "Naar de regio van de regel."),
        key: REGION,
        rows: &[],
        columns: PAIRS,
        total: Total::Shown,
        chart: None,
        topics: &[Topic::V, Topic::Ix],
    },
    Table {
        id: "pairs_by_basis",
        words: words(
            "Double funding prevented, by basis of the rule",
            "Voorkomen dubbele bekostiging, naar grondslag van de regel",
        ),
        about: words(
            "What the rule rests on that decided.",
            "Waarop de regel rust die besliste.",
        ),
        key: words("basis", "grondslag"),
        rows: BASES,
        columns: PAIRS,
        total: Total::Shown,
        chart: None,
        topics: &[Topic::V],
    },
    Table {
        id: "pairs_by_rule",
        words: words(
            "Double funding prevented, by rule",
            "Voorkomen dubbele bekostiging, per regel van het stelsel",
        ),
        about: words("The rule that decided.", "De regel die besliste."),
        key: words("rule", "regel"),
        rows: &[],
        columns: PAIRS,
        total: Total::Shown,
        chart: None,
        topics: &[Topic::V],
    },
    Table {
        id: "reviews",
        words: words("Outcome of reviews", "Uitkomst van beoordelingen"),
        about: words(
            "Lines that were held for a person, by what became of them.",
            "Regels die voor een persoon zijn aangehouden, naar wat ervan geworden is.",
        ),
        key: words("outcome", "uitkomst"),
        rows: REVIEWED,
        columns: &[number("lines", "lines", "regels"), DECLARED, AWARDED],
        total: Total::Shown,
        chart: Some("lines"),
        topics: &[Topic::V, Topic::Ix],
    },
    Table {
        id: "decision_time",
        words: words("Days to the decision", "Dagen tot de beslissing"),
        about: words(
            "From receipt to the decision by rule, and of held lines to that by a person.",
            "Van ontvangst tot de beslissing door een regel, en van aangehouden regels tot die door een persoon.",
        ),
        key: words("days", "dagen"),
        rows: DAYS,
        columns: &[
            number("by_rule", "by rule", "door een regel"),
            number("by_person", "by a person", "door een persoon"),
            column(
                "days_by_person",
                words("days, by persons together", "dagen, door personen samen"),
                Unit::Days,
                Sum::Added,
            ),
            column(
                "longest_days",
                words("longest", "langste"),
                Unit::Days,
                Sum::Most,
            ),
        ],
        total: Total::Shown,
        chart: None,
        topics: &[Topic::Ix],
    },
    Table {
        id: "burden",
        words: words("Administrative burden", "Administratieve lasten"),
        about: words(
            "Article 4, paragraph 3 b. Messages that have a line asked, and what they came to. \
             Deliveries that were no declaration are not in it.",
            "Artikel 4, derde lid, onder b. Berichten met een gevraagde regel, en wat ervan kwam. \
             Leveringen die geen declaratie waren zijn niet meegeteld.",
        ),
        key: words("declarations", "declaraties"),
        rows: &[("all", words("all", "alle"))],
        columns: &[
            number("messages", "messages", "berichten"),
            number("lines", "debit lines", "debetregels"),
            number("credit_lines", "credit lines", "creditregels"),
            number("accepted_lines", "lines accepted", "regels toegekend"),
            number("refused_lines", "lines refused", "regels afgewezen"),
            number("held_lines", "lines held", "regels aangehouden"),
            DECLARED,
            column(
                "held_basis_points",
                words("share held", "aandeel aangehouden"),
                Unit::BasisPoints,
                Sum::Ratio {
                    of: "held_lines",
                    per: "lines",
                    times: 10_000,
                },
            ),
            column(
                "messages_per_hundred_lines",
                words(
                    "messages for 100 accepted lines",
                    "berichten per 100 toegekende regels",
                ),
                Unit::Number,
                Sum::Ratio {
                    of: "messages",
                    per: "accepted_lines",
                    times: 100,
                },
            ),
        ],
        total: Total::None,
        chart: None,
        topics: &[Topic::Ix],
    },
    Table {
        id: "signals",
        words: words("Signals", "Signalen"),
        about: words(
            "Article 4, paragraph 4. Reached: continuing unchanged looks unjustified. The thresholds \
             are set by the configuration; the NZa sets none.",
            "Artikel 4, vierde lid. Bereikt: ongewijzigd voortzetten lijkt niet verantwoord. De \
             drempels staan in de configuratie; de NZa stelt er geen.",
        ),
        key: words("measure", "maat"),
        rows: SIGNALS,
        columns: &[
            column(
                "measured",
                words("measured", "gemeten"),
                Unit::OfRow,
                Sum::Added,
            ),
            column(
                "threshold",
                words("threshold", "drempel"),
                Unit::OfRow,
                Sum::Added,
            ),
            column(
                "reached",
                words("reached", "bereikt"),
                Unit::YesNo,
                Sum::Added,
            ),
        ],
        total: Total::None,
        chart: None,
        topics: &[Topic::V, Topic::Ix],
    },
];
