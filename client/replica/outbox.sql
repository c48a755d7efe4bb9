-- Own commits: written once, answered, forgotten when the server is safe.

-- :name outbox_put
-- Runs on every local write.
INSERT INTO outbox(seq, wall_ms, header, payload, sealed)
VALUES(?1, ?2, ?3, ?4, ?5);

-- :name outbox_last
SELECT max(seq) FROM outbox;

-- :name outbox_put_run
-- Those that follow the last row one after the other: the table numbers them.
-- Not to be undone alone when it fails (the whole group is), for which SQLite
-- would copy a page first.
-- @wall_ms @header @payload  of each
INSERT OR FAIL INTO outbox(wall_ms, header, payload) VALUES
  (?1, ?2, ?3), (?4, ?5, ?6), (?7, ?8, ?9), (?10, ?11, ?12),
  (?13, ?14, ?15), (?16, ?17, ?18), (?19, ?20, ?21), (?22, ?23, ?24),
  (?25, ?26, ?27), (?28, ?29, ?30), (?31, ?32, ?33), (?34, ?35, ?36),
  (?37, ?38, ?39), (?40, ?41, ?42), (?43, ?44, ?45), (?46, ?47, ?48);

-- :name salt_seed_put
INSERT OR REPLACE INTO salt_seed(seq, seed) VALUES(?1, ?2);

-- :name salt_seed_all
SELECT seq, seed FROM salt_seed ORDER BY seq;

-- :name salt_seed_forget
DELETE FROM salt_seed;

-- :name outbox_newest
SELECT seq, wall_ms, header FROM outbox ORDER BY seq DESC LIMIT 1;

-- :name outbox_get
SELECT o.header, o.payload, coalesce(a.state, 0), a.lsn, a.eff, o.sealed
FROM outbox AS o LEFT JOIN answer AS a ON a.seq = o.seq
WHERE o.seq = ?1;

-- :name recovered_take
-- What a lost server had accepted after its last backup.
-- @base  lsn
INSERT OR IGNORE INTO recovered(seq, old)
SELECT seq, lsn FROM answer WHERE state IN (1, 2) AND lsn > ?1
AND seq IN (SELECT seq FROM outbox WHERE payload IS NOT NULL);

-- :name answer_lost
-- Not those whose payload was erased: nobody can have them again, also when an
-- earlier loss had them recovered.
-- @base  lsn
DELETE FROM answer WHERE state IN (1, 2) AND lsn > ?1
AND seq IN (SELECT seq FROM outbox WHERE payload IS NOT NULL);

-- :name recovered_all
SELECT DISTINCT seq FROM recovered ORDER BY seq;

-- :name recovered_get
-- The newest first.
SELECT old FROM recovered WHERE seq = ?1 ORDER BY old DESC;

-- :name recovered_count
-- What there is to say of own commits after a loss.
SELECT (SELECT count(*) FROM recovered) + (SELECT count(*) FROM former);

-- :name recovered_move
-- @seq @heir  what was parked goes on under a new number.
UPDATE OR REPLACE recovered SET seq = ?2 WHERE seq = ?1;

-- :name former_get
-- The newest first.
SELECT was FROM former WHERE seq = ?1 ORDER BY was DESC;

-- :name former_move
-- @seq @heir  all its numbers are its heir's.
UPDATE OR REPLACE former SET seq = ?2 WHERE seq = ?1;

-- :name former_put
INSERT OR IGNORE INTO former(seq, was) VALUES(?1, ?2);

-- :name former_truncate
-- A backup holds it; what is parked (4) may yet go on.
DELETE FROM former WHERE seq NOT IN (SELECT seq FROM outbox)
  AND seq NOT IN (SELECT seq FROM quarantine WHERE fate = 0 AND code = 4);

-- :name recovered_done
-- Answered again, or refused; what is parked (4) may yet go on.
DELETE FROM recovered WHERE seq > ?1 AND (seq IN (SELECT seq FROM answer)
  OR seq NOT IN (SELECT seq FROM outbox))
  AND seq NOT IN (SELECT seq FROM quarantine WHERE fate = 0 AND code = 4);

-- :name missing_refused
-- Of a run of numbers, how many a server refused.
SELECT count(*) FROM (SELECT seq FROM quarantine WHERE seq BETWEEN ?1 AND ?2
  UNION SELECT seq FROM answer WHERE state = 3 AND seq BETWEEN ?1 AND ?2);

-- :name chain_seen_put
INSERT INTO chain_seen(dev, cseq, lsn) VALUES(?1, ?2, ?3)
ON CONFLICT(dev) DO UPDATE SET cseq = excluded.cseq, lsn = excluded.lsn
WHERE excluded.lsn > lsn;

