-- The server's store, version 1. A device's keys, all stamps and positions are
-- 64-bit integers below 2^63; blobs are the canonical bytes of protocol/.

-- Counters of the core, by sat_counter (protocol/store.h).
CREATE TABLE counter(
  c  INTEGER PRIMARY KEY,  -- which: last LSN, last eid, clamp, revision, ...
  v  INTEGER NOT NULL      -- its value; a row that is missing means 0
);

-- The log: every accepted commit, for ever, in the server's order. Commits that
-- follow one another, here and in their chain, share a row (store_pack.c).
CREATE TABLE log(
  lsn       INTEGER PRIMARY KEY,  -- position of the first; all are gap-free
  n         INTEGER NOT NULL,     -- how many
  dev       INTEGER NOT NULL,     -- device ordinal of the author
  inc       INTEGER NOT NULL,     -- incarnation of the device's store
  cseq      INTEGER NOT NULL,     -- number of the first in its chain, from 1
  eff       INTEGER NOT NULL,     -- its clamped stamp, the order of values
  received  INTEGER NOT NULL,     -- the server's wall clock, ms, never back
  pack      BLOB NOT NULL,        -- n canonical headers, on which hash and
                                  -- signature rest, and payloads, if not erased
  UNIQUE(dev, inc, cseq, n)       -- what is put has to begin where the one
                                  -- before it ends: the last line of defence
                                  -- against a double merge
);

