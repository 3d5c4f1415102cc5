//! samenloop-gateway.
