//! samenloop-settlement.
