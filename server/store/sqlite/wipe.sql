-- Orders to wipe a device (P-380).

-- :name wipe_order
-- Ordered again it keeps its nonce, for its receipt may be under way; what was to
-- be wiped at once is not to be pushed first any more.
INSERT INTO wipe(dev, nonce, at_ms, push_first, told_ms, done_ms, lost)
VALUES(@dev, @nonce, @at_ms, @push_first, 0, 0, 0)
ON CONFLICT(dev) DO UPDATE SET push_first = 0,
  at_ms = max(excluded.at_ms, wipe.at_ms + 1)
WHERE wipe.push_first = 1 AND excluded.push_first = 0 AND wipe.done_ms = 0;

-- :name wipe_get
SELECT nonce, at_ms, push_first, told_ms, done_ms FROM wipe WHERE dev = @dev;

-- :name wipe_told
UPDATE wipe SET told_ms = @now_ms WHERE dev = @dev AND told_ms = 0;

-- :name wipe_done
-- @cseq is the newest number of the chain; what lies above the last one that came
-- is lost.
UPDATE wipe SET done_ms = @now_ms, receipt = @receipt,
  lost = max(0, @cseq - coalesce((SELECT last_cseq FROM chain
    WHERE chain.dev = @dev AND chain.inc = @inc), 0))
WHERE dev = @dev AND done_ms = 0;