-- :name chain_seen_all
SELECT dev, cseq FROM chain_seen ORDER BY dev;

-- :name place_grow
-- A run that goes on where the last one ended.
-- @dev @inc @first @last @lsn
UPDATE place SET last = ?4, lsn = ?5
WHERE upto = 0 AND dev = ?1 AND inc = ?2 AND last = ?3 - 1;

-- :name place_put
-- Unless a run holds it already.
-- @dev @inc @first @last @lsn @upto
INSERT INTO place(upto, dev, inc, first, last, lsn)
SELECT ?6, ?1, ?2, ?3, ?4, ?5 WHERE NOT EXISTS (SELECT 1 FROM place
  WHERE upto = ?6 AND dev = ?1 AND inc = ?2 AND first <= ?3 AND last >= ?4);

-- :name place_ahead
-- Told of a position the cursor has not reached.
-- @from  where the server's order begins
SELECT 1 FROM place WHERE upto > 0 AND upto > ?1 LIMIT 1;

-- :name place_pass
-- @cursor @from  as above
UPDATE place SET upto = 0, lsn = upto WHERE upto > ?2 AND upto > 0
AND upto <= ?1;

-- :name place_merge
-- Runs another one holds.
DELETE FROM place AS a WHERE upto = 0 AND EXISTS (SELECT 1 FROM place AS b
  WHERE b.upto = 0 AND b.dev = a.dev AND b.inc = a.inc
  AND b.first <= a.first AND b.last >= a.last AND b.rowid <> a.rowid
  AND (b.first < a.first OR b.last > a.last OR b.rowid > a.rowid));

-- :name place_lost
-- The order they stand in has ended.
-- @cursor  where this device stood in it
UPDATE place SET upto = CASE upto WHEN 0 THEN ?1 ELSE upto END,
  lsn = 9223372036854775807;

-- :name place_own
-- Own ones the states here hold: accepted, and met.
-- @cursor
SELECT seq FROM answer WHERE state IN (1, 2) AND lsn <= ?1 ORDER BY seq;

-- :name place_let_go
-- What answer_truncate forgets and the states here hold.
-- @durable @newest  as there
SELECT seq, lsn FROM answer WHERE seq < ?2 AND state = 2 AND lsn <= ?1
ORDER BY seq;

-- :name place_kept
-- Given back; a backup from here on knows them.
-- @from  where the server's order begins  @lsn
UPDATE place SET lsn = ?2 WHERE upto > 0 AND upto < ?1
AND lsn = 9223372036854775807;

-- :name place_truncate
-- Not the end of each chain: its author may not have heard of it yet, and the
-- server may come back from a backup older than that one (P-324). A device has
-- one push under way.
-- @durable
DELETE FROM place AS a WHERE lsn <= ?1 AND last <= (SELECT max(b.last)
  FROM place AS b WHERE b.upto = a.upto AND b.dev = a.dev AND b.inc = a.inc)
  - 4096;

-- :name place_of
-- Where an own commit stood in one order, as others saw it.
-- @dev @inc @cseq @from @upto
SELECT min(upto) FROM place WHERE upto BETWEEN ?4 AND ?5 AND upto > 0
AND dev = ?1 AND inc = ?2 AND first <= ?3 AND last >= ?3;

-- :name recovered_put
INSERT OR IGNORE INTO recovered(seq, old) VALUES(?1, ?2);

-- :name place_all
-- Of servers that are gone; the newest when there are too many (P-394).
-- @from  where the server's order begins
-- @most
SELECT upto, dev, inc, first, last FROM place WHERE upto > 0 AND upto < ?1
ORDER BY upto DESC, rowid DESC LIMIT ?2;

-- :name outbox_unanswered
-- The first commit without a verdict. Plan: primary key from the low mark.
-- @low  all up to this one are answered
SELECT o.seq FROM outbox AS o
WHERE o.seq > ?1
  AND NOT EXISTS (SELECT 1 FROM answer AS a WHERE a.seq = o.seq)
ORDER BY o.seq LIMIT 1;

-- :name outbox_from
-- A run to push; the caller stops at a gap.
SELECT seq, header, payload, sealed FROM outbox WHERE seq >= ?1 ORDER BY seq;

-- :name outbox_whole
-- The first one from there on whose payload is still here.
SELECT seq FROM outbox WHERE seq >= ?1
  AND (payload IS NOT NULL OR sealed IS NOT NULL)
ORDER BY seq LIMIT 1;

