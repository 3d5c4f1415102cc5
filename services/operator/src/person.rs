//! Who somebody is, what their roles let them do, and of whom. The one table of this is [`Right::roles`].

use std::{collections::BTreeSet, fmt};

use samenloop_domain::identifiers::Uzovi;

/// Most persons that a configuration names.
pub const PERSONS_MAX: usize = 32;

/// Longest name or subject of a person, in characters.
pub const NAME_CHARACTERS_MAX: usize = 120;

/// What somebody is on the site; a person may be several.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum PersonRole {
    /// Looks at everything that is not masked, and does nothing.
    Viewer,
    /// Works off what is stuck, and decides held lines.
    Operator,
    /// Agrees to what another person decides above the amount `reviews.second_person_above_cents`.
    SecondPerson,
    /// Buys for one insurer, and sees what is that insurer's.
    Purchaser,
    /// Looks at everything, also at masked bodies and at what other persons did, and does nothing.
    Auditor,
}

use PersonRole::{Auditor, Operator, Purchaser, SecondPerson, Viewer};

impl PersonRole {
    /// Every role.
    pub const ALL: [Self; 5] = [Viewer, Operator, SecondPerson, Purchaser, Auditor];

    /// Its word in configuration, claims and JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Viewer => "viewer",
            Operator => "operator",
            SecondPerson => "second_person",
            Purchaser => "purchaser",
            Auditor => "auditor",
        }
    }

    /// The role of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }
}

/// What a route lets somebody do. Every route states one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Right {
    /// What tells nothing of anybody: texts of reasons, the language, one's own sign-out.
    Enter,
    /// Figures over all insurers: overview, queues.
    Watch,
    /// Stops a stage, and lets it go on.
    PauseStage,
    /// Declarations, their claims and their timelines.
    Declarations,
    /// What is in quarantine, without bodies.
    Quarantine,
    /// Replays, parks, discards and restores deliveries.
    ActOnQuarantine,
    /// The masked body of a delivery; the look is written down.
    LookAtBody,
    /// Claims that settlement refused.
    Parked,
    /// Sends refused claims again, or discards them.
    ActOnParked,
    /// Held lines and cases.
    Reviews,
    /// Decides held lines and cases.
    DecideReview,
    /// Agrees to what another person decided.
    AgreeToReview,
    /// Contracts and rules in force.
    Reference,
    /// What-if and check: they write nothing.
    TryOut,
    /// Streams of insurers.
    Subscribers,
    /// Monitoring reports.
    Reports,
    /// What persons did and looked at.
    Operations,
}

impl Right {
    /// Every right.
    pub const ALL: [Self; 17] = [
        Self::Enter,
        Self::Watch,
        Self::PauseStage,
        Self::Declarations,
        Self::Quarantine,
        Self::ActOnQuarantine,
        Self::LookAtBody,
        Self::Parked,
        Self::ActOnParked,
        Self::Reviews,
        Self::DecideReview,
        Self::AgreeToReview,
        Self::Reference,
        Self::TryOut,
        Self::Subscribers,
        Self::Reports,
        Self::Operations,
    ];

    /// Who has it: the table. What a purchaser has, it has of its own insurer only ([`Scope`]).
    #[must_use]
    pub fn roles(self) -> &'static [PersonRole] {
        match self {
            Self::Enter => &PersonRole::ALL,
            Self::Watch => &[Viewer, Operator, SecondPerson, Auditor],
            Self::PauseStage => &[Operator],
            Self::Declarations => &PersonRole::ALL,
            Self::Quarantine => &[Viewer, Operator, SecondPerson, Auditor],
            Self::ActOnQuarantine => &[Operator],
            Self::LookAtBody => &[Operator, Auditor],
            Self::Parked => &[Viewer, Operator, SecondPerson, Auditor],
            Self::ActOnParked => &[Operator],
            Self::Reviews => &PersonRole::ALL,
            Self::DecideReview => &[Operator],
            Self::AgreeToReview => &[SecondPerson],
            Self::Reference => &PersonRole::ALL,
            Self::TryOut => &[Operator, Auditor],
            Self::Subscribers => &PersonRole::ALL,
            Self::Reports => &[Viewer, Operator, SecondPerson, Auditor],
            Self::Operations => &[Operator, SecondPerson, Auditor],
        }
    }
}

