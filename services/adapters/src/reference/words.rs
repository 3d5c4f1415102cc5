//! The closed vocabularies of reference data, as files write them: lower-case words.

use samenloop_domain::reference as domain;
use serde::{Deserialize, Serialize};

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($variant:ident),+ $(,)? })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name {
            $(
                #[doc = concat!("`", stringify!($variant), "` of the domain, in snake case.")]
                $variant
            ),+
        }

        impl From<$name> for domain::$name {
            fn from(word: $name) -> Self {
                match word {
                    $($name::$variant => Self::$variant),+
                }
            }
        }
    )+};
}

words! {
    /// What one unit of a prestatie is.
    Unit { Lumpsum, Insured, Quarter, Hour, Week, Month, Year, Piece }

    /// What must hold of a line.
    Condition {
        WrittenAgreement, PatientGroup, ZorginstituutAssessment, TwoZorgaanbieders,
        InCareOnFirstDay, NoInsured, InsuredRequired, DomainShares, SectorShares, NoRegularCare,
        RivalOnly,
    }

    /// How insurers buy.
    PurchaseModel { Concurrentie, Volgbeleid, Representatie }

    /// Where a contract stands.
    ContractState { Concept, InNegotiation, Signed, Active, Ended }

    /// How closely two lines must meet.
    MatchLevel { Candidate, Full, SameInsured, SameContract }

    /// What a rule says.
    Effect { Allow, Reduce, Review, Exclude }

    /// A condition of a pair rule.
    When {
        Always, HybridWithDeduction, HybridWithoutDeduction, ChainCoordinationInBoth,
        SchoningNotRecorded, AgreedAsPart, SameForm, OtherForm, EqualPeriod, UnequalPeriod,
        Subcontracted, SameCondition, SameDeclarant,
    }

    /// Whether a payer must be shared.
    InsurerPredicate { Any, Shared }

    /// What a rule rests on.
    Basis { Law, Regulation, Standard, Draft, Model, Assumption }

    /// What a line rule looks at.
    LineCondition { HybridWithDeduction, HybridWithoutDeduction, FewerThanTwoZorgaanbieders }
}

/// How the price of a prestatie is bound. Source: 001_391917b9bc3bdc5d.txt, 4.5.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TariefWord {
    /// What the contract says.
    Vrij,
    /// Exactly the tarief.
    Vast,
    /// At most the tarief.
    Maximum,
    /// At most the tarief, or a tenth more by written agreement.
    MaxMax,
    /// At least the tarief.
    Minimum,
}

/// Who is billed under a contract.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BillingWord {
    /// Every bound insurer, for its share.
    EachInsurer,
    /// The lead insurer, for the whole.
    LeadInsurer,
}

/// How an insurer stands to a contract that others negotiated.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StanceWord {
    /// As agreed.
    #[default]
    Follows,
    /// With tarieven of its own.
    Deviates,
    /// Not at all.
    OptedOut,
}
