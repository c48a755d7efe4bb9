-- Rows of the exported database's own tables; those of the kinds are built.

-- :name book_about
INSERT INTO _about(key, value) VALUES(?1, ?2);

-- :name book_column
INSERT INTO _columns(table_name, column_name, zh, en, type, options)
VALUES(?1, ?2, ?3, ?4, ?5, ?6);

-- :name book_option
-- Another kind may have brought it.
INSERT OR IGNORE INTO _options(options, key, zh, en, retired)
VALUES(?1, ?2, ?3, ?4, ?5);

-- :name book_user
INSERT INTO _users(key, name, role, team) VALUES(?1, ?2, ?3, ?4);

-- :name book_report
INSERT INTO _reports(report, title, period, as_of) VALUES(?1, ?2, ?3, ?4);

-- :name book_report_cell
INSERT INTO _report_cells(report, row, position, key, value)
VALUES(?1, ?2, ?3, ?4, ?5);
