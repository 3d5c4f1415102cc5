//! samenloop-operator.
