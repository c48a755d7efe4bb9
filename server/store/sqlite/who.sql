-- Users, teams, devices, invitations, settings: small tables, rarely written.

-- :name teams
SELECT ord, key, name, parent, disabled FROM team ORDER BY ord;

-- :name team_add
INSERT INTO team(ord, key, name, parent)
VALUES((SELECT coalesce(max(ord), 0) + 1 FROM team), @key, @name, @parent);

-- :name team_by_key
SELECT ord, disabled FROM team WHERE key = @key;

-- :name team_edit
-- NULL keeps a column. Nobody who may sync is left in a team that is disabled.
UPDATE team SET name = coalesce(@name, name), parent = coalesce(@parent, parent),
  disabled = coalesce(@disabled, disabled) WHERE key = @key
  AND (coalesce(@disabled, 0) = 0 OR NOT EXISTS (SELECT 1 FROM user
  WHERE user.team = team.ord AND user.disabled = 0));

-- :name users
SELECT ord, key, name, role, team, disabled FROM user ORDER BY ord;

-- :name user_add
INSERT INTO user(ord, key, name, role, team, disabled)
VALUES((SELECT coalesce(max(ord), 0) + 1 FROM user), @key, @name, @role,
  @team, 0);

-- :name user_by_key
SELECT ord, disabled FROM user WHERE key = @key;

-- :name user_by_ord
SELECT disabled FROM user WHERE ord = @ord;

-- :name user_edit
-- NULL keeps a column. The desk's roles give keys of their own (P-270).
UPDATE user SET name = coalesce(@name, name), role = coalesce(@role, role),
  disabled = coalesce(@disabled, disabled) WHERE key = @key
  AND (@role IS NULL OR (role IN ('kiosk', 'receptionist')) =
  (@role IN ('kiosk', 'receptionist')));

-- :name devices
SELECT ord, user, name, revoked, enrolled_ms, seen_ms, cursor,
  coalesce((SELECT n FROM diverged WHERE diverged.dev = ord), 0),
  permit_days, template, waiting, sign_pk, coalesce(w.at_ms, 0),
  coalesce(w.push_first, 0), coalesce(w.told_ms, 0), coalesce(w.done_ms, 0),
  coalesce(w.lost, 0),
  coalesce((SELECT max(at_ms) FROM former_key WHERE dev = ord), 0),
  coalesce((SELECT max(heard_ms) FROM former_key WHERE dev = ord), 0)
FROM device LEFT JOIN wipe AS w ON w.dev = device.ord
ORDER BY ord;

-- :name device_add
INSERT INTO device(ord, user, name, sign_pk, channel_pk, revoked, enrolled_ms,
  seen_ms, cursor, waiting)
VALUES((SELECT coalesce(max(ord), 0) + 1 FROM device), @user, @name, @sign_pk,
  @channel_pk, 0, @now_ms, 0, 0, @waiting);

-- :name device_by_key
SELECT ord, sign_pk FROM device WHERE channel_pk = @channel_pk;

-- :name device_by_ord
SELECT sign_pk, channel_pk, user FROM device WHERE ord = @ord;

-- :name device_seen
UPDATE device SET seen_ms = @now_ms, cursor = max(cursor, @cursor),
  template = coalesce(@template, template)
WHERE ord = @ord;

-- :name device_permit
SELECT permit_days FROM device WHERE ord = @ord;

-- :name device_permit_put
UPDATE device SET permit_days = @days WHERE ord = @ord;

-- :name device_used_get
SELECT used_ms, used_ops, used_bytes FROM device WHERE ord = @ord;

-- :name device_used_put
UPDATE device SET used_ms = @at_ms, used_ops = @ops, used_bytes = @bytes
WHERE ord = @ord;

-- :name device_approve
UPDATE device SET waiting = 0 WHERE ord = @ord AND waiting = 1;

-- :name device_rename
UPDATE device SET name = @name WHERE ord = @ord;

-- :name device_revoke
UPDATE device SET revoked = 1 WHERE ord = @ord;

-- :name invite_add
INSERT INTO invite(hash, user, expires_ms, device)
VALUES(@hash, @user, @expires_ms, NULL);

-- :name invite_get
SELECT user, expires_ms, device, held FROM invite WHERE hash = @hash;

-- :name invite_hold
UPDATE invite SET held = 1 WHERE hash = @hash AND device IS NULL;

-- :name invite_use
UPDATE invite SET device = @device WHERE hash = @hash;

-- :name invites
-- Those somebody may still use, the next to expire first.
-- @now_ms  integer
SELECT i.hash, u.key, i.expires_ms, i.held FROM invite i
JOIN user u ON u.ord = i.user
WHERE i.device IS NULL AND i.expires_ms >= @now_ms
ORDER BY i.expires_ms, i.hash;

-- :name invite_drop
-- @begin  blob  first 8 bytes of the hash
DELETE FROM invite WHERE device IS NULL AND substr(hash, 1, 8) = @begin;

-- :name setting_get
SELECT value FROM setting WHERE key = @key;

-- :name setting_put
INSERT INTO setting(key, value) VALUES(@key, @value)
ON CONFLICT(key) DO UPDATE SET value = excluded.value;

-- :name status
-- @now_ms  integer  invitations that expired before are not open
SELECT coalesce((SELECT v FROM counter WHERE c = 1), 0),
  (SELECT count(*) FROM rec), (SELECT count(*) FROM refused),
  (SELECT count(*) FROM user), (SELECT count(*) FROM team),
  (SELECT count(*) FROM device WHERE revoked = 0),
  (SELECT count(*) FROM invite WHERE device IS NULL AND expires_ms >= @now_ms);

-- :name check_counts
-- What must hold between tables; one row, every column 0.
SELECT
  (SELECT coalesce(sum(n), 0) FROM log) + (SELECT count(*) FROM seed) +
    (SELECT coalesce(sum(rows), 0) FROM segment) +
    (SELECT coalesce(sum(e.first_lsn - 1 - e.base_lsn), 0) FROM epoch AS e
      WHERE NOT EXISTS (SELECT 1 FROM epoch AS f WHERE f.epoch > e.epoch
      AND f.base_lsn < e.first_lsn - 1)
      -- a kit has the certificates and no position
      AND e.first_lsn - 1 <= coalesce((SELECT v FROM counter WHERE c = 1), 0)) -
    coalesce((SELECT v FROM counter WHERE c = 1), 0),
  coalesce((SELECT lsn + n - 1 FROM log ORDER BY lsn DESC LIMIT 1), 0) >
    coalesce((SELECT v FROM counter WHERE c = 1), 0),
  (SELECT count(*) FROM rec) + (SELECT count(*) FROM erased) -
    coalesce((SELECT v FROM counter WHERE c = 2), 0),
  (SELECT count(*) FROM rec r WHERE NOT EXISTS
    (SELECT 1 FROM rec p WHERE p.eid = r.root)),
  (SELECT coalesce(sum(n), 0) FROM log) + (SELECT count(*) FROM refused) +
    (SELECT coalesce(sum(rows), 0) FROM segment) +
    (SELECT coalesce(sum(last - first + 1), 0) FROM chain_gap) -
    (SELECT coalesce(sum(last_cseq), 0) FROM chain);
