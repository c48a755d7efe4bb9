-- What administrators did: one row per verb that changes something.

-- :name admin_log_last
SELECT seq, hash FROM admin_log ORDER BY seq DESC LIMIT 1;

-- :name admin_log_add
INSERT INTO admin_log(seq, at_ms, actor, what, rc, hash)
VALUES(@seq, @at_ms, @actor, @what, @rc, @hash);

-- :name admin_log_all
-- Oldest first. Plan: the table, in its order; each row's hash needs the one
-- before it.
SELECT seq, at_ms, actor, what, rc, hash FROM admin_log ORDER BY seq;
