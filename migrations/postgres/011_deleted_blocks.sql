-- A deleted block keeps its label and its versions until its time has come.
ALTER TABLE blocks ADD COLUMN deleted BOOLEAN NOT NULL DEFAULT FALSE;
