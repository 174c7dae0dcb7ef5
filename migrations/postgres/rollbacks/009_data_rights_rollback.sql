DROP INDEX ix_artifacts_blob_key;
DROP TABLE export_parts;
DROP TABLE exports;
DROP TABLE legal_holds;
DROP TABLE erasures;
