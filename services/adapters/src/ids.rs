//! Identifiers that we make ourselves: the only place that draws randomness.

use std::sync::{Arc, Mutex};

use uuid::Uuid;

/// Where new ids come from.
#[derive(Clone, Debug)]
pub enum Ids {
    /// UUIDv7 of the machine's clock and randomness.
    System,
    /// Counted from a seed, for tests and simulation.
    Seeded(Arc<Mutex<u64>>),
}

impl Ids {
    /// Ids that are the same for the same seed.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self::Seeded(Arc::new(Mutex::new(seed)))
    }

    /// A new id.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the seam that the ban points to"
    )]
    pub fn next(&self) -> Uuid {
        match self {
            Self::System => Uuid::now_v7(),
            Self::Seeded(state) => {
                let mut state = state.lock().expect("no holder of the state panics");
                *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
                let high = mix(*state);
                uuid::Builder::from_random_bytes(bytes(high, mix(high))).into_uuid()
            }
        }
    }
}

/// The finaliser of splitmix64.
fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

fn bytes(high: u64, low: u64) -> [u8; 16] {
    ((u128::from(high) << 64) | u128::from(low)).to_be_bytes()
}

/// Fresh secret bytes: keys, nonces, tokens.
///
/// # Panics
/// Where the system gives no randomness.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "this is the seam that the ban points to"
)]
pub fn secret_bytes<const N: usize>() -> [u8; N]
where
    [u8; N]: ring::rand::RandomlyConstructable,
{
    ring::rand::generate(&ring::rand::SystemRandom::new())
        .expect("the system gives randomness")
        .expose()
}
