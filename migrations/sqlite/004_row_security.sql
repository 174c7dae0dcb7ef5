-- SQLite has no row security: the tenant in every statement is its wall. The number stays the same on both engines.
SELECT 1;
