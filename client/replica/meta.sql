-- Small state, documents, settings, template objects.

-- :name meta_get
-- @key  text
SELECT value FROM meta WHERE key = ?1;

-- :name meta_all
-- Once, at open.
SELECT key, value FROM meta;

-- :name meta_put
-- @key    text
-- @value  integer or blob
INSERT INTO meta(key, value) VALUES(?1, ?2)
ON CONFLICT(key) DO UPDATE SET value = excluded.value;

-- :name meta_del
DELETE FROM meta WHERE key = ?1;

-- :name doc_get
SELECT body FROM doc WHERE key = ?1;

-- :name doc_put
INSERT INTO doc(key, body) VALUES(?1, ?2)
ON CONFLICT(key) DO UPDATE SET body = excluded.body;

-- :name setting_get
SELECT value FROM setting WHERE key = ?1;

-- :name setting_del
DELETE FROM setting WHERE key = ?1;

-- :name setting_purge
-- Keys in [?1, ?2) whose value begins with an instant before ?3, in 13 digits.
DELETE FROM setting WHERE key >= ?1 AND key < ?2
  AND CAST(substr(value, 1, 13) AS TEXT) < ?3;

-- :name setting_put
INSERT INTO setting(key, value) VALUES(?1, ?2)
ON CONFLICT(key) DO UPDATE SET value = excluded.value;

-- :name object_put
-- A known object comes again when a bundle overlaps.
INSERT OR IGNORE INTO tmpl_object(oid, type, data) VALUES(?1, ?2, ?3);

-- :name object_all
SELECT oid, type, data FROM tmpl_object;

-- :name table_columns
-- @table  text  of a kind; no row when there is no such table
SELECT name FROM pragma_table_info(?1);

-- :name table_indexes
-- @table  text  of a kind
SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = ?1;

-- :name index_named
-- @name  text
SELECT name FROM sqlite_master WHERE type = 'index' AND name = ?1;

-- :name indexes_old
-- A kind's that is named as before its key ended at a dot (kindtable.c).
SELECT 1 FROM sqlite_master WHERE type = 'index' AND name GLOB 'i_*' AND
    instr(name, '.') = 0 LIMIT 1;
