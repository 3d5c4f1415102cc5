//! Faults that adapters ask for at named points; empty in production.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

/// Where something may be made to fail.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum FaultPoint {
    /// A transaction is ready and not yet committed.
    BeforeCommit,
    /// It is committed, and its deliveries are not yet acknowledged.
    AfterCommitBeforeAck,
    /// A publication is confirmed, and not yet marked as sent.
    AfterConfirmBeforeMark,
    /// A store or broker is read.
    OnRead,
    /// Something is sent to a broker or a service.
    OnSend,
}

/// What goes wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// A transient error is returned.
    Error,
    /// The handler panics.
    Panic,
}

/// Which visits of which points fail. Cloned plans share their counts.
#[derive(Clone, Default, Debug)]
pub struct FaultPlan {
    planned: Arc<Mutex<BTreeMap<(FaultPoint, u64), Fault>>>,
    visits: Arc<Mutex<BTreeMap<FaultPoint, u64>>>,
    standing: Arc<Mutex<BTreeSet<FaultPoint>>>,
}

impl FaultPlan {
    /// Plans `fault` for the `visit`-th time (from 1) that `point` is passed.
    #[must_use]
    pub fn with(self, point: FaultPoint, visit: u64, fault: Fault) -> Self {
        self.planned
            .lock()
            .expect("no holder panics")
            .insert((point, visit), fault);
        self
    }

    /// Plans nothing any more.
    pub fn clear(&self) {
        self.planned.lock().expect("no holder panics").clear();
        self.standing.lock().expect("no holder panics").clear();
    }

    /// Makes every visit of `point` fail from now on, or no longer: something is away until it is back.
    pub fn set_standing(&self, point: FaultPoint, fails: bool) {
        let mut standing = self.standing.lock().expect("no holder panics");
        if fails {
            standing.insert(point);
        } else {
            standing.remove(&point);
        }
    }

    /// How often `point` was passed since something was planned.
    #[must_use]
    pub fn visits(&self, point: FaultPoint) -> u64 {
        let visits = self.visits.lock().expect("no holder panics");
        visits.get(&point).copied().unwrap_or_default()
    }

    /// Passes `point`: an error if one is planned for this visit.
    ///
    /// # Errors
    /// [`InjectedFault`] where the plan says so.
    pub fn pass(&self, point: FaultPoint) -> Result<(), InjectedFault> {
        if self
            .standing
            .lock()
            .expect("no holder panics")
            .contains(&point)
        {
            return Err(InjectedFault { point });
        }
        let planned = self.planned.lock().expect("no holder panics");
        if planned.is_empty() {
            return Ok(());
        }
        let mut visits = self.visits.lock().expect("no holder panics");
        let visit = visits.entry(point).or_default();
        *visit += 1;
        let fault = planned.get(&(point, *visit)).copied();
        drop((planned, visits));
        match fault {
            None => Ok(()),
            Some(Fault::Error) => Err(InjectedFault { point }),
            Some(Fault::Panic) => panic!("planned panic at {point:?}"),
        }
    }
}

/// An error that the plan asked for; always transient.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("planned fault at {point:?}")]
pub struct InjectedFault {
    /// Where.
    pub point: FaultPoint,
}
