//! samenloop-adapters.
