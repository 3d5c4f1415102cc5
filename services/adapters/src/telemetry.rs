//! Logs as JSON lines or text, and metrics for Prometheus. No BSN, no name and no body is ever logged.

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::{EnvFilter, fmt, prelude::*};

/// How logs are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LogFormat {
    /// A JSON object per line, for machines.
    Json,
    /// Text, for people.
    Text,
}

/// What is logged where nobody asked for anything else: what the services say, and the warnings of the libraries that
/// tell an operator of every migration that was applied long ago.
pub const DEFAULT_FILTER: &str = "info,refinery_core=warn,tokio_postgres=warn";

/// Starts logging to standard error, filtered by `SAMENLOOP_LOG`, or by `default_filter` without it. Later calls have
/// no effect.
pub fn start_logs(format: LogFormat, default_filter: &str) {
    let filter =
        EnvFilter::try_from_env("SAMENLOOP_LOG").unwrap_or_else(|_| EnvFilter::new(default_filter));
    // lapin logs returned messages whole, and a body may hold a BSN.
    let hidden = "lapin::returned_messages=off";
    let filter = filter.add_directive(hidden.parse().expect("the directive is well formed"));
    let registry = tracing_subscriber::registry().with(filter);
    let started = match format {
        LogFormat::Json => registry
            .with(fmt::layer().json().with_writer(std::io::stderr))
            .try_init(),
        LogFormat::Text => registry
            .with(fmt::layer().with_writer(std::io::stderr))
            .try_init(),
    };
    if started.is_err() {
        tracing::debug!("logs were started before");
    }
}

/// Starts collecting metrics; the handle renders them. None where another recorder was installed before.
#[must_use]
pub fn start_metrics() -> Option<PrometheusHandle> {
    PrometheusBuilder::new().install_recorder().ok()
}
