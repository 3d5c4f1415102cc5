//! The examples as processes: ended by themselves, or killed.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Output, Stdio},
    time::Duration,
};

use harness::production::variable;
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    process::{Child, ChildStdout, Command},
    time::timeout,
};

/// Far longer than any example takes.
const PATIENCE: Duration = Duration::from_secs(120);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Language {
    Python,
    TypeScript,
}

pub(crate) const LANGUAGES: [Language; 2] = [Language::Python, Language::TypeScript];

/// An example with what it is given.
pub(crate) struct Example {
    name: String,
    command: Command,
}

impl Example {
    /// `name` as it was built by `tests/run`, in `directory`.
    pub(crate) fn new(language: Language, name: &str, directory: &Path) -> Self {
        let clients = PathBuf::from(variable("TEST_CLIENTS"));
        let (program, file) = match language {
            Language::Python => (
                variable("TEST_PYTHON"),
                clients.join(format!("python/examples/{name}.py")),
            ),
            Language::TypeScript => (
                "node".to_owned(),
                clients.join(format!("typescript/dist/examples/{name}.js")),
            ),
        };
        let mut command = Command::new(program);
        command.arg(file).current_dir(directory).kill_on_drop(true);
        let name = format!("{name} in {language:?}");
        Self { name, command }
    }

    pub(crate) fn arguments(mut self, arguments: &[&str]) -> Self {
        self.command.args(arguments);
        self
    }

    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// What it prints, once it ended well.
    pub(crate) async fn run(self) -> String {
        let (name, output) = self.output().await;
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{name}: {errors}");
        String::from_utf8(output.stdout).expect("text")
    }

    /// What it says of its failure.
    pub(crate) async fn fail(self) -> String {
        let (name, output) = self.output().await;
        assert!(!output.status.success(), "{name} ends badly");
        String::from_utf8(output.stderr).expect("text")
    }

    async fn output(mut self) -> (String, Output) {
        let ended = timeout(PATIENCE, self.command.output()).await;
        let ended = ended.unwrap_or_else(|_| panic!("{} does not end", self.name));
        (self.name, ended.expect("it runs"))
    }

    pub(crate) fn start(mut self, output: Stdio) -> Running {
        let mut child = self.command.stdout(output).spawn().expect("it runs");
        let printed = child.stdout.take().expect("its output is piped");
        Running {
            name: self.name,
            child,
            lines: BufReader::new(printed).lines(),
        }
    }
}

/// An example that runs until it is killed.
pub(crate) struct Running {
    name: String,
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Running {
    /// Waits until it printed so many more lines.
    pub(crate) async fn read_lines(&mut self, count: usize) {
        for _ in 0..count {
            let line = timeout(PATIENCE, self.lines.next_line()).await;
            let line = line.unwrap_or_else(|_| panic!("{} prints nothing", self.name));
            assert!(line.expect("text").is_some(), "{} ended", self.name);
        }
    }

    /// Kills it without a warning.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.expect("it is there");
    }
}

/// What an example kept of a stream.
pub(crate) struct Kept {
    pub(crate) positions: Vec<u64>,
    pub(crate) cents: i64,
}

impl Kept {
    pub(crate) fn read(file: &Path) -> Self {
        let text = fs::read_to_string(file).expect("events are kept");
        let lines = text.lines().map(|line| {
            let line: Value = serde_json::from_str(line).expect("every line is whole");
            (line["position"].as_u64(), line["cents"].as_i64())
        });
        let (positions, cents): (Vec<_>, Vec<_>) = lines.unzip();
        Self {
            positions: positions.into_iter().flatten().collect(),
            cents: cents.into_iter().flatten().sum(),
        }
    }
}
