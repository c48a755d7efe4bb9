-- The public pool: claims, reservations. One row each by key.

-- :name claim_put
INSERT INTO claim(lsn, user, eid, at_ms) VALUES(@lsn, @user, @eid, @at_ms);

-- :name claims_since
-- Plan: index claim_user.
SELECT count(*) FROM claim WHERE user = @user AND at_ms >= @since_ms;

-- :name hold_put
INSERT INTO hold(eid, user, until_ms) VALUES(@eid, @user, @until_ms)
ON CONFLICT(eid) DO UPDATE SET user = excluded.user,
  until_ms = excluded.until_ms;

-- :name hold_get
SELECT user, until_ms FROM hold WHERE eid = @eid;

-- :name holds_of
-- Plan: index hold_user.
SELECT eid, until_ms FROM hold WHERE user = @user AND until_ms > @now_ms;

-- :name roots_count
-- Plan: primary key range.
SELECT count(*) FROM member WHERE key = @key AND n > 0;

-- :name device_heard
SELECT seen_ms FROM device WHERE ord = @ord;