/// Of whom somebody may see what a right is about. A handler of a right that purchasers have must ask it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    /// Of everybody.
    Everybody,
    /// Of one insurer. What is another's is as if it were not there.
    Insurer(Uzovi),
}

impl Scope {
    /// The only insurer, where there is one.
    #[must_use]
    pub fn insurer(&self) -> Option<Uzovi> {
        match self {
            Self::Everybody => None,
            Self::Insurer(insurer) => Some(*insurer),
        }
    }

    /// Whether what belongs to an insurer, by its UZOVI number, may be seen.
    #[must_use]
    pub fn covers(&self, insurer: &str) -> bool {
        self.insurer().is_none_or(|own| own.as_str() == insurer)
    }
}

/// Somebody who was let in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Person {
    subject: String,
    name: String,
    roles: BTreeSet<PersonRole>,
    insurer: Option<Uzovi>,
}

impl Person {
    /// A person by an identifier that is nobody else's, a name to show, and roles. A purchaser needs an insurer.
    ///
    /// # Errors
    /// Says what is missing or too long.
    pub fn new(
        subject: &str,
        name: &str,
        roles: BTreeSet<PersonRole>,
        insurer: Option<Uzovi>,
    ) -> Result<Self, String> {
        let (subject, name) = (subject.trim(), name.trim());
        for text in [subject, name] {
            if text.is_empty() || text.chars().count() > NAME_CHARACTERS_MAX {
                return Err(format!("a name has 1 to {NAME_CHARACTERS_MAX} characters"));
            }
            if text.chars().any(char::is_control) {
                return Err("a name holds no control characters".to_owned());
            }
        }
        if roles.is_empty() {
            return Err(format!("{name} has no role: give one of {}", words()));
        }
        if roles.contains(&Purchaser) && insurer.is_none() {
            return Err(format!(
                "{name} is a purchaser of no insurer: write purchaser:UZOVI"
            ));
        }
        Ok(Self {
            subject: subject.to_owned(),
            name: name.to_owned(),
            insurer: insurer.filter(|_| roles.contains(&Purchaser)),
            roles,
        })
    }

    /// Persons of a configuration: `NAME = ROLE ROLE; NAME = purchaser:UZOVI`, each name once.
    ///
    /// # Errors
    /// Names the person and what is wrong with it.
    pub fn parse_all(text: &str) -> Result<Vec<Self>, String> {
        let mut persons: Vec<Self> = Vec::new();
        for entry in text.split(';').filter(|entry| !entry.trim().is_empty()) {
            let (name, roles) = entry
                .split_once('=')
                .ok_or_else(|| format!("`{}`: write NAME = ROLE ROLE", entry.trim()))?;
            let (roles, insurer) = parse_roles(roles.split_whitespace())
                .map_err(|problem| format!("{}: {problem}", name.trim()))?;
            let person = Self::new(name, name, roles, insurer)?;
            if persons.iter().any(|known| known.subject == person.subject) {
                return Err(format!("{} is named twice", person.name));
            }
            persons.push(person);
        }
        if persons.is_empty() || persons.len() > PERSONS_MAX {
            return Err(format!("name 1 to {PERSONS_MAX} persons"));
        }
        Ok(persons)
    }

    /// Who it is, for programs; nobody else's.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its roles, in order.
    pub fn roles(&self) -> impl Iterator<Item = PersonRole> {
        self.roles.iter().copied()
    }

    /// The insurer that it buys for.
    #[must_use]
    pub fn insurer(&self) -> Option<Uzovi> {
        self.insurer
    }

