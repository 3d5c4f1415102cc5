//! Reads a directory of TOML files into entries that know their file and line.
//!
//! Every entry is read on its own, so that one that is wrong does not hide the faults of the next.

use std::{collections::BTreeMap, fs, ops::Range, path::Path};

use serde::de::DeserializeOwned;
use toml::{
    Spanned,
    de::{DeTable, DeValue, ValueDeserializer},
};

use super::{
    data::{ContractEntry, LineRuleEntry, PairRuleEntry, ReferenceData},
    fault::{Entry, Fault, Origin},
};

/// Largest file that is read.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Reads all files of `dir`.
pub(super) fn read(dir: &Path) -> Result<ReferenceData, Vec<Fault>> {
    let mut reader = Reader {
        dir,
        faults: Vec::new(),
    };
    let version = reader.single("version.toml");
    let contracts = reader.contracts();
    let data = version.map(|version| ReferenceData {
        version,
        code_lists: reader.list("code_lists.toml", "code_list"),
        catalogue: reader.list("catalogue.toml", "prestatie"),
        providers: reader.list("providers.toml", "provider"),
        insurers: reader.list("insurers.toml", "insurer"),
        parties: reader.list("parties.toml", "party"),
        mandates: reader.list("mandates.toml", "mandate"),
        groups: reader.list("groups.toml", "group"),
        activities: reader.list("activities.toml", "activity"),
        contracts,
        pair_rules: reader.list("pair_rules.toml", "pair_rule"),
        line_rules: reader.list("line_rules.toml", "line_rule"),
        policies: reader.list("policies.toml", "policy"),
    });
    match data {
        Some(data) if reader.faults.is_empty() => Ok(data),
        _ => Err(reader.faults),
    }
}

/// Reads a file that is one contract.
pub(super) fn contract(path: &Path) -> Result<Entry<ContractEntry>, Vec<Fault>> {
    let mut reader = Reader {
        dir: path.parent().unwrap_or(Path::new("")),
        faults: Vec::new(),
    };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    match reader.single(&name) {
        Some(contract) if reader.faults.is_empty() => Ok(contract),
        _ => Err(reader.faults),
    }
}

/// Reads every contract of a directory.
pub(super) fn contracts(dir: &Path) -> Result<Vec<Entry<ContractEntry>>, Vec<Fault>> {
    let mut reader = Reader {
        dir,
        faults: Vec::new(),
    };
    let files = reader.files_in("");
    let contracts: Vec<_> = files.iter().filter_map(|it| reader.single(it)).collect();
    if contracts.is_empty() && reader.faults.is_empty() {
        let remedy = "name a directory of files such as C1.toml";
        reader.fault(
            &dir.display().to_string(),
            None,
            "has no contract".to_owned(),
            remedy,
        );
    }
    reader.end(contracts)
}

/// Pair rules and line rules.
type RuleEntries = (Vec<Entry<PairRuleEntry>>, Vec<Entry<LineRuleEntry>>);

/// Reads the rules of a directory.
pub(super) fn rules(dir: &Path) -> Result<RuleEntries, Vec<Fault>> {
    let mut reader = Reader {
        dir,
        faults: Vec::new(),
    };
    let pair = reader.list("pair_rules.toml", "pair_rule");
    let line = reader.list("line_rules.toml", "line_rule");
    reader.end((pair, line))
}

struct Reader<'a> {
    dir: &'a Path,
    faults: Vec<Fault>,
}

