//! Faults of reference data, each with its file, its line and what to do about it.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One thing that is wrong in a file.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Fault {
    /// The file, as a path below the directory that was loaded.
    pub file: String,
    /// The line, from 1, where one can be named.
    pub line: Option<usize>,
    /// What is wrong.
    pub problem: String,
    /// What to do about it.
    pub remedy: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}; {}", self.problem, self.remedy)
    }
}

/// Where an entry was written.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Origin {
    /// The file.
    pub file: String,
    /// The first line of the entry.
    pub line: Option<usize>,
    /// The line of each field.
    pub fields: BTreeMap<String, usize>,
}

impl Origin {
    /// A fault of the entry as a whole.
    #[must_use]
    pub fn fault(&self, problem: impl Into<String>, remedy: impl Into<String>) -> Fault {
        Fault {
            file: self.file.clone(),
            line: self.line,
            problem: problem.into(),
            remedy: remedy.into(),
        }
    }

    /// A fault of one field.
    #[must_use]
    pub fn field_fault(
        &self,
        field: &str,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Fault {
        let mut fault = self.fault(problem, remedy);
        fault.line = self.fields.get(field).copied().or(fault.line);
        fault
    }

    /// The entry in words: file and line.
    #[must_use]
    pub fn place(&self) -> String {
        match self.line {
            Some(line) => format!("{}:{line}", self.file),
            None => self.file.clone(),
        }
    }
}

/// An entry of a file, and where it stands. The canonical form holds the entry alone.
#[derive(Clone, Debug)]
pub struct Entry<T> {
    /// What is written.
    pub value: T,
    /// Where.
    pub origin: Origin,
}

impl<T: Serialize> Serialize for Entry<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Entry<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = T::deserialize(deserializer)?;
        let origin = Origin {
            file: "canonical form".to_owned(),
            ..Origin::default()
        };
        Ok(Self { value, origin })
    }
}
