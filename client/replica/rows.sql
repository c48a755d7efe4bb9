-- What hangs on the rows of the kinds.

-- :name match_put
INSERT OR IGNORE INTO match(key, rid) VALUES(?1, ?2);

-- :name match_del
DELETE FROM match WHERE key = ?1 AND rid = ?2;

-- :name match_by_rid
-- Looks at all of them: after an erasure alone.
SELECT rid, key FROM match ORDER BY rid;

-- :name match_within
-- Looks at all of them: where a row that was lost came again.
SELECT rid, key FROM match WHERE rid > ?1 AND rid <= ?2 ORDER BY rid;

-- :name match_find
SELECT rid FROM match WHERE key = ?1;

-- :name match_shared
-- Keys of a few records: of many it tells nothing.
SELECT key, rid FROM match WHERE key IN (SELECT key FROM match
  GROUP BY key HAVING count(*) BETWEEN 2 AND ?1) ORDER BY key, rid;

-- :name history_put
INSERT OR REPLACE INTO history(rid, n, data) VALUES(?1, ?2, ?3);

-- :name history_last
SELECT n, data FROM history WHERE rid = ?1 ORDER BY n DESC LIMIT 1;

-- :name history_of
SELECT data FROM history WHERE rid = ?1 ORDER BY n;

-- :name history_all
SELECT rid, data FROM history ORDER BY rid, n;

-- :name history_next
SELECT rid FROM history WHERE rid > ?1 ORDER BY rid LIMIT 1;

-- :name history_del
DELETE FROM history WHERE rid = ?1;

-- :name history_move
UPDATE OR REPLACE history SET rid = ?2 WHERE rid = ?1;

-- :name handed_put
INSERT OR IGNORE INTO handed(rid, kind) VALUES(?1, ?2);

-- :name handed_del
DELETE FROM handed WHERE rid = ?1;

-- :name handed_del_range
DELETE FROM handed WHERE kind = ?1 AND rid > ?2 AND rid <= ?3;

-- :name handed_count
SELECT count(*) FROM handed;

-- :name handed_rids
SELECT rid, kind FROM handed WHERE rid > ?1 AND rid <= ?2 ORDER BY rid;

-- :name handed_all
SELECT rid, kind FROM handed ORDER BY rid;

-- :name conflict_put
INSERT OR REPLACE INTO conflict(rid, field, kind, opened_lsn)
VALUES(?1, ?2, ?3, ?4);

-- :name conflict_del
DELETE FROM conflict WHERE rid = ?1;

-- :name conflict_del_range
DELETE FROM conflict WHERE kind = ?1 AND rid > ?2 AND rid <= ?3;

-- :name conflict_all
SELECT rid, field, kind, opened_lsn FROM conflict ORDER BY opened_lsn, rid, field;

-- :name conflict_rids
SELECT rid, kind FROM conflict WHERE rid > ?1 AND rid <= ?2 ORDER BY rid;

-- :name conflict_of
SELECT field, opened_lsn FROM conflict WHERE rid = ?1 ORDER BY field;

-- :name conflict_count
SELECT count(*) FROM conflict;

-- :name conflict_log_put
INSERT OR IGNORE INTO conflict_log(lsn, rec, field, what, kind, dev, at_ms,
  root)
VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8);

-- :name conflict_log_all
SELECT lsn, rec, field, what, kind, dev, at_ms FROM conflict_log
ORDER BY lsn, rec, field, what;

-- :name alias_put
INSERT OR REPLACE INTO alias(loser, winner, given) VALUES(?1, ?2, ?3);

-- :name alias_del
DELETE FROM alias WHERE loser = ?1;

-- :name alias_of
SELECT winner FROM alias WHERE loser = ?1 AND winner IS NOT NULL;

-- :name alias_row
SELECT winner, given FROM alias WHERE loser = ?1;

-- :name alias_losers
SELECT loser FROM alias WHERE winner = ?1 ORDER BY loser;

-- :name alias_given
SELECT loser FROM alias WHERE given = ?1 ORDER BY loser;

-- :name alias_all
SELECT loser FROM alias;

-- :name alias_any
SELECT EXISTS(SELECT 1 FROM alias WHERE winner IS NOT NULL);

-- :name alias_count
SELECT count(winner) + count(given) FROM alias;
