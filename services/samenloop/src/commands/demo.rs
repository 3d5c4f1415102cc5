//! `samenloop demo`: every role in one process on the embedded default, the scenarios, then generated lines.

use std::path::PathBuf;

use anyhow::Context as _;
use samenloop_adapters::{
    generate::Generator,
    scenario::{self, ScenarioSet},
};

use super::report::DemoReport;
use crate::{
    audit,
    in_process::{self, InProcess},
    load,
    mailbox::Mailbox,
    print, scenarios,
};

/// Arguments of `demo`.
#[derive(Clone, Debug, clap::Args)]
pub struct DemoArguments {
    /// Generated lines after the scenarios.
    #[arg(long, default_value_t = 20_000)]
    pub lines: u32,
    /// Seed of the generated lines.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Directory of the sample: reference data, messages, scenarios.
    #[arg(long)]
    pub sample: Option<PathBuf>,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
    /// Keep the operator page up on loopback until interrupted.
    #[arg(long)]
    pub serve: bool,
}

/// Where the sample lies: as named, below the working directory, or beside the sources.
#[must_use]
pub fn sample_directory(named: Option<PathBuf>) -> PathBuf {
    let beside_sources = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/sample"));
    let below = PathBuf::from("deploy/sample");
    named.unwrap_or(if below.is_dir() {
        below
    } else {
        beside_sources
    })
}

/// Runs the demo; true if everything in its report holds.
///
/// # Errors
/// Where it cannot run to its end.
pub async fn run(arguments: DemoArguments) -> anyhow::Result<bool> {
    let directory = tempfile::tempdir()?;
    let config = in_process::embedded_in(directory.path());
    let generator = Generator::new(arguments.lines, arguments.seed);
    let sample = sample_directory(arguments.sample.clone());
    let set = scenario::load_with(&sample, |data| generator.reference_extension(data))
        .map_err(|faults| anyhow::anyhow!("{}", texts(&faults)))
        .with_context(|| format!("the sample in {}", sample.display()))?;
    let mut product = InProcess::start(config, &set.reference, None).await?;
    let link = match arguments.serve {
        true => Some(serve(&mut product).await?),
        false => None,
    };
    let report = exercise(&product, &set, generator, &arguments).await?;
    if arguments.json {
        print::line(serde_json::to_string_pretty(&report)?);
    } else {
        report.print();
    }
    match link {
        Some(link) => {
            samenloop_adapters::shutdown::on_signals(&product.shutdown);
            print::note(format!(
                "the operator page stays up until Ctrl-C; unless it was opened already: {link}"
            ));
        }
        None => product.shutdown.cancel(),
    }
    product.roles.join().await?;
    Ok(report.ok)
}

/// Starts the pages before the work, so that they show it while it passes.
async fn serve(product: &mut InProcess) -> anyhow::Result<String> {
    let store = product.settlement.clone();
    let (roles, shutdown) = (&mut product.roles, &product.shutdown);
    super::all::serve_pages(&product.node, store, roles, shutdown).await
}

fn texts<T: ToString>(faults: &[T]) -> String {
    faults
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n")
}

async fn exercise(
    product: &InProcess,
    set: &ScenarioSet,
    generator: Generator,
    arguments: &DemoArguments,
) -> anyhow::Result<DemoReport> {
    let mut mailbox = Mailbox::open(&product.brokers);
    let steps = set
        .scenarios
        .iter()
        .map(|scenario| scenario.steps.len() as u64)
        .sum();
    let bar = print::progress(steps, "scenarios");
    let stage = product.stage(&set.reference);
    let results = scenarios::run(&stage, set, &mut mailbox, |steps| bar.inc(steps as u64)).await?;
    bar.finish_and_clear();
    let target = load::Target {
        brokers: &product.brokers,
        users: &product.users,
    };
    let bar = print::progress(u64::from(generator.lines()), "lines");
    let loaded = load::run(&target, generator, &mut mailbox, |lines| bar.inc(lines)).await?;
    bar.finish_and_clear();
    let received = product.receive_all().await?;
    let audit = audit::audit(&product.node.decisions).await?;
    let balances = product.settlement.balances().await?;
    Ok(DemoReport::new(
        arguments, results, loaded, audit, received, &balances,
    ))
}
