-- Sums over the server's states (protocol/digest.h).

-- :name digest_get
SELECT sum FROM digest WHERE kind = ?1 AND bucket = ?2;

-- :name digest_put
INSERT INTO digest(kind, bucket, sum) VALUES(?1, ?2, ?3)
ON CONFLICT(kind, bucket) DO UPDATE SET sum = excluded.sum;

-- :name digest_from
-- @kind, @bucket  those after it
SELECT kind, bucket, sum FROM digest WHERE (kind, bucket) > (?1, ?2)
ORDER BY kind, bucket;

-- :name digest_clear
-- Before they are counted anew.
-- @kind @first @last  buckets
DELETE FROM digest WHERE kind = ?1 AND bucket BETWEEN ?2 AND ?3;

-- :name digest_last
SELECT max(bucket) FROM digest WHERE kind = ?1;
