//! What the tests share: a world loader, private brokers and databases, one way to run a scenario.
