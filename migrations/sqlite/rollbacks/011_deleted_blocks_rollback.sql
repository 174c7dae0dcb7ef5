ALTER TABLE blocks DROP COLUMN deleted;
