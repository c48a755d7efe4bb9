-- After the loss of a server, and what was erased: rarely run.

-- :name epochs
SELECT cert FROM epoch WHERE epoch > @after ORDER BY epoch;

-- :name epoch_put
INSERT INTO epoch(epoch, base_lsn, first_lsn, cert)
VALUES(@epoch, @base_lsn, @first_lsn, @cert);

-- :name seed_put
INSERT INTO seed(lsn, id, upto, dev, at_ms, state, given, since)
VALUES(@lsn, @id, @upto, @dev, @at_ms, @state, @given, @since);

-- :name seed_set
UPDATE seed SET state = @state WHERE lsn = @lsn;

-- :name place_put
INSERT OR IGNORE INTO place(dev, inc, first, last, upto, lsn)
VALUES(@dev, @inc, @first, @last, @upto, @lsn);

-- :name told_get
SELECT told FROM chain_known WHERE dev = @dev;

-- :name told_put
UPDATE chain_known SET told = @told WHERE dev = @dev;

-- :name told_none
-- A new epoch.
UPDATE chain_known SET told = 0 WHERE told > 0;

-- :name places
SELECT dev, inc, first, last, upto FROM place WHERE lsn > @lsn OR dev = @dev;

-- :name places_all
-- Plan: primary key, no sort.
SELECT dev, inc, first, last, upto FROM place ORDER BY dev, inc, first;

-- :name place_has
SELECT 1 FROM place WHERE dev = @dev AND inc = @inc AND first <= @cseq
  AND last >= @cseq AND upto BETWEEN @from AND @upto LIMIT 1;

-- :name heads
-- Chains that went on behind a position; not the server's own.
SELECT dev, inc, last_cseq FROM chain WHERE lsn > @lsn AND dev > 0;

-- :name absent
-- Refused, or left out of a push (P-203). Those that were merged before under
-- another number stand there.
SELECT cseq, cseq FROM refused WHERE dev = @dev AND inc = @inc
  AND cseq BETWEEN @first AND @last
UNION ALL
SELECT first, last FROM chain_gap WHERE dev = @dev AND inc = @inc
  AND first <= @last AND last >= @first
ORDER BY 1;

-- :name seed_get
SELECT id, state, given, since FROM seed WHERE lsn = @lsn;

-- :name astray_put
INSERT OR IGNORE INTO astray(winner, eid) VALUES(@winner, @eid);

-- :name astray
SELECT eid FROM astray WHERE winner = @winner ORDER BY eid;

-- :name astray_del
DELETE FROM astray WHERE winner = @winner;

-- :name recovered_put
INSERT INTO recovered(lsn, old, was, held) VALUES(@lsn, @old, @was, @held);

-- :name recovered_get
SELECT old, was, held FROM recovered WHERE lsn = @lsn;

-- :name gap_put
INSERT INTO chain_gap(dev, inc, first, last, why)
VALUES(@dev, @inc, @first, @last, @why);

-- :name gaps
SELECT first, last, why FROM chain_gap WHERE dev = @dev AND inc = @inc
ORDER BY first;

-- :name known_put
INSERT INTO chain_known(dev, cseq, by) VALUES(@dev, @cseq, @by)
ON CONFLICT(dev) DO UPDATE SET cseq = excluded.cseq, by = excluded.by
WHERE excluded.cseq > cseq;

-- :name let_go_put
INSERT INTO chain_known(dev, cseq, by, let_go) VALUES(@dev, 0, 0, @cseq)
ON CONFLICT(dev) DO UPDATE SET let_go = excluded.let_go
WHERE excluded.let_go <> let_go;

-- :name let_go
SELECT let_go FROM chain_known WHERE dev = @dev;

-- :name completeness
-- Per chain what is here; per device what somebody saw, with its newest chain.
SELECT d.ord, d.user, d.name, d.revoked, d.seen_ms, c.inc, c.last_cseq,
  k.cseq, k.by, c.inc IS NULL OR c.inc = (SELECT max(x.inc) FROM chain AS x
  WHERE x.dev = d.ord)
FROM device AS d LEFT JOIN chain AS c ON c.dev = d.ord
LEFT JOIN chain_known AS k ON k.dev = d.ord
ORDER BY d.ord, c.inc;

-- :name seed_erase
UPDATE seed SET state = NULL, given = NULL, since = NULL WHERE id = @id;