impl Reader<'_> {
    fn fault(&mut self, file: &str, line: Option<usize>, problem: String, remedy: &str) {
        self.faults.push(Fault {
            file: file.to_owned(),
            line,
            problem,
            remedy: remedy.to_owned(),
        });
    }

    fn text(&mut self, file: &str) -> Option<Text> {
        let path = self.dir.join(file);
        let too_large = fs::metadata(&path).is_ok_and(|it| it.len() > FILE_BYTES_MAX);
        if too_large {
            let problem = format!("the file is larger than {FILE_BYTES_MAX} bytes");
            self.fault(file, None, problem, "split it or remove what is not used");
            return None;
        }
        match fs::read_to_string(&path) {
            Ok(text) => Some(Text::new(text)),
            Err(error) => {
                let remedy = "put the file there, empty if it has no entries";
                self.fault(file, None, format!("cannot be read: {error}"), remedy);
                None
            }
        }
    }

    /// What was read, if it has no fault.
    fn end<T>(self, read: T) -> Result<T, Vec<Fault>> {
        match self.faults.is_empty() {
            true => Ok(read),
            false => Err(self.faults),
        }
    }

    /// The names of the TOML files of a folder, sorted.
    fn files_in(&mut self, folder: &str) -> Vec<String> {
        let entries = match fs::read_dir(self.dir.join(folder)) {
            Ok(entries) => entries,
            Err(error) => {
                let problem = format!("cannot be read: {error}");
                self.fault(folder, None, problem, "make the directory");
                return Vec::new();
            }
        };
        let under = match folder {
            "" => String::new(),
            folder => format!("{folder}/"),
        };
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let mut files: Vec<String> = names
            .filter(|name| name.ends_with(".toml"))
            .map(|name| format!("{under}{name}"))
            .collect();
        files.sort();
        files
    }

    fn contracts<T: DeserializeOwned>(&mut self) -> Vec<Entry<T>> {
        let files = self.files_in("contracts");
        files.iter().filter_map(|file| self.single(file)).collect()
    }

    /// A file that is one entry.
    fn single<T: DeserializeOwned>(&mut self, file: &str) -> Option<Entry<T>> {
        let text = self.text(file)?;
        let table = self.table(file, &text)?;
        let span = table.span();
        let value = Spanned::new(span, DeValue::Table(table.into_inner()));
        self.entry(file, &text, value)
    }

    /// A file that is a list of entries under `key`.
    fn list<T: DeserializeOwned>(&mut self, file: &str, key: &str) -> Vec<Entry<T>> {
        let Some(text) = self.text(file) else {
            return Vec::new();
        };
        let Some(table) = self.table(file, &text) else {
            return Vec::new();
        };
        let mut entries = Vec::new();
        for (name, value) in table.into_inner() {
            let line = Some(text.line(&name.span()));
            match value.into_inner() {
                DeValue::Array(values) if *name.get_ref() == key => {
                    let read = values
                        .into_iter()
                        .map(|value| self.entry(file, &text, value));
                    entries.extend(read.flatten());
                }
                _ => {
                    let problem = format!("`{}` does not belong here", name.get_ref());
                    let remedy = format!("write entries as [[{key}]]");
                    self.fault(file, line, problem, &remedy);
                }
            }
        }
        entries
    }

    fn table<'t>(&mut self, file: &str, text: &'t Text) -> Option<Spanned<DeTable<'t>>> {
        match DeTable::parse(&text.text) {
            Ok(table) => Some(table),
            Err(error) => {
                let line = error.span().map(|span| text.line(&span));
                let problem = one_line(error.message());
                self.fault(file, line, problem, "write the line as TOML");
                None
            }
        }
    }

    fn entry<T: DeserializeOwned>(
        &mut self,
        file: &str,
        text: &Text,
        value: Spanned<DeValue<'_>>,
    ) -> Option<Entry<T>> {
        let origin = origin(file, text, &value);
        match T::deserialize(ValueDeserializer::from(value)) {
            Ok(value) => Some(Entry { value, origin }),
            Err(error) => {
                let line = error.span().map(|span| text.line(&span));
                let problem = one_line(error.message());
                let remedy = "see deploy/sample/README.md for the fields of an entry";
                self.fault(file, line.or(origin.line), problem, remedy);
                None
            }
        }
    }
}

fn origin(file: &str, text: &Text, value: &Spanned<DeValue<'_>>) -> Origin {
    let mut fields = BTreeMap::new();
    if let DeValue::Table(table) = value.get_ref() {
        for name in table.keys() {
            fields.insert(name.get_ref().to_string(), text.line(&name.span()));
        }
    }
    let first = fields.values().min().copied();
    let line = text.line(&value.span());
    Origin {
        file: file.to_owned(),
        // A table without a header of its own has no useful span.
        line: Some(if value.span().start == 0 {
            first.unwrap_or(line)
        } else {
            line
        }),
        fields,
    }
}

/// The text of a file, and where its lines begin.
struct Text {
    text: String,
    starts: Vec<usize>,
}

impl Text {
    fn new(text: String) -> Self {
        let breaks = text.match_indices('\n').map(|(at, _)| at + 1);
        let starts = std::iter::once(0).chain(breaks).collect();
        Self { text, starts }
    }

    fn line(&self, span: &Range<usize>) -> usize {
        self.starts.partition_point(|start| *start <= span.start)
    }
}

fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}
