//! Settings of limits, and of what servers count in together.

use std::num::NonZeroU32;
use std::time::Duration;

use httpkit::limits::RateConfig;
use kernel::Secret;

use super::checks::Finding;
use super::values::Values;

/// How often callers may ask.
pub(super) fn rate(values: &Values) -> RateConfig {
    let at_least_one = |name: &str| NonZeroU32::new(values.number(name) as u32).unwrap_or(NonZeroU32::MIN);
    RateConfig {
        max_requests: at_least_one("RATE_LIMIT_MAX_REQUESTS"),
        window: Duration::from_millis(values.millis("RATE_LIMIT_WINDOW_MS")),
        events_per_minute: at_least_one("RATE_LIMIT_EVENTS_PER_MINUTE"),
        tenant_max_requests: NonZeroU32::new(values.number("RATE_LIMIT_TENANT_MAX_REQUESTS") as u32),
    }
}

/// The Redis to use, when one is named and wanted.
pub(super) fn redis_url(values: &Values, findings: &mut Vec<Finding>) -> Option<Secret> {
    let is_wanted = !values.is_set("REDIS_ENABLED") || values.flag("REDIS_ENABLED");
    match values.text("REDIS_URL") {
        Some(url) if !url.starts_with("redis://") && !url.starts_with("rediss://") => {
            findings
                .push(Finding::refusal("REDIS_URL", "is no redis address; write it like redis://host:6379"));
            None
        }
        Some(url) => is_wanted.then(|| Secret::new(url)),
        None if values.is_set("REDIS_ENABLED") && is_wanted => {
            let text = "is true although REDIS_URL is not set; set that or remove this";
            findings.push(Finding::refusal("REDIS_ENABLED", text));
            None
        }
        None => None,
    }
}
