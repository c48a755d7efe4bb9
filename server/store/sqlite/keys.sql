-- Keys that devices gave up for others (P-386).

-- :name former_at
-- The first ones that reach so far, else those it has.
SELECT coalesce((SELECT k.sign_pk FROM former_end AS n
    JOIN former_key AS k ON k.dev = n.dev AND k.gen = n.gen
    WHERE n.dev = d.ord AND n.inc = @inc AND n.cseq >= @cseq
    ORDER BY n.gen LIMIT 1), d.sign_pk)
FROM device AS d WHERE d.ord = @dev;

-- :name former_get
SELECT dev, sign_pk, said, lsn, at_ms, heard_ms FROM former_key
WHERE channel_pk = @channel_pk;

-- :name formers
SELECT dev, sign_pk, said, lsn, at_ms, heard_ms FROM former_key
WHERE dev = @dev ORDER BY gen;

-- :name former_heard
UPDATE former_key SET heard_ms = @now_ms WHERE channel_pk = @channel_pk;

-- :name key_taken
SELECT EXISTS (SELECT 1 FROM device WHERE channel_pk = @channel_pk OR
    sign_pk = @sign_pk) OR EXISTS (SELECT 1 FROM former_key
  WHERE channel_pk = @channel_pk OR sign_pk = @sign_pk);

-- :name former_add
INSERT INTO former_key(dev, gen, sign_pk, channel_pk, said, lsn, at_ms)
SELECT ord, 1 + (SELECT count(*) FROM former_key WHERE dev = ord), sign_pk,
  channel_pk, @said, @lsn, @now_ms FROM device WHERE ord = @dev;

-- :name former_ends
INSERT INTO former_end(dev, gen, inc, cseq)
SELECT c.dev, (SELECT max(gen) FROM former_key WHERE dev = @dev), c.inc,
  c.last_cseq FROM chain AS c WHERE c.dev = @dev;

-- :name device_rekey
UPDATE device SET sign_pk = @sign_pk, channel_pk = @channel_pk
WHERE ord = @dev;

-- :name drop_former_end
-- Without a log nothing is proven by them: what comes again is signed anew.
DELETE FROM former_end;
