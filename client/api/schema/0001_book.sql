-- A plain database for whoever analyses records with tools of his own. The
-- tables of the kinds are made from the template beside these.

-- Where it comes from.
CREATE TABLE _about (
  key    TEXT PRIMARY KEY,
  value  TEXT
);

-- What each column is called.
CREATE TABLE _columns (
  table_name   TEXT,
  column_name  TEXT,
  zh           TEXT,
  en           TEXT,
  type         TEXT,
  options      TEXT,
  PRIMARY KEY (table_name, column_name)
);

-- The options of fields that have some.
CREATE TABLE _options (
  options  TEXT,
  key      TEXT,
  zh       TEXT,
  en       TEXT,
  retired  INTEGER,
  PRIMARY KEY (options, key)
);

-- People, by the key that records name them by.
CREATE TABLE _users (
  key   TEXT PRIMARY KEY,
  name  TEXT,
  role  TEXT,
  team  TEXT
);

-- The reports this role may run, as they were when the file was made. A view
-- report_KEY has each as a table.
CREATE TABLE _reports (
  report  TEXT PRIMARY KEY,
  title   TEXT,
  period  TEXT,
  as_of   TEXT
);
CREATE TABLE _report_cells (
  report    TEXT,
  row       INTEGER, -- from 1, in the report's order
  position  INTEGER, -- of the column, from 1
  key       TEXT,    -- of the column
  value,             -- a number, or a text as the report prints it
  PRIMARY KEY (report, row, position)
) WITHOUT ROWID;
