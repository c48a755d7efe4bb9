-- Records, who holds them, and what concerns whom.

-- :name rec_by_id
SELECT eid, id, kind, root, owner, state FROM rec WHERE id = @id;

-- :name rec_by_eid
SELECT eid, id, kind, root, owner, state FROM rec WHERE eid = @eid;

-- :name rec_insert
INSERT INTO rec(eid, id, kind, root, owner, state)
VALUES(@eid, @id, @kind, @root, @owner, @state);

-- :name rec_update
-- id and kind of a record never change, its root by rec_move only.
UPDATE rec SET owner = @owner, state = @state WHERE eid = @eid;

-- :name rec_move
-- Apart from rec_update: naming an indexed column writes the index.
UPDATE rec SET root = @root WHERE eid = @eid;

-- :name rec_max
SELECT coalesce(max(eid), 0) FROM rec;

-- :name rec_scan
SELECT eid, id, kind, root, owner, state FROM rec WHERE eid > @after
ORDER BY eid;

-- :name rec_of_root
-- Plan: index rec_root gives ascending eid, no sort.
SELECT eid, id, kind, root, owner, state FROM rec WHERE root = @root
ORDER BY eid;

-- :name rec_count
-- Records of the live roots of a key; both indexes only, no row is read.
SELECT count(*) FROM member JOIN rec ON rec.root = member.root
WHERE member.key = @key AND member.n > 0;

-- :name roots_of_key
SELECT root FROM member WHERE key = @key AND root > @after AND n > 0
ORDER BY root;

-- :name member_get
SELECT n, left_lsn FROM member WHERE key = @key AND root = @root;

-- :name member_put
INSERT INTO member(key, root, n, left_lsn) VALUES(@key, @root, @n, @left_lsn)
ON CONFLICT(key, root) DO UPDATE SET n = excluded.n,
  left_lsn = excluded.left_lsn;

-- :name member_keys
-- Plan: partial index member_live, no row is read.
SELECT key FROM member WHERE root = @root AND n > 0;

-- :name owner_left_put
INSERT INTO owner_left(eid, owner, lsn) VALUES(@eid, @owner, @lsn)
ON CONFLICT(eid, owner) DO UPDATE SET lsn = excluded.lsn;

-- :name owner_left_get
SELECT lsn FROM owner_left WHERE eid = @eid AND owner = @owner;

-- :name scope_put
-- REPLACE: in a table that is nothing but its key, SQLite then writes without
-- looking first. An entry that is there already is the same entry.
INSERT OR REPLACE INTO log_scope(key, lsn, root) VALUES(@key, @lsn, @root);

-- :name scope_put_8
-- The same for eight, by position.
INSERT OR REPLACE INTO log_scope(key, lsn, root) VALUES(?, ?, ?), (?, ?, ?),
  (?, ?, ?), (?, ?, ?), (?, ?, ?), (?, ?, ?), (?, ?, ?), (?, ?, ?);

-- :name scope_run_put
-- An entry of the last position may be told of again.
INSERT INTO scope_run(key, first, last) VALUES(@key, @first, @last)
ON CONFLICT(key, first) DO UPDATE SET last = max(last, excluded.last);

-- :name scope_run_put_8
-- The same for eight, by position.
INSERT INTO scope_run(key, first, last) VALUES(?, ?, ?), (?, ?, ?),
  (?, ?, ?), (?, ?, ?), (?, ?, ?), (?, ?, ?), (?, ?, ?), (?, ?, ?)
ON CONFLICT(key, first) DO UPDATE SET last = max(last, excluded.last);

-- :name scope_head
SELECT max(coalesce((SELECT max(lsn) FROM log_scope WHERE key = @key), 0),
  coalesce((SELECT last FROM scope_run WHERE key = @key
  ORDER BY first DESC LIMIT 1), 0));

-- :name scope_one
-- The run that holds the position, those behind it, and rescopes.
SELECT first, 0, last FROM scope_run WHERE key = @key AND first >= coalesce(
  (SELECT max(first) FROM scope_run WHERE key = @key AND first <= @after), 0)
UNION ALL
SELECT lsn, root, lsn FROM log_scope WHERE key = @key AND lsn > @after
ORDER BY 1, 2;

-- :name scope_many
-- Up to SAT_KEYS_MAX keys; an unused one is -1. Plan: a merge of index
-- ranges, no sort, so that the reader may stop early.
SELECT first, 0, last FROM scope_run WHERE key = @k1 AND first >= coalesce(
  (SELECT max(first) FROM scope_run WHERE key = @k1 AND first <= @after), 0)
UNION ALL
SELECT lsn, root, lsn FROM log_scope WHERE key = @k1 AND lsn > @after
UNION ALL
SELECT first, 0, last FROM scope_run WHERE key = @k2 AND first >= coalesce(
  (SELECT max(first) FROM scope_run WHERE key = @k2 AND first <= @after), 0)
UNION ALL
SELECT lsn, root, lsn FROM log_scope WHERE key = @k2 AND lsn > @after
UNION ALL
SELECT first, 0, last FROM scope_run WHERE key = @k3 AND first >= coalesce(
  (SELECT max(first) FROM scope_run WHERE key = @k3 AND first <= @after), 0)
UNION ALL
SELECT lsn, root, lsn FROM log_scope WHERE key = @k3 AND lsn > @after
UNION ALL
SELECT first, 0, last FROM scope_run WHERE key = @k4 AND first >= coalesce(
  (SELECT max(first) FROM scope_run WHERE key = @k4 AND first <= @after), 0)
UNION ALL
SELECT lsn, root, lsn FROM log_scope WHERE key = @k4 AND lsn > @after
UNION ALL
SELECT first, 0, last FROM scope_run WHERE key = @k5 AND first >= coalesce(
  (SELECT max(first) FROM scope_run WHERE key = @k5 AND first <= @after), 0)
UNION ALL
SELECT lsn, root, lsn FROM log_scope WHERE key = @k5 AND lsn > @after
UNION ALL
SELECT first, 0, last FROM scope_run WHERE key = @k6 AND first >= coalesce(
  (SELECT max(first) FROM scope_run WHERE key = @k6 AND first <= @after), 0)
UNION ALL
SELECT lsn, root, lsn FROM log_scope WHERE key = @k6 AND lsn > @after
UNION ALL
SELECT first, 0, last FROM scope_run WHERE key = @k7 AND first >= coalesce(
  (SELECT max(first) FROM scope_run WHERE key = @k7 AND first <= @after), 0)
UNION ALL
SELECT lsn, root, lsn FROM log_scope WHERE key = @k7 AND lsn > @after
UNION ALL
SELECT first, 0, last FROM scope_run WHERE key = @k8 AND first >= coalesce(
  (SELECT max(first) FROM scope_run WHERE key = @k8 AND first <= @after), 0)
UNION ALL
SELECT lsn, root, lsn FROM log_scope WHERE key = @k8 AND lsn > @after
UNION ALL
SELECT first, 0, last FROM scope_run WHERE key = @k9 AND first >= coalesce(
  (SELECT max(first) FROM scope_run WHERE key = @k9 AND first <= @after), 0)
UNION ALL
SELECT lsn, root, lsn FROM log_scope WHERE key = @k9 AND lsn > @after
ORDER BY 1, 2;

-- :name match_put
INSERT OR IGNORE INTO match(key, eid) VALUES(@key, @eid);

-- :name match_del
DELETE FROM match WHERE key = @key AND eid = @eid;

-- :name match_find
SELECT eid FROM match WHERE key = @key ORDER BY eid;
