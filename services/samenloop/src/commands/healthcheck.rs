//! `samenloop healthcheck URL`: exit status 0 if the role there is ready, for containers and scripts.

use std::time::Duration;

use anyhow::bail;

/// Asks once, for at most five seconds.
///
/// # Errors
/// Says what the role answers.
pub async fn run(url: &str) -> anyhow::Result<()> {
    let client = reqwest::Client::builder()
        .timeout(Duration::from_secs(5))
        .build()?;
    let response = client.get(url).send().await?;
    let status = response.status();
    if !status.is_success() {
        bail!("{url} answers {status}: {}", response.text().await?);
    }
    Ok(())
}
