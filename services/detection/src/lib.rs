//! samenloop-detection.