-- Operations of logged commits that were folded into other records too, for
-- their own had been merged into those.
CREATE TABLE echo(
  lsn   INTEGER PRIMARY KEY,  -- of the commit
  list  BLOB NOT NULL         -- n uint, n x {number of the operation * 2 uint, + 1 when the
                              -- record's state had it, eid uint}
);

-- Of commits whose payload was erased: the operations on records that stay.
CREATE TABLE rest(
  lsn  INTEGER PRIMARY KEY,  -- of the commit
  ops  BLOB                  -- as a payload, zero salt; NULL = nothing
);

-- Rows of the log that moved out into segment files (protocol/segment.h), once
-- every device had them and a verified backup too. File: segments/<n>.seg
CREATE TABLE segment(
  first_lsn  INTEGER PRIMARY KEY,  -- of its first row
  last_lsn   INTEGER NOT NULL,     -- of its last row
  n          INTEGER NOT NULL,     -- number, from 1
  rows       INTEGER NOT NULL,
  bytes      INTEGER NOT NULL,     -- of the file
  hash       BLOB NOT NULL,        -- sat_segment_hash, over the one before
  sig        BLOB NOT NULL         -- the server's Ed25519
);

-- Which segment has a commit of a chain: pushes sent again ask for it.
CREATE TABLE segment_chain(
  dev         INTEGER NOT NULL,  -- as in log
  inc         INTEGER NOT NULL,  -- as in log
  first_cseq  INTEGER NOT NULL,  -- of this chain in that segment
  last_cseq   INTEGER NOT NULL,
  first_lsn   INTEGER NOT NULL,  -- the segment
  PRIMARY KEY(dev, inc, first_cseq)
) WITHOUT ROWID;

-- Verdicts of logged commits that were not simply "ok", for pushes sent again.
CREATE TABLE verdict(
  lsn   INTEGER PRIMARY KEY,  -- of the commit
  code  INTEGER NOT NULL      -- 1 late, 2 opened a conflict
);

-- Commits without a position of their own: refused, or merged before under the
-- number of another incarnation. Evidence, and the same verdict for a push sent
-- again.
CREATE TABLE refused(
  dev      INTEGER NOT NULL,  -- as in log
  inc      INTEGER NOT NULL,  -- as in log
  cseq     INTEGER NOT NULL,  -- as in log
  code     INTEGER NOT NULL,  -- 3 rejected, 4 parked; else merged before
  lsn      INTEGER NOT NULL,  -- where it was merged before; 0 = refused
  eff      INTEGER NOT NULL,  -- its clamped stamp there; 0 = refused
  op       INTEGER NOT NULL,  -- the operation that decided
  slug     TEXT NOT NULL,     -- why: "denied", "needs_parent", ...
  hint     TEXT NOT NULL,     -- what the device may offer: "ASK_MANAGER", ...
  at_ms    INTEGER NOT NULL,  -- when it was refused
  header   BLOB NOT NULL,     -- canonical header, a link of the chain like any
  payload  BLOB,              -- canonical payload; NULL once erased
  PRIMARY KEY(dev, inc, cseq)
);
CREATE INDEX refused_why ON refused(slug) WHERE lsn = 0;

-- Which payloads came under a later incarnation, or went on after they were
-- parked. A folder that is copied or restored by hand moves the same work once
-- more; it must not count twice.
CREATE TABLE moved(
  dev   INTEGER NOT NULL,  -- device ordinal
  hash  BLOB NOT NULL,     -- payload hash, random by its salt
  lsn   INTEGER NOT NULL,  -- where it was merged
  PRIMARY KEY(dev, hash)
) WITHOUT ROWID;

-- Where the chain of each (device, incarnation) stands.
CREATE TABLE chain(
  dev        INTEGER NOT NULL,  -- device ordinal
  inc        INTEGER NOT NULL,  -- incarnation
  last_cseq  INTEGER NOT NULL,  -- last commit that has a verdict
  head       BLOB NOT NULL,     -- hash of its header
  prev_eff   INTEGER NOT NULL,  -- clamped stamp of the last accepted one
  lsn        INTEGER NOT NULL,  -- its position
  PRIMARY KEY(dev, inc)
) WITHOUT ROWID;

-- One signature per pushed batch; it covers the chain up to `last`.
CREATE TABLE batch_sig(
  dev    INTEGER NOT NULL,  -- device ordinal
  inc    INTEGER NOT NULL,  -- incarnation
  last   INTEGER NOT NULL,  -- last cseq of the batch
  first  INTEGER NOT NULL,  -- first cseq, as it was signed
  sig    BLOB NOT NULL,     -- Ed25519
  PRIMARY KEY(dev, inc, last)
) WITHOUT ROWID;

-- The merged state of every record: the fold of its operations in LSN order.
CREATE TABLE rec(
  eid    INTEGER PRIMARY KEY,   -- dense number given at first sight
  id     BLOB NOT NULL UNIQUE,  -- 16 bytes, made on the device
  kind   INTEGER NOT NULL,      -- kind number of the template
  root   INTEGER NOT NULL,      -- eid of the customer; own eid for a root
  owner  TEXT,                  -- user key of the owner field; NULL = none
  state  BLOB NOT NULL          -- sat_record_write
);
CREATE INDEX rec_root ON rec(root);

-- Keys under which customers that may be one meet: hashes of duplicate keys.
CREATE TABLE match(
  key  INTEGER NOT NULL,
  eid  INTEGER NOT NULL,
  PRIMARY KEY(key, eid)
) WITHOUT ROWID;

-- How many reasons a key has to hold a root.
CREATE TABLE member(
  key       INTEGER NOT NULL,  -- scope key (protocol/scope.h)
  root      INTEGER NOT NULL,  -- eid of the root
  n         INTEGER NOT NULL,  -- live reasons: its owner, its owned children's
  left_lsn  INTEGER NOT NULL,  -- position at which n last became 0; 0 = never
  PRIMARY KEY(key, root)
) WITHOUT ROWID;
CREATE INDEX member_live ON member(root, key) WHERE n > 0;

-- Until when somebody owned a record, for edits made before he knew.
CREATE TABLE owner_left(
  eid    INTEGER NOT NULL,  -- the record
  owner  TEXT NOT NULL,     -- user key of the past owner
  lsn    INTEGER NOT NULL,  -- position of the last time he lost it
  PRIMARY KEY(eid, owner)
) WITHOUT ROWID;

-- What concerns a key: a pull is one range of each of these two per key. Commits
-- that follow one another in one transaction are one row. Runs of a key meet in
-- one position at most.
CREATE TABLE scope_run(
  key    INTEGER NOT NULL,  -- scope key
  first  INTEGER NOT NULL,  -- position of the first commit
  last   INTEGER NOT NULL,  -- position of the last one
  PRIMARY KEY(key, first)
) WITHOUT ROWID;

-- Roots that came into a key's reach or left it.
CREATE TABLE log_scope(
  key   INTEGER NOT NULL,  -- scope key
  lsn   INTEGER NOT NULL,  -- position
  root  INTEGER NOT NULL,  -- eid of the root
  PRIMARY KEY(key, lsn, root)
) WITHOUT ROWID;

-- Sums of what each key sees (protocol/digest.h), kept with every write. Rows of
-- (key, 0, 0) are the sum of all of the key's.
CREATE TABLE digest(
  key     INTEGER NOT NULL,  -- scope key
  kind    INTEGER NOT NULL,  -- kind of record
  bucket  INTEGER NOT NULL,  -- eid / 256
  sum     BLOB NOT NULL,     -- 16 bytes
  PRIMARY KEY(key, kind, bucket)
) WITHOUT ROWID;

-- Devices whose sums differed, so that records had to be sent again.
CREATE TABLE diverged(
  dev     INTEGER PRIMARY KEY,  -- device ordinal
  n       INTEGER NOT NULL,     -- ranges sent again, ever
  kind    INTEGER NOT NULL,     -- of the last one
  bucket  INTEGER NOT NULL,     -- of the last one, its first
  lsn     INTEGER NOT NULL,     -- log position then
  at_ms   INTEGER NOT NULL      -- when
);

CREATE TABLE team(
  ord     INTEGER PRIMARY KEY,   -- from 1
  key     TEXT NOT NULL UNIQUE,  -- stable, never given again
  name    TEXT NOT NULL,         -- shown
  parent  TEXT NOT NULL,         -- region or office, or ''
  disabled INTEGER NOT NULL DEFAULT 0  -- 1: nobody joins it any more
);

CREATE TABLE user(
  ord       INTEGER PRIMARY KEY,   -- from 1
  key       TEXT NOT NULL UNIQUE,  -- stored in owner fields; never given again
  name      TEXT NOT NULL,         -- shown
  role      TEXT NOT NULL,         -- row of the permission matrix
  team      INTEGER NOT NULL,      -- ordinal; 0 = none; never changes
  disabled  INTEGER NOT NULL       -- 1: may not sync
);

CREATE TABLE device(
  ord         INTEGER PRIMARY KEY,   -- from 1; in stamps and record ids
  user        INTEGER NOT NULL,      -- whose it is
  name        TEXT NOT NULL,         -- what the person called it
  sign_pk     BLOB NOT NULL,         -- Ed25519, signs batches
  channel_pk  BLOB NOT NULL UNIQUE,  -- X25519, is the link's identity
  revoked     INTEGER NOT NULL,      -- 1: nothing is accepted any more
  enrolled_ms INTEGER NOT NULL,      -- when
  seen_ms     INTEGER NOT NULL,      -- last heard of; 0 = never
  cursor      INTEGER NOT NULL,      -- position it last reported
  template    BLOB,                  -- commit it last reported; NULL = never
  waiting     INTEGER NOT NULL DEFAULT 0,  -- 1: an administrator has to let
                                           -- it in first (P-390)
  permit_days INTEGER NOT NULL DEFAULT 0,  -- use without the server; 0 as all,
                                           -- -1 no further permit
  used_ms     INTEGER NOT NULL DEFAULT 0,  -- when the next two were counted
  used_ops    INTEGER NOT NULL DEFAULT 0,  -- operations sent, drains by the day
  used_bytes  INTEGER NOT NULL DEFAULT 0   -- bytes of them
);

-- Keys a device gave up for others (P-386), and the statement by which it did.
CREATE TABLE former_key(
  dev         INTEGER NOT NULL,
  gen         INTEGER NOT NULL,      -- from 1: its first keys, then the next
  sign_pk     BLOB NOT NULL,
  channel_pk  BLOB NOT NULL UNIQUE,
  said        BLOB NOT NULL,         -- signed by these and the next
  lsn         INTEGER NOT NULL,      -- of the log then
  at_ms       INTEGER NOT NULL,
  heard_ms    INTEGER NOT NULL DEFAULT 0,  -- somebody came with them since
  PRIMARY KEY(dev, gen)
) WITHOUT ROWID;

-- Up to where in each of its chains they prove; nothing in those not named.
CREATE TABLE former_end(
  dev         INTEGER NOT NULL,
  gen         INTEGER NOT NULL,
  inc         INTEGER NOT NULL,
  cseq        INTEGER NOT NULL,
  PRIMARY KEY(dev, gen, inc)
) WITHOUT ROWID;

-- Revoked devices that were ordered to destroy what they hold.
CREATE TABLE wipe(
  dev         INTEGER PRIMARY KEY,
  nonce       BLOB NOT NULL,         -- 16 bytes; the receipt repeats it
  at_ms       INTEGER NOT NULL,      -- when it was ordered
  push_first  INTEGER NOT NULL,      -- 1: unsent work first (P-385)
  told_ms     INTEGER NOT NULL,      -- handed to the device first; 0 = not heard
  done_ms     INTEGER NOT NULL,      -- its receipt came; 0 = no
  receipt     BLOB,                  -- as it was signed
  lost        INTEGER NOT NULL       -- commits it wrote that never came here
);

-- How far a device has reported: everything it had then is here.
CREATE TABLE reported(
  dev         INTEGER PRIMARY KEY,
  at_ms       INTEGER NOT NULL,
  rev         INTEGER NOT NULL       -- what is newer has a larger one
);

CREATE TABLE invite(
  hash        BLOB PRIMARY KEY,  -- BLAKE2b-256 of the token; never the token
  user        INTEGER NOT NULL,  -- for whom
  expires_ms  INTEGER NOT NULL,  -- not usable after
  device      INTEGER,           -- who used it; NULL = open
  held        INTEGER NOT NULL DEFAULT 0  -- 1: its device waits (P-390)
) WITHOUT ROWID;
-- those that are still open, the next to expire first
CREATE INDEX invite_open ON invite(expires_ms, hash) WHERE device IS NULL;

-- What administrators did, each row chained to the one before.
CREATE TABLE admin_log(
  seq    INTEGER PRIMARY KEY,  -- from 1
  at_ms  INTEGER NOT NULL,     -- when
  actor  TEXT NOT NULL,        -- user's key, or 'console'
  what   TEXT NOT NULL,        -- the verb and its options' names
  rc     INTEGER NOT NULL,     -- how it ended
  hash   BLOB NOT NULL         -- BLAKE2b-256 over the hash before and this row
);

-- Identity of the organisation, sealed keys, and whatever an admin sets.
CREATE TABLE setting(
  key    TEXT PRIMARY KEY,
  value  BLOB NOT NULL
) WITHOUT ROWID;

-- How far each series of numbers was given.
CREATE TABLE series(
  series  TEXT PRIMARY KEY,  -- prefix and month, "C202405"
  last    INTEGER NOT NULL   -- the last number given, leased or used
) WITHOUT ROWID;

-- After the loss of a server (P-450): up to where it may have given numbers in
-- a series that is not known here, by the last month it can have been.
CREATE TABLE series_floor(
  month  TEXT PRIMARY KEY,  -- "202405"
  last   INTEGER NOT NULL   -- in each series of that month and before
) WITHOUT ROWID;

-- Ranges of numbers devices may use without asking.
CREATE TABLE lease(
  series      TEXT NOT NULL,     -- as in series
  first       INTEGER NOT NULL,  -- first number of the range
  last        INTEGER NOT NULL,  -- last number of it
  dev         INTEGER NOT NULL,  -- device ordinal
  inc         INTEGER NOT NULL,  -- its incarnation; a later one may not use it
  granted_ms  INTEGER NOT NULL,  -- when
  voided      INTEGER NOT NULL,  -- 1: an administrator took it back
  PRIMARY KEY(series, first)
) WITHOUT ROWID;

-- Numbers in use, for ever: none is given twice.
CREATE TABLE number(
  text    TEXT PRIMARY KEY,   -- as people see it
  series  TEXT NOT NULL,      -- its series, '' when it has none
  n       INTEGER NOT NULL,   -- its number within the series
  rec     BLOB NOT NULL       -- id of the record
) WITHOUT ROWID;
CREATE INDEX number_series ON number(series, n);
-- Servers that came back from a backup: where the old order ends and the new
-- one begins, signed by the root key (protocol/epoch.h).
CREATE TABLE epoch(
  epoch      INTEGER PRIMARY KEY,
  base_lsn   INTEGER NOT NULL,  -- last position inside the backup
  first_lsn  INTEGER NOT NULL,  -- first one of this epoch
  cert       BLOB NOT NULL      -- sat_epoch_write
);

-- States a device gave back after a loss. Each has a position of its own and
-- no commit: from there on the record is this state.
CREATE TABLE seed(
  lsn    INTEGER PRIMARY KEY,  -- its position
  id     BLOB NOT NULL,        -- the record
  upto   INTEGER NOT NULL,     -- lost position up to which it holds everything
  dev    INTEGER NOT NULL,     -- who gave it
  at_ms  INTEGER NOT NULL,     -- when
  state  BLOB,                 -- as it was after; NULL once erased
  given  BLOB,                 -- as it came, when it lacked what was logged
  since  BLOB                  -- what it lacked: position, operation, ...
);
CREATE INDEX seed_id ON seed(id);

-- Where devices say that commits stood on servers that are gone: first..last
-- of a chain at or below a position.
CREATE TABLE place(
  dev    INTEGER NOT NULL,
  inc    INTEGER NOT NULL,
  first  INTEGER NOT NULL,  -- cseq
  last   INTEGER NOT NULL,  -- cseq
  upto   INTEGER NOT NULL,  -- a lost position
  lsn    INTEGER NOT NULL,  -- where the log stood when it was told
  PRIMARY KEY(dev, inc, first, last, upto)
) WITHOUT ROWID;
CREATE INDEX place_lsn ON place(lsn);

-- Records that were given back merged into one that is not here (yet).
CREATE TABLE astray(
  winner  BLOB NOT NULL,     -- id
  eid     INTEGER NOT NULL,  -- of the merged one
  PRIMARY KEY(winner, eid)
) WITHOUT ROWID;

-- Commits that a lost server had accepted before.
CREATE TABLE recovered(
  lsn   INTEGER PRIMARY KEY,  -- here
  old   BLOB NOT NULL,        -- there: uint each; empty: its author never heard
  was   BLOB NOT NULL,        -- numbers it had: incarnation, cseq, uint each
  held  BLOB NOT NULL         -- operations not folded again: uint each
);

-- Commits nobody has any more, between two that are here.
CREATE TABLE chain_gap(
  dev    INTEGER NOT NULL,
  inc    INTEGER NOT NULL,
  first  INTEGER NOT NULL,  -- cseq
  last   INTEGER NOT NULL,  -- cseq
  why    INTEGER NOT NULL,  -- sat_gap
  PRIMARY KEY(dev, inc, first)
) WITHOUT ROWID;

-- The furthest commit of a device that another one says it saw, up to which one
-- the device itself says it let its own go, and how many places it told in this
-- epoch that were new (P-394).
CREATE TABLE chain_known(
  dev     INTEGER PRIMARY KEY,
  cseq    INTEGER NOT NULL,
  by      INTEGER NOT NULL,   -- the device that says so; 0 = none does
  let_go  INTEGER NOT NULL DEFAULT 0,
  told    INTEGER NOT NULL DEFAULT 0
);

-- The erasure ledger: whose data was erased, by random number only.
CREATE TABLE ledger(
  rev      INTEGER PRIMARY KEY,  -- from 1, rises with every entry
  subject  BLOB NOT NULL UNIQUE, -- id of the customer's record
  lsn      INTEGER NOT NULL,     -- position of the ERASE; 0 = none was needed
  at_ms    INTEGER NOT NULL,
  by       INTEGER NOT NULL,     -- user who asked; 0 = the console
  second   INTEGER NOT NULL,     -- user who confirmed
  reason   TEXT NOT NULL,        -- a reference, no personal data
  sig      BLOB NOT NULL         -- the server's, over sat_erasure_bytes
);

-- Erasures that wait for a second person.
CREATE TABLE erase_ask(
  subject  BLOB PRIMARY KEY,
  at_ms    INTEGER NOT NULL,
  by       INTEGER NOT NULL,
  reason   TEXT NOT NULL
) WITHOUT ROWID;

-- Numbers of records that were erased: nothing else is left of them.
CREATE TABLE erased(
  eid   INTEGER PRIMARY KEY,
  id    BLOB NOT NULL UNIQUE,
  root  INTEGER NOT NULL,
  rev   INTEGER NOT NULL      -- of the ledger
);

-- Which erasures a device says it carried out.
CREATE TABLE receipt(
  dev    INTEGER PRIMARY KEY,
  rev    INTEGER NOT NULL,
  at_ms  INTEGER NOT NULL,
  sig    BLOB NOT NULL        -- the device's, over sat_erased_bytes
);

-- Who claimed which customer from a pool, for the daily limit.
CREATE TABLE claim(
  lsn    INTEGER PRIMARY KEY,  -- of the commit
  user   INTEGER NOT NULL,     -- user ordinal
  eid    INTEGER NOT NULL,     -- the customer
  at_ms  INTEGER NOT NULL      -- when the server took it in
);
CREATE INDEX claim_user ON claim(user, at_ms);

-- Customers of a pool that are kept for somebody for some hours.
CREATE TABLE hold(
  eid       INTEGER PRIMARY KEY,  -- the customer
  user      INTEGER NOT NULL,     -- user ordinal
  until_ms  INTEGER NOT NULL      -- not any more from then on
);
CREATE INDEX hold_user ON hold(user, until_ms);

-- What became of work that was handed over, for its author's device (P-323).
CREATE TABLE answered(
  dev       INTEGER NOT NULL,  -- the author's
  lsn       INTEGER NOT NULL,  -- of the commit that answered
  rec       BLOB NOT NULL,     -- id of the record it was suggested on
  kind      INTEGER NOT NULL,  -- of that record
  hlc       INTEGER NOT NULL,  -- stamp of the author's commit
  accepted  INTEGER NOT NULL,
  by        INTEGER NOT NULL,  -- user ordinal
  at_ms     INTEGER NOT NULL,
  PRIMARY KEY(dev, lsn, rec, hlc)
) WITHOUT ROWID;

-- Services that are told what happened (server/hook).
CREATE TABLE hook(
  id        INTEGER PRIMARY KEY,
  url       TEXT NOT NULL UNIQUE,  -- with the key that is in it
  format    TEXT NOT NULL,         -- json, wecom, dingtalk, feishu, slack
  events    TEXT NOT NULL,         -- account.created,opportunity.* or *
  secret    TEXT NOT NULL,         -- signs what is sent; '' = nothing is signed
  plain     INTEGER NOT NULL,      -- 1: http to this machine
  since     INTEGER NOT NULL,      -- told of positions above it
  made_ms   INTEGER NOT NULL,
  fails     INTEGER NOT NULL,      -- tries in a row it did not answer well
  rest_ms   INTEGER NOT NULL,      -- nothing is sent before
  sent      INTEGER NOT NULL,      -- events that were taken
  sent_ms   INTEGER NOT NULL,      -- the last one; 0 = none yet
  error_ms  INTEGER NOT NULL,      -- the last failure since then; 0 = none
  error     TEXT NOT NULL          -- what it was
);

-- What they are still to be told. Nothing of a customer but its number.
CREATE TABLE hook_event(
  seq      INTEGER PRIMARY KEY,  -- in the order of the log
  hook     INTEGER NOT NULL,
  subject  BLOB NOT NULL,        -- id of the customer: erased with it
  body     BLOB NOT NULL,        -- as JSON
  line     TEXT NOT NULL,        -- as a line of a chat
  made_ms  INTEGER NOT NULL,
  tries    INTEGER NOT NULL,     -- that refused this one
  due_ms   INTEGER NOT NULL,     -- not before
  dead     INTEGER NOT NULL,     -- 1: given up
  error    TEXT NOT NULL         -- of the last try
);
CREATE INDEX hook_event_due ON hook_event(hook, dead, due_ms);
CREATE INDEX hook_event_subject ON hook_event(subject);

-- Contents of files that records name (P-440): whole, and what devices are
-- sending. Known by hash within this organisation only.
CREATE TABLE file(
  id     INTEGER PRIMARY KEY,
  hash   BLOB NOT NULL,     -- BLAKE2b-256 of the content
  dev    INTEGER NOT NULL,  -- 0 whole; else who is sending it
  eid    INTEGER NOT NULL,  -- 0 whole; else the record it is sent for
  bytes  INTEGER NOT NULL,
  have   INTEGER NOT NULL,  -- bytes that are here
  at_ms  INTEGER NOT NULL,  -- the last piece came
  UNIQUE(dev, hash)
);
CREATE INDEX file_eid ON file(eid);
CREATE TABLE file_piece(
  file  INTEGER NOT NULL,  -- id
  at    INTEGER NOT NULL,  -- first byte of it
  data  BLOB NOT NULL,
  PRIMARY KEY(file, at)
);
-- Which record somebody gave a content to. The same content for another record
-- has to be given again, so that a hash alone gives nothing (P-445).
CREATE TABLE file_of(
  id          INTEGER PRIMARY KEY,
  hash        BLOB NOT NULL,
  eid         INTEGER NOT NULL,
  unnamed_ms  INTEGER NOT NULL,  -- since then its record does not name it; 0
  UNIQUE(eid, hash)
);
CREATE INDEX file_of_hash ON file_of(hash);
