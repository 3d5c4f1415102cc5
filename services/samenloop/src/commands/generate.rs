//! `samenloop generate`: synthetic declarations, the same for the same seed, one JSON object a line.

use std::path::PathBuf;

use samenloop_adapters::{clock::noon, generate::Generator};

use crate::print;

/// Arguments of `generate`.
#[derive(Clone, Debug, clap::Args)]
pub struct GenerateArguments {
    /// Lines.
    #[arg(long, default_value_t = 1_000)]
    pub lines: u32,
    /// Seed.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Where they are written; absent: standard output.
    #[arg(long)]
    pub output: Option<PathBuf>,
}

/// Writes declarations in the form that `replay` reads.
///
/// # Errors
/// Where the output cannot be written.
pub fn run(arguments: &GenerateArguments) -> anyhow::Result<()> {
    let generated = Generator::new(arguments.lines, arguments.seed)
        .declarations()
        .map(|it| {
            serde_json::json!({
                "party": it.party.as_str(),
                "received_at": noon(it.received_on).to_string(),
                "declaration": it.declaration,
            })
            .to_string()
        });
    match &arguments.output {
        None => generated.for_each(print::line),
        Some(path) => {
            use std::io::Write as _;
            let mut file = std::io::BufWriter::new(std::fs::File::create(path)?);
            for line in generated {
                writeln!(file, "{line}")?;
            }
            file.flush()?;
        }
    }
    Ok(())
}
