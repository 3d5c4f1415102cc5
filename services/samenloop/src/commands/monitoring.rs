//! `samenloop report nza`: the monitoring report of a year, and what any of its figures is made of.

use anyhow::{Context as _, bail};
use clap::ValueEnum;
use samenloop_adapters::{
    clock::Clock,
    config::Config,
    report::{
        self, format,
        say::{self, Language},
    },
};
use samenloop_domain::{
    identifiers::{RegionCode, Uzovi},
    reference::Reference,
    report::{
        Amount, Asked, Contribution, Figure, Report, ReportYear, Source, experiment_first,
        experiment_kinds, shape::Topic,
    },
};

use crate::{node::Node, print};

/// Arguments of `report nza`.
#[derive(Clone, Debug, clap::Args)]
pub struct NzaArguments {
    /// A calendar year.
    #[arg(long, required_unless_present = "experiment_year")]
    year: Option<i16>,
    /// A year of the experiment, from 1.
    #[arg(long, conflicts_with = "year")]
    experiment_year: Option<u8>,
    /// How it is written.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// The language of tables and of the page.
    #[arg(long, value_enum, default_value_t = Tongue::En)]
    language: Tongue,
    /// Every kind of funding, not only those of the experiment.
    #[arg(long)]
    all_kinds: bool,
    /// What was declared to, and borne by, this insurer only.
    #[arg(long, value_name = "UZOVI")]
    insurer: Option<String>,
    /// This region only.
    #[arg(long)]
    region: Option<String>,
    /// Only the tables that speak of a topic of the qualitative evaluation.
    #[arg(long, value_enum)]
    topic: Option<TopicWord>,
    /// Lists what a figure is made of, as TABLE/ROW/COLUMN; the CSV form has the names.
    #[arg(long, value_name = "FIGURE")]
    trace: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Format {
    /// Tables for a terminal.
    Table,
    /// One row a figure.
    Csv,
    /// One object.
    Json,
    /// A page that prints on A4.
    Html,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Tongue {
    /// English.
    En,
    /// Dutch.
    Nl,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum TopicWord {
    /// How double funding is prevented, and how well.
    V,
    /// How overlap with other funding causes bottlenecks.
    Ix,
}

/// Prints the report, or what one of its figures is made of.
///
/// # Errors
/// Where no reference data is in force, an argument names nothing, or a store is away.
pub async fn nza(config: Config, arguments: &NzaArguments) -> anyhow::Result<()> {
    let thresholds = report::thresholds(&config.report);
    let node = Node::open(config, Clock::System).await?;
    let reference = node.reference.current().await?;
    let reference = reference.context("no reference data is in force")?;
    let asked = asked(arguments, &reference)?;
    let settlement = node.open_settlement().await?;
    let decisions = &node.decisions;
    if let Some(name) = &arguments.trace {
        let figure = Figure::parse(name).with_context(|| {
            format!("{name:?} is no figure; --format csv names them, as uses/BDSS/lines")
        })?;
        let figures = figure.made_of();
        let mut sink = |source: &Source, contribution: Contribution| {
            if figures.contains(&contribution.figure) {
                trace(arguments.format, source, &contribution);
            }
        };
        report::gather(decisions, &settlement, &reference, &asked, &mut sink).await?;
        return Ok(());
    }
    let report = report::report(decisions, &settlement, &reference, asked, &thresholds).await?;
    let report = match arguments.topic {
        None => report,
        Some(TopicWord::V) => report.of_topic(Topic::V),
        Some(TopicWord::Ix) => report.of_topic(Topic::Ix),
    };
    let language = language(arguments.language);
    match arguments.format {
        Format::Table => tables(&report, language),
        Format::Csv => print::line(format::csv(&report).trim_end()),
        Format::Json => print::line(format::json(&report)),
        Format::Html => print::line(format::html(&report, language).trim_end()),
    }
    Ok(())
}

fn language(tongue: Tongue) -> Language {
    match tongue {
        Tongue::En => Language::English,
        Tongue::Nl => Language::Dutch,
    }
}

fn asked(arguments: &NzaArguments, reference: &Reference) -> anyhow::Result<Asked> {
    let year = match (arguments.year, arguments.experiment_year) {
        (Some(year), _) => ReportYear::Calendar(year),
        (None, Some(number)) => ReportYear::Experiment(number),
        (None, None) => bail!("name a year with --year or --experiment-year"),
    };
    let first = experiment_first(reference);
    if first.is_none() && matches!(year, ReportYear::Experiment(_)) {
        bail!("the catalogue in force has no experiment; name a calendar year with --year");
    }
    let days = year.days(first.unwrap_or_default());
    let insurer = match arguments.insurer.as_deref() {
        None => None,
        Some(named) => Some(
            Uzovi::parse(named)
                .filter(|it| reference.insurers.contains_key(it))
                .with_context(|| format!("{named} is no insurer of the reference data in force"))?,
        ),
    };
    let kinds = experiment_kinds(reference);
    if kinds.is_empty() && !arguments.all_kinds {
        bail!("the catalogue in force has no experiment; add --all-kinds");
    }
    Ok(Asked {
        days: days.context("there is no such year")?,
        kinds: (!arguments.all_kinds).then_some(kinds),
        insurer,
        region: arguments.region.as_deref().map(RegionCode::new),
    })
}

/// One line a contribution: what adds how much to which figure.
fn trace(format: Format, source: &Source, contribution: &Contribution) {
    let figure = contribution.figure.to_string();
    let amount = match &contribution.amount {
        Amount::Add(value) | Amount::Most(value) => value.to_string(),
        Amount::Name(name) => name.to_string(),
    };
    match format {
        Format::Json => print::line(serde_json::json!({
            "figure": figure,
            "source": source.to_string(),
            "amount": amount,
        })),
        _ => print::line(format!("{figure} {amount} {source}")),
    }
}

fn tables(report: &Report, language: Language) {
    print::line(language.asked(&report.asked));
    for table in &report.tables {
        print::line(format!("\n{}", language.say(table.shape.words)));
        if table.rows.is_empty() {
            print::line(language.pick("Nothing in these days.", "Niets in deze dagen."));
            continue;
        }
        let mut shown = print::table(&say::headings(table, language));
        for row in &table.rows {
            shown.add_row(say::row(table, row, language));
        }
        if let Some(total) = say::total(table, language) {
            shown.add_row(total);
        }
        for column in 1..=table.shape.columns.len() {
            print::align_right(&mut shown, column);
        }
        print::line(shown);
    }
}