    /// Of whom it has a right; nothing where it has not.
    #[must_use]
    pub fn scope(&self, right: Right) -> Option<Scope> {
        let mut held = right
            .roles()
            .iter()
            .filter(|role| self.roles.contains(role));
        let first = held.next()?;
        let all = std::iter::once(first).chain(held);
        match self.insurer {
            Some(insurer) if all.clone().all(|role| *role == Purchaser) => {
                Some(Scope::Insurer(insurer))
            }
            _ => Some(Scope::Everybody),
        }
    }

    /// Whether it has a right.
    #[must_use]
    pub fn may(&self, right: Right) -> bool {
        self.scope(right).is_some()
    }
}

/// As the log of operations keeps it: the name, and the subject where that is another.
impl fmt::Display for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.name == self.subject {
            f.write_str(&self.name)
        } else {
            write!(f, "{} ({})", self.name, self.subject)
        }
    }
}

/// Roles as words: `operator`, `purchaser:3311`.
///
/// # Errors
/// Names the word.
pub fn parse_roles<'a>(
    words_given: impl Iterator<Item = &'a str>,
) -> Result<(BTreeSet<PersonRole>, Option<Uzovi>), String> {
    let (mut roles, mut insurer) = (BTreeSet::new(), None);
    for word in words_given {
        let (role, of) = match word.split_once(':') {
            Some((role, of)) => (role, Some(of)),
            None => (word, None),
        };
        let role = PersonRole::parse(role)
            .ok_or_else(|| format!("`{word}` is no role: it is one of {}", words()))?;
        if let Some(of) = of {
            let number = Uzovi::parse(of).filter(|_| role == Purchaser);
            let number = number.ok_or_else(|| format!("`{word}`: write purchaser:UZOVI"))?;
            if insurer.is_some_and(|known| known != number) {
                return Err("a purchaser buys for one insurer".to_owned());
            }
            insurer = Some(number);
        }
        roles.insert(role);
    }
    Ok((roles, insurer))
}

fn words() -> String {
    PersonRole::ALL.map(PersonRole::as_str).join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn persons_are_read_as_they_are_configured() {
        let persons = Person::parse_all("A. de Vries = operator auditor; Inkoop = purchaser:3311;");
        let persons = persons.expect("it is good");
        let shown: Vec<String> = persons.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["A. de Vries", "Inkoop"]);
        assert_eq!(persons[1].insurer(), Uzovi::parse("3311"));
        for wrong in [
            "",
            "A. de Vries",
            "A. de Vries =",
            " = operator",
            "A. de Vries = chief",
            "A. de Vries = purchaser",
            "A. de Vries = purchaser:331",
            "A. de Vries = purchaser:3311 purchaser:7095",
            "A. de Vries = viewer:3311",
            "A = viewer; A = operator",
        ] {
            assert!(Person::parse_all(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_purchaser_has_its_rights_of_its_own_insurer_only() {
        let of = |text: &str| Person::parse_all(text).expect("it is good").remove(0);
        let own = Uzovi::parse("3311").expect("four digits");
        let purchaser = of("I = purchaser:3311");
        for right in Right::ALL {
            let wanted = right
                .roles()
                .contains(&Purchaser)
                .then_some(Scope::Insurer(own));
            assert_eq!(purchaser.scope(right), wanted, "{right:?}");
        }
        let both = of("I = purchaser:3311 auditor");
        assert_eq!(both.scope(Right::Declarations), Some(Scope::Everybody));
        assert!(Scope::Insurer(own).covers("3311") && !Scope::Insurer(own).covers("7095"));
        assert!(
            !Scope::Insurer(own).covers(""),
            "what has no insurer is nobody's"
        );
    }

    #[test]
    fn whoever_only_looks_changes_nothing() {
        for right in [
            Right::PauseStage,
            Right::ActOnQuarantine,
            Right::ActOnParked,
            Right::DecideReview,
            Right::AgreeToReview,
        ] {
            for role in [Viewer, Purchaser, Auditor] {
                assert!(!right.roles().contains(&role), "{role:?} has {right:?}");
            }
        }
    }
}
