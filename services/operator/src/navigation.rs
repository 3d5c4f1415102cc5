//! The parts of the site, in the order in which they stand above every page.

use crate::{frame::Frame, language::Say, person::Right};

/// A part: its first page, its name, and the right that its first page needs.
static PARTS: [(&str, Say, Right); 10] = [
    ("/", Say("Overview", "Overzicht"), Right::Watch),
    (
        "/declarations",
        Say("Declarations", "Declaraties"),
        Right::Declarations,
    ),
    ("/reviews", Say("Reviews", "Beoordelingen"), Right::Reviews),
    (
        "/quarantine",
        Say("Quarantine", "Quarantaine"),
        Right::Quarantine,
    ),
    ("/queues", Say("Queues", "Wachtrijen"), Right::Watch),
    ("/parked", Say("Parked", "Geparkeerd"), Right::Parked),
    (
        "/subscribers",
        Say("Subscribers", "Abonnees"),
        Right::Subscribers,
    ),
    ("/reference", Say("Rules", "Regels"), Right::Reference),
    (
        "/operations",
        Say("Operations", "Handelingen"),
        Right::Operations,
    ),
    ("/reasons", Say("Reasons", "Redenen"), Right::Enter),
];

/// A link to a part.
pub(crate) struct Link {
    pub(crate) path: &'static str,
    pub(crate) name: &'static str,
    pub(crate) is_current: bool,
}

/// Links to the parts that are open to whoever is looking.
pub(crate) fn links(frame: &Frame) -> Vec<Link> {
    let open = PARTS.iter().filter(|(_, _, right)| frame.may(*right));
    open.map(|(path, name, _)| Link {
        path,
        name: frame.text(name),
        is_current: frame.is_at(path),
    })
    .collect()
}
