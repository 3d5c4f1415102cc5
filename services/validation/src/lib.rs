//! samenloop-validation.
