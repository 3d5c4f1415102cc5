//! The command line: what each subcommand takes, and its exit status.

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};
use samenloop_adapters::{
    config::Config,
    pseudonym,
    telemetry::{self, LogFormat},
};

use crate::{
    commands::{
        all::{self, AllArguments},
        audit,
        check::{self, CheckArguments},
        contracts,
        demo::{self, DemoArguments},
        existing::{self, ImportArguments},
        generate::{self, GenerateArguments},
        healthcheck, ledger, log,
        monitoring::{self, NzaArguments},
        reference,
        remittance::{self, RemittanceArguments},
        replay::{self, ReplayArguments},
        reviews::{self, DecideArguments, ListArguments, PersonArguments},
        role::{self, Role},
        standing::{self, StandingArguments},
        submit::{self, SubmitArguments},
        topology::{self, TopologyArguments},
        trace,
        what_if::{self, WhatIfArguments},
    },
    print,
};

/// Hub for declarations of cooperation in Dutch health care: validates, detects double funding, settles.
#[derive(Debug, Parser)]
#[command(name = "samenloop", version, about)]
struct Arguments {
    /// Configuration file (TOML); also SAMENLOOP_CONFIG.
    #[arg(long, global = true, env = "SAMENLOOP_CONFIG")]
    config: Option<PathBuf>,
    /// Sets one key of the configuration, as `broker.url=amqp://...`; may be repeated.
    #[arg(long = "set", global = true, value_name = "KEY=VALUE")]
    set: Vec<String>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Shows the whole product on sample data in a temporary directory.
    Demo(DemoArguments),
    /// Runs every role in this process.
    All(AllArguments),
    /// Runs the role that judges each declaration on its own.
    Validation,
    /// Runs the role that decides.
    Detection,
    /// Runs the gRPC server of settlements.
    Settlement,
    /// Runs the HTTP intake.
    Gateway,
    /// Runs the operator page.
    Operator,
    /// Reference data.
    #[command(subcommand)]
    Reference(ReferenceCommand),
    /// What is taken of ceilings and budgets, which signals are reached, and what KPIs say.
    Contracts {
        /// One contract; absent: all that have any of these.
        #[arg(long)]
        contract: Option<String>,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Existing prestaties that never passed through the queue.
    #[command(subcommand)]
    Existing(ExistingCommand),
    /// Tells what would become of declarations, or what a draft contract would fund twice; writes nothing.
    Check(CheckArguments),
    /// Decides what was declared again by other rules or contracts, and tells what changes; writes nothing.
    WhatIf(WhatIfArguments),
    /// Audits of what was decided.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Writes synthetic declarations.
    Generate(GenerateArguments),
    /// Decides a log of declarations in memory.
    Replay(ReplayArguments),
    /// Sends declarations to a gateway and waits for their outcomes.
    Submit(SubmitArguments),
    /// Shows one declaration from its receipt to the streams of insurers.
    Trace {
        /// Its message id.
        message_id: uuid::Uuid,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Tells what a payee is told of one payment: for a terminal, a program, or as a page of A4.
    Remittance(RemittanceArguments),
    /// The ledger of settlement.
    #[command(subcommand)]
    Ledger(LedgerCommand),
    /// Reports for supervision.
    #[command(subcommand)]
    Report(ReportCommand),
    /// Lines and cases that wait for a person.
    #[command(subcommand)]
    Reviews(ReviewsCommand),
    /// The queues of RabbitMQ.
    #[command(subcommand)]
    Topology(TopologyCommand),
    /// The log of decisions.
    #[command(subcommand)]
    Log(LogCommand),
    /// Exit status 0 if a role is ready.
    Healthcheck {
        /// Its readiness page.
        #[arg(default_value = "http://127.0.0.1:7440/readyz")]
        url: String,
    },
    /// The configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Keys.
    #[command(subcommand)]
    Keys(KeysCommand),
}

impl Command {
    /// Whether it runs until it is stopped.
    fn is_role(&self) -> bool {
        matches!(
            self,
            Self::All(_)
                | Self::Validation
                | Self::Detection
                | Self::Settlement
                | Self::Gateway
                | Self::Operator
        )
    }
}

#[derive(Debug, Subcommand)]
enum ReferenceCommand {
    /// Checks the files in a directory and shows what they would change; changes nothing.
    Diff {
        /// The directory.
        directory: PathBuf,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Checks the files in a directory, shows what they change, and puts them in force.
    Import {
        /// The directory.
        directory: PathBuf,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
enum ExistingCommand {
    /// Imports a CSV file; bad rows are named and left out, and no row is imported twice.
    Import(ImportArguments),
    /// Lists what was imported, an entry of the log a row.
    List {
        /// Print one JSON object a row.
        #[arg(long)]
        json: bool,
    },
    /// Withdraws a chunk: what it occupied is free again.
    Withdraw {
        /// Its entry, as `existing list` shows it.
        entry: u64,
        #[command(flatten)]
        person: PersonArguments,
    },
}

#[derive(Debug, Subcommand)]
enum LedgerCommand {
    /// Compares every balance with the sum of its postings; exit status 1 where one differs.
    Verify {
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Sends no events any more that are older: whoever has not had them takes a snapshot. Lists still have them.
    Prune {
        /// Events recorded before so many days ago.
        #[arg(long)]
        older_than: u16,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Writes the balances anew from the postings, and verifies them.
    Rebuild {
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
enum ReportCommand {
    /// The monitoring report of a year: use, budgets, macro-frameworks, bottlenecks, double funding prevented.
    Nza(NzaArguments),
}

#[derive(Debug, Subcommand)]
enum AuditCommand {
    /// Judges all pairs of awarded lines and checks the chain of the log: exit status 0 if nothing was funded twice.
    DoubleFunding {
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
enum ReviewsCommand {
    /// Lists held lines, or with --cases what a person is told of beside them.
    List(ListArguments),
    /// Shows a held line with its evidence.
    Show {
        /// The line, as SEQUENCE.LINE.
        line: String,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Decides held lines: accept, award less, or refuse.
    Decide(Box<DecideArguments>),
    /// Decides a refused line again that nothing excludes any more.
    Rejudge {
        /// The line, as SEQUENCE.LINE.
        line: String,
        #[command(flatten)]
        person: PersonArguments,
    },
    /// Lists what persons let stand between contracts.
    Standing(StandingArguments),
    /// Ends what a decision let stand; lines decided by it stay as they are.
    End {
        /// Its entry, as `reviews standing` shows it.
        entry: u64,
        #[command(flatten)]
        person: PersonArguments,
    },
    /// Takes a case off the list.
    Dismiss {
        /// Its number.
        case_id: u64,
        #[command(flatten)]
        person: PersonArguments,
    },
}

#[derive(Debug, Subcommand)]
enum TopologyCommand {
    /// Makes exchanges, queues, policies and permissions; repeating it changes nothing.
    Apply(TopologyArguments),
}

#[derive(Debug, Subcommand)]
enum LogCommand {
    /// Tells where the log stands; keep it where nobody who can write the database can write.
    Anchor {
        /// Adds a line to this file; absent: prints it.
        #[arg(long)]
        file: Option<PathBuf>,
    },
    /// Exit status 0 if every entry follows from the one before.
    Verify {
        /// Anchors that the chain must go through.
        #[arg(long)]
        anchor: Option<PathBuf>,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Prints the configuration as it was read, with secrets hidden.
    Print,
}

#[derive(Debug, Subcommand)]
enum KeysCommand {
    /// Prints a new key as a line for a key file.
    New {
        /// Its id; for `keys.sealing` leave it out.
        #[arg(default_value = "")]
        id: String,
    },
}

/// Parses the arguments and runs what they name: 0 if it holds, 1 if it does not or fails, 2 for wrong arguments.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // A role is read by machines; who asks something at a terminal wants the answer.
    let (format, level) = match arguments.command.is_role() {
        true => (LogFormat::Json, telemetry::DEFAULT_FILTER),
        false => (LogFormat::Text, "error"),
    };
    telemetry::start_logs(format, level);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let ran = runtime
        .map_err(Into::into)
        .and_then(|runtime| runtime.block_on(run(arguments)));
    match ran {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            print::note(format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> anyhow::Result<bool> {
    let config = || {
        Config::load(
            arguments.config.as_deref(),
            std::env::vars(),
            &arguments.set,
        )
    };
    let role = |role: Role| async move { role::run(config()?, role).await.map(|()| true) };
    match arguments.command {
        Command::Demo(demo) => Box::pin(demo::run(demo)).await,
        Command::All(all) => Box::pin(all::run(config()?, all)).await.map(|()| true),
        Command::Validation => role(Role::Validation).await,
        Command::Detection => role(Role::Detection).await,
        Command::Settlement => role(Role::Settlement).await,
        Command::Gateway => role(Role::Gateway).await,
        Command::Operator => role(Role::Operator).await,
        Command::Reference(ReferenceCommand::Diff { directory, json }) => {
            reference::diff(config()?, &directory, json)
                .await
                .map(|()| true)
        }
        Command::Reference(ReferenceCommand::Import { directory, json }) => {
            reference::import(config()?, &directory, json)
                .await
                .map(|()| true)
        }
        Command::Contracts { contract, json } => {
            contracts::run(config()?, contract.as_deref(), json)
                .await
                .map(|()| true)
        }
        Command::Existing(ExistingCommand::Import(import)) => {
            existing::import(config()?, &import).await
        }
        Command::Existing(ExistingCommand::Withdraw { entry, person }) => {
            Box::pin(reviews::withdraw_import(config()?, entry, &person)).await
        }
        Command::Existing(ExistingCommand::List { json }) => {
            existing::list(config()?, json).await.map(|()| true)
        }
        Command::Check(check) => check::run(|| Ok(config()?), check).await,
        Command::WhatIf(what_if) => what_if::run(|| Ok(config()?), what_if).await.map(|()| true),
        Command::Audit(AuditCommand::DoubleFunding { json }) => {
            audit::double_funding(config()?, json).await
        }
        Command::Generate(generate) => generate::run(&generate).map(|()| true),
        Command::Replay(replay) => replay::run(&replay).map(|()| true),
        Command::Submit(submit) => submit::run(submit).await,
        Command::Trace { message_id, json } => {
            trace::run(config()?, message_id, json).await.map(|()| true)
        }
        Command::Remittance(remittance) => {
            remittance::run(config()?, &remittance).await.map(|()| true)
        }
        Command::Ledger(LedgerCommand::Verify { json }) => ledger::verify(config()?, json).await,
        Command::Ledger(LedgerCommand::Prune { older_than, json }) => {
            ledger::prune(config()?, older_than, json)
                .await
                .map(|()| true)
        }
        Command::Ledger(LedgerCommand::Rebuild { json }) => ledger::rebuild(config()?, json).await,
        Command::Report(ReportCommand::Nza(nza)) => Box::pin(monitoring::nza(config()?, &nza))
            .await
            .map(|()| true),
        Command::Reviews(command) => match command {
            ReviewsCommand::List(list) => reviews::list(config()?, &list).await.map(|()| true),
            ReviewsCommand::Show { line, json } => {
                reviews::show(config()?, &line, json).await.map(|()| true)
            }
            ReviewsCommand::Decide(decide) => Box::pin(reviews::decide(config()?, &decide)).await,
            ReviewsCommand::Rejudge { line, person } => {
                Box::pin(reviews::rejudge(config()?, &line, &person)).await
            }
            ReviewsCommand::Standing(list) => standing::list(config()?, &list).await.map(|()| true),
            ReviewsCommand::End { entry, person } => {
                Box::pin(standing::end(config()?, entry, &person)).await
            }
            ReviewsCommand::Dismiss { case_id, person } => {
                Box::pin(reviews::dismiss(config()?, case_id, &person)).await
            }
        },
        Command::Topology(TopologyCommand::Apply(topology)) => {
            topology::apply(config()?, topology).await.map(|()| true)
        }
        Command::Log(LogCommand::Anchor { file }) => {
            log::anchor(config()?, file.as_deref()).await.map(|()| true)
        }
        Command::Log(LogCommand::Verify { anchor, json }) => {
            log::verify(config()?, anchor.as_deref(), json).await
        }
        Command::Healthcheck { url } => healthcheck::run(&url).await.map(|()| true),
        Command::Config(ConfigCommand::Print) => {
            print::line(config()?.redacted());
            Ok(true)
        }
        Command::Keys(KeysCommand::New { id }) => {
            print::line(pseudonym::new_key_line(&id).trim());
            Ok(true)
        }
    }
}
