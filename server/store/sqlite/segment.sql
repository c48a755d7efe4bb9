-- The part of the log that lies in segment files.

-- :name segment_of
-- The one that would have a position. Plan: rowid range, one row.
SELECT first_lsn, last_lsn, n FROM segment WHERE first_lsn <= @lsn
ORDER BY first_lsn DESC LIMIT 1;

-- :name segment_of_chain
SELECT first_lsn FROM segment_chain
WHERE dev = @dev AND inc = @inc AND first_cseq <= @cseq
ORDER BY first_cseq DESC LIMIT 1;

-- :name segment_last
SELECT first_lsn, last_lsn, n, hash FROM segment
ORDER BY first_lsn DESC LIMIT 1;

-- :name segment_all
-- For verification, listing and backup.
SELECT first_lsn, last_lsn, n, rows, bytes, hash, sig FROM segment
ORDER BY first_lsn;

-- :name segment_put
INSERT INTO segment(first_lsn, last_lsn, n, rows, bytes, hash, sig)
VALUES(@first_lsn, @last_lsn, @n, @rows, @bytes, @hash, @sig);

-- :name segment_bytes
-- A rewritten file (payloads erased) has another size; the hash stays.
UPDATE segment SET bytes = @bytes WHERE first_lsn = @first_lsn;

-- :name segment_chain_put
INSERT INTO segment_chain(dev, inc, first_cseq, last_cseq, first_lsn)
VALUES(@dev, @inc, @first_cseq, @last_cseq, @first_lsn);

-- :name log_old_del
-- A row ends at the position.
DELETE FROM log WHERE lsn <= @upto;

-- :name log_received_before
-- The first one that is not old enough; all of a row came at once. Plan: rowid range, stops there.
SELECT lsn FROM log WHERE lsn > @after AND received >= @ms
ORDER BY lsn LIMIT 1;

-- :name scope_keys
-- Every key once: one index look-up each, not a scan of the entries.
WITH RECURSIVE k(key) AS (
  SELECT min(key) FROM log_scope
  UNION ALL
  SELECT (SELECT min(key) FROM log_scope WHERE key > k.key) FROM k
  WHERE k.key IS NOT NULL)
SELECT key FROM k WHERE key IS NOT NULL;

-- :name scope_old_del
DELETE FROM log_scope WHERE key = @key AND lsn <= @upto;

-- :name scope_run_keys
-- The same of runs.
WITH RECURSIVE k(key) AS (
  SELECT min(key) FROM scope_run
  UNION ALL
  SELECT (SELECT min(key) FROM scope_run WHERE key > k.key) FROM k
  WHERE k.key IS NOT NULL)
SELECT key FROM k WHERE key IS NOT NULL;

-- :name scope_run_cut
-- What is left of the one that goes on behind the point. Nothing is, when the
-- next one begins there: runs of a key may meet in one position.
UPDATE OR IGNORE scope_run SET first = @upto + 1
WHERE key = @key AND first <= @upto AND last > @upto;

-- :name scope_run_old_del
DELETE FROM scope_run WHERE key = @key AND first <= @upto;

-- :name live_cursor
-- The least position of the devices that may still pull from the log. One that
-- has not synced yet takes a snapshot anyway.
SELECT coalesce(min(cursor), -1) FROM device
WHERE revoked = 0 AND cursor > 0 AND seen_ms >= @since;
