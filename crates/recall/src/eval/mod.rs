//! Measuring recall on public data: readers, metrics and tables for `hearth eval`.
