-- Sums, and who had to be repaired.

-- :name digest_get
SELECT sum FROM digest WHERE key = @key AND kind = @kind AND bucket = @bucket;

-- :name digest_put
INSERT OR REPLACE INTO digest(key, kind, bucket, sum)
VALUES(@key, @kind, @bucket, @sum);

-- :name digest_from
-- Ascending, through all keys. Plan: primary key from there on, no sort.
SELECT key, kind, bucket, sum FROM digest
WHERE (key, kind, bucket) > (@key, @kind, @bucket)
ORDER BY key, kind, bucket;

-- :name diverged_put
INSERT INTO diverged(dev, n, kind, bucket, lsn, at_ms)
VALUES(@dev, 1, @kind, @bucket, @lsn, @at_ms)
ON CONFLICT(dev) DO UPDATE SET n = n + 1, kind = excluded.kind,
  bucket = excluded.bucket, lsn = excluded.lsn, at_ms = excluded.at_ms;

-- :name diverged_all
SELECT dev, n, kind, bucket, lsn, at_ms FROM diverged ORDER BY dev;