-- :name ledger_put
INSERT INTO ledger(rev, subject, lsn, at_ms, by, second, reason, sig)
VALUES(@rev, @subject, @lsn, @at_ms, @by, @second, @reason, @sig);

-- :name ledger_after
SELECT rev, subject, lsn, at_ms, by, second, reason, sig FROM ledger
WHERE rev > @after ORDER BY rev;

-- :name ledger_of
SELECT rev FROM ledger WHERE subject = @subject;

-- :name ask_put
INSERT OR REPLACE INTO erase_ask(subject, at_ms, by, reason)
VALUES(@subject, @at_ms, @by, @reason);

-- :name ask_get
SELECT at_ms, by, reason FROM erase_ask WHERE subject = @subject;

-- :name ask_del
DELETE FROM erase_ask WHERE subject = @subject;

-- :name asks
SELECT subject, at_ms, by, reason FROM erase_ask ORDER BY subject;

-- :name erased_put
INSERT INTO erased(eid, id, root, rev) VALUES(@eid, @id, @root, @rev);

-- :name erased_by_id
SELECT eid, id, root, rev FROM erased WHERE id = @id;

-- :name erased_by_eid
SELECT eid, id, root, rev FROM erased WHERE eid = @eid;

-- :name refused_all_bytes
SELECT rowid, header, payload FROM refused
WHERE payload IS NOT NULL;

-- :name rest_put
-- NULL: nothing is left. Then only a commit in a segment has a row, until its
-- file is written anew and after.
INSERT OR REPLACE INTO rest(lsn, ops) VALUES(@lsn, @ops);

-- :name rest_del
DELETE FROM rest WHERE lsn = @lsn;

-- :name refused_erase
UPDATE refused SET payload = NULL WHERE rowid = @rowid;

-- :name rec_del
DELETE FROM rec WHERE eid = @eid;

-- :name member_del
DELETE FROM member WHERE root = @root;

-- :name match_erase
-- Who writes something like it would be told of a record that is gone.
DELETE FROM match WHERE eid = @eid;

-- :name owner_left_del
DELETE FROM owner_left WHERE eid = @eid;

-- :name scope_del
DELETE FROM log_scope WHERE root = @root;

-- :name receipt_put
INSERT INTO receipt(dev, rev, at_ms, sig) VALUES(@dev, @rev, @at_ms, @sig)
ON CONFLICT(dev) DO UPDATE SET rev = excluded.rev, at_ms = excluded.at_ms,
  sig = excluded.sig WHERE excluded.rev >= rev;

-- :name receipts
-- Live devices and how far each is.
SELECT d.ord, d.user, d.name, d.seen_ms, coalesce(r.rev, 0), coalesce(r.at_ms, 0)
FROM device AS d LEFT JOIN receipt AS r ON r.dev = d.ord
WHERE d.revoked = 0 AND d.waiting = 0 ORDER BY d.ord;

-- :name drop_log
DELETE FROM log;

-- :name drop_verdict
DELETE FROM verdict;

-- :name drop_refused
DELETE FROM refused;

-- :name drop_moved
DELETE FROM moved;

-- :name drop_chain
DELETE FROM chain;

-- :name drop_batch_sig
DELETE FROM batch_sig;

-- :name drop_rec
DELETE FROM rec;

-- :name drop_member
DELETE FROM member;

-- :name drop_owner_left
DELETE FROM owner_left;

-- :name drop_scope_run
DELETE FROM scope_run;

-- :name drop_log_scope
DELETE FROM log_scope;

-- :name drop_digest
DELETE FROM digest;

-- :name drop_diverged
DELETE FROM diverged;

-- :name drop_seed
DELETE FROM seed;

-- :name drop_recovered
DELETE FROM recovered;

-- :name drop_astray
DELETE FROM astray;

-- :name drop_place
DELETE FROM place;

-- :name drop_erased
DELETE FROM erased;

-- :name drop_gap
DELETE FROM chain_gap;

-- :name drop_known
DELETE FROM chain_known;

-- :name drop_segment
-- The files stay where they are: a copy of the folder has none.
DELETE FROM segment;

-- :name drop_segment_chain
DELETE FROM segment_chain;

-- :name drop_rest
DELETE FROM rest;

-- :name drop_echo
DELETE FROM echo;

-- :name drop_match
DELETE FROM match;

-- :name drop_claim
DELETE FROM claim;

-- :name drop_hold
DELETE FROM hold;