-- :name outbox_pending
-- What is not folded into the server state: loads the index of pending work.
-- @low  all up to this one are done
SELECT o.seq, o.header, o.payload
FROM outbox AS o LEFT JOIN answer AS a ON a.seq = o.seq
WHERE o.seq > ?1 AND coalesce(a.state, 0) < 2
ORDER BY o.seq;

-- :name outbox_pending_count
SELECT count(*)
FROM outbox AS o LEFT JOIN answer AS a ON a.seq = o.seq
WHERE o.seq > ?1 AND coalesce(a.state, 0) < 2;

-- :name outbox_low
-- The first one that is not done.
SELECT o.seq
FROM outbox AS o LEFT JOIN answer AS a ON a.seq = o.seq
WHERE o.seq > ?1 AND coalesce(a.state, 0) < 2
ORDER BY o.seq LIMIT 1;

-- :name outbox_del
DELETE FROM outbox WHERE seq = ?1;

-- :name outbox_hollow
-- A refused commit that is the newest: its header still carries the chain.
UPDATE outbox SET payload = NULL, sealed = NULL WHERE seq = ?1;

-- :name outbox_settled
-- @after  seq
SELECT o.seq FROM outbox AS o JOIN answer AS a ON a.seq = o.seq
WHERE o.seq > ?1 AND a.state = 2 AND o.payload IS NOT NULL
ORDER BY o.seq LIMIT 1;

-- :name outbox_put_again
-- A commit that moves to another incarnation.
INSERT INTO outbox(seq, wall_ms, header, payload, sealed)
SELECT ?2, wall_ms, ?3, payload, sealed FROM outbox WHERE seq = ?1;

-- :name outbox_truncate
-- What a verified backup of the server holds, or what was refused. The newest
-- row stays.
-- @durable  lsn
-- @newest   seq
DELETE FROM outbox WHERE seq < ?2 AND seq IN
  (SELECT seq FROM answer WHERE state = 3 OR (state = 2 AND lsn <= ?1));

-- :name answer_truncate
DELETE FROM answer WHERE seq < ?2 AND
  (state = 3 OR (state = 2 AND lsn <= ?1));

-- :name answer_put
INSERT INTO answer(seq, state, lsn, eff) VALUES(?1, ?2, ?3, ?4)
ON CONFLICT(seq) DO UPDATE SET state = excluded.state, lsn = excluded.lsn,
  eff = excluded.eff;

-- :name answer_get
SELECT state, lsn, eff FROM answer WHERE seq = ?1;

-- :name answer_done
UPDATE answer SET state = 2 WHERE seq = ?1;

-- :name answer_any
-- Is one of a run answered?
-- @first @last  seqs
SELECT 1 FROM answer WHERE seq BETWEEN ?1 AND ?2 LIMIT 1;

-- :name answer_by_lsn
-- An own commit of another incarnation comes back under its LSN.
SELECT seq FROM answer WHERE lsn = ?1 AND state < 3 AND seq > ?2;

-- :name answer_reached
-- Accepted ones the cursor has passed without meeting them.
-- @low    as above
-- @upto   lsn
SELECT seq, lsn, eff FROM answer
WHERE seq > ?1 AND state = 1 AND lsn <= ?2 ORDER BY lsn;

-- :name answer_accepted
-- @low  as above
SELECT max(lsn) FROM answer WHERE seq > ?1 AND state = 1;

-- :name log_all
-- Newest first.
SELECT o.seq, o.header, o.payload, a.lsn, a.eff
FROM outbox AS o LEFT JOIN answer AS a ON a.seq = o.seq
WHERE o.payload IS NOT NULL OR o.sealed IS NOT NULL
ORDER BY o.seq DESC LIMIT ?1;

-- :name chain_all
-- Every header of own commits the device still has, oldest first: those that
-- stand from this position on in the server's order, and those without one.
SELECT o.seq, o.header, o.payload FROM outbox AS o
LEFT JOIN answer AS a ON a.seq = o.seq
WHERE o.seq NOT IN (SELECT seq FROM quarantine)
  AND (a.lsn IS NULL OR a.lsn = 0 OR a.lsn >= ?1)
UNION ALL
SELECT seq, header, payload FROM quarantine
ORDER BY 1;

-- :name sig_put
-- The same batch is signed again after a lost reply.
INSERT INTO batch_sig(first, last, sig) VALUES(?1, ?2, ?3)
ON CONFLICT(first) DO UPDATE SET last = excluded.last, sig = excluded.sig;

-- :name sig_all
SELECT first, last, sig FROM batch_sig ORDER BY first;

-- :name sig_truncate
-- Signatures whose commits are gone prove nothing here.
DELETE FROM batch_sig WHERE last < ?1;
