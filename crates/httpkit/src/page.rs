//! `?limit=` and `?cursor=`.

use kernel::{Error, PageRequest, Result};
use serde::Deserialize;
use utoipa::IntoParams;

/// The paging part of a query; a route with filters of its own flattens nothing and repeats the two fields.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// Rows of the page, 1–200; 50 when absent.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<i64>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
}

impl PageQuery {
    /// Checks the limit; outside its range it is refused, never clamped.
    ///
    /// # Errors
    /// `validation_failed` for `limit`.
    pub fn request(self) -> Result<PageRequest> {
        let limit = self.limit.unwrap_or(50);
        if !(1..=200).contains(&limit) {
            return Err(Error::field("limit", "is 1 to 200"));
        }
        Ok(PageRequest { limit: limit as u32, cursor: self.cursor })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_outside_the_range_are_refused_not_clamped() {
        for (limit, ok) in [(0, false), (1, true), (200, true), (201, false), (-1, false)] {
            assert_eq!(PageQuery { limit: Some(limit), cursor: None }.request().is_ok(), ok, "{limit}");
        }
        assert_eq!(PageQuery::default().request().unwrap().limit, 50);
    }
}
