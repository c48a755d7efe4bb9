-- Counters, chains, the log and its verdicts. One row each by primary key
-- unless said otherwise.

-- :name counter_get
SELECT v FROM counter WHERE c = @c;

-- :name counter_put
INSERT INTO counter(c, v) VALUES(@c, @v)
ON CONFLICT(c) DO UPDATE SET v = excluded.v;

-- :name chain_get
SELECT last_cseq, head, prev_eff, lsn FROM chain WHERE dev = @dev AND inc = @inc;

-- :name chain_put
INSERT INTO chain(dev, inc, last_cseq, head, prev_eff, lsn)
VALUES(@dev, @inc, @last_cseq, @head, @prev_eff, @lsn)
ON CONFLICT(dev, inc) DO UPDATE SET last_cseq = excluded.last_cseq,
  head = excluded.head, prev_eff = excluded.prev_eff, lsn = excluded.lsn;

-- :name chains
-- All of them, for verification.
SELECT dev, inc, last_cseq, head, prev_eff, lsn FROM chain ORDER BY dev, inc;

-- :name batch_sig_put
INSERT INTO batch_sig(dev, inc, last, first, sig)
VALUES(@dev, @inc, @last, @first, @sig);

-- :name batch_sigs
-- Of one chain, ascending, for verification.
SELECT first, last, sig FROM batch_sig WHERE dev = @dev AND inc = @inc
ORDER BY last;

-- :name log_put
INSERT INTO log(lsn, n, dev, inc, cseq, eff, received, pack)
VALUES(@lsn, @n, @dev, @inc, @cseq, @eff, @received, @pack);

-- :name log_chain
-- How far the log has a chain before a commit. Plan: its index alone. (As part
-- of log_put it would make a table of its own for each row.)
SELECT cseq + n - 1 FROM log WHERE dev = @dev AND inc = @inc AND cseq < @cseq
ORDER BY cseq DESC LIMIT 1;

-- :name log_replace
-- A payload was erased, or the last ones get a row of their own.
UPDATE log SET n = @n, pack = @pack WHERE lsn = @lsn;

-- :name log_get
-- The row that would have a position. Plan: rowid range, one row.
SELECT lsn, n, dev, inc, cseq, eff, received, pack,
  EXISTS(SELECT 1 FROM echo WHERE echo.lsn BETWEEN log.lsn AND log.lsn + n - 1)
FROM log WHERE lsn <= @lsn ORDER BY lsn DESC LIMIT 1;

-- :name log_ahead
-- Rows from a position on, for a page that is read one after the other.
SELECT lsn, n, dev, inc, cseq, eff, received, pack,
  EXISTS(SELECT 1 FROM echo WHERE echo.lsn BETWEEN log.lsn AND log.lsn + n - 1)
FROM log WHERE lsn >= @lsn ORDER BY lsn;

-- :name log_packs
-- The same, of a range.
SELECT lsn, n, dev, inc, cseq, eff, received, pack,
  EXISTS(SELECT 1 FROM echo WHERE echo.lsn BETWEEN log.lsn AND log.lsn + n - 1)
FROM log WHERE lsn > @after AND lsn <= @upto ORDER BY lsn;

-- :name aside_get
-- Of a commit whose row is in a segment: what stays here.
SELECT 0, list FROM echo WHERE lsn = @lsn
UNION ALL
SELECT 1, ops FROM rest WHERE lsn = @lsn;

-- :name echo_put
INSERT INTO echo(lsn, list) VALUES(@lsn, @list);

-- :name log_of_chain
-- The row that would have a commit. Index of chains, then the row.
SELECT lsn, n, dev, inc, cseq, eff, received, pack,
  EXISTS(SELECT 1 FROM echo WHERE echo.lsn BETWEEN log.lsn AND log.lsn + n - 1)
FROM log WHERE dev = @dev AND inc = @inc AND cseq <= @cseq
ORDER BY cseq DESC LIMIT 1;

-- :name log_head
-- Of everything: commits, and states that were given back (their key is ALL).
SELECT max(coalesce((SELECT lsn + n - 1 FROM log ORDER BY lsn DESC LIMIT 1), 0),
  coalesce((SELECT max(lsn) FROM log_scope WHERE key = 1099511627776), 0));

-- :name log_after
-- For a device that holds everything: runs, the first may begin earlier. Plan:
-- a merge of two ranges, no sort.
SELECT lsn, 0, lsn + n - 1 FROM log
WHERE lsn >= coalesce((SELECT max(lsn) FROM log WHERE lsn <= @after + 1), 0)
UNION ALL
SELECT lsn, root, lsn FROM log_scope WHERE key = 1099511627776 AND lsn > @after
ORDER BY 1, 2;

-- :name refused_put
INSERT INTO refused(dev, inc, cseq, code, op, slug, hint, at_ms, header,
  payload, lsn, eff)
VALUES(@dev, @inc, @cseq, @code, @op, @slug, @hint, @at_ms, @header,
  @payload, @lsn, @eff);

-- :name refused_get
SELECT code, op, slug, hint, lsn, eff FROM refused
WHERE dev = @dev AND inc = @inc AND cseq = @cseq;

-- :name refused_bytes
SELECT header, payload FROM refused
WHERE dev = @dev AND inc = @inc AND cseq = @cseq;

-- :name verdict_put
INSERT INTO verdict(lsn, code) VALUES(@lsn, @code);

-- :name verdict_get
SELECT code FROM verdict WHERE lsn = @lsn;

-- :name moved_put
INSERT INTO moved(dev, hash, lsn) VALUES(@dev, @hash, @lsn);

-- :name moved_get
SELECT lsn FROM moved WHERE dev = @dev AND hash = @hash;
