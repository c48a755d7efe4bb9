/*
 * What people do: they make and edit customers, contacts and follow-ups, each
 * on the device at hand; and a territory changes hands. Each customer carries
 * its number as a canary, by which every replica is searched at the end.
 */
#include "tests/company/month.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the ledger of saves ------------------------------------------------------------- */

static size_t
slot_of(const month *m, const uint8_t hash[SAT_HASH_BYTES])
{
	uint64_t k;
	size_t i;

	memcpy(&k, hash, sizeof k);
	for (i = (size_t)k % m->slots; m->slot[i] != 0; i = (i + 1) % m->slots)
		if (memcmp(m->saves[m->slot[i] - 1].hash, hash,
		    SAT_HASH_BYTES) == 0)
			break;
	return i;
}

save *
month_save_find(month *m, const uint8_t hash[SAT_HASH_BYTES])
{
	size_t i;

	if (m->slots == 0)
		return NULL;
	i = slot_of(m, hash);
	return m->slot[i] == 0 ? NULL : &m->saves[m->slot[i] - 1];
}

static void
grow(month *m)
{
	m->saves_cap = m->saves_cap * 2 + 1024;
	m->saves = sat_xrealloc(m->saves, m->saves_cap * sizeof *m->saves);
	free(m->slot);
	m->slots = m->saves_cap * 2 + 1;
	m->slot = sat_xcalloc(m->slots, sizeof *m->slot);
	for (size_t i = 0; i < m->nsaves; i++)
		m->slot[slot_of(m, m->saves[i].hash)] = i + 1;
}

void
month_save_add(laptop *d, uint64_t cseq)
{
	month *m = d->m;
	uint32_t inc = sat_replica_identity_get(d->r)->incarnation;
	sat_commit c;
	sat_stmt *s;
	bool row = false;
	sat_err e = { 0 };

	if (m->nsaves == m->saves_cap)
		grow(m);
	month_must(sat_db_stmt_text(&s, sat_replica_db(d->r), "SELECT header "
	    "FROM outbox WHERE seq = ?1", &e), &e, "outbox");
	sat_bind_int(s, 1, (int64_t)((uint64_t)inc << 31 | cseq));
	month_must(sat_step(&row, s, &e), &e, "outbox");
	if (!row) {
		month_bad(m, "device %d does not hold what it saved", d->index);
		sat_stmt_reset(s);
		return;
	}
	month_must(sat_commit_read(&c, &m->a, sat_col_blob(s, 0),
	    (sat_span){ NULL, 0 }, &e), &e, "header");
	m->saves[m->nsaves] = (save){ .dev = d->index };
	memcpy(m->saves[m->nsaves].hash, c.payload_hash, SAT_HASH_BYTES);
	m->slot[slot_of(m, c.payload_hash)] = m->nsaves + 1;
	m->nsaves++;
	sat_stmt_reset(s);
	COUNT(m, saves, 1);
}

/* ---- writing --------------------------------------------------------------------------- */

static sat_op
op(sat_op_kind kind, const sat_id *id, uint16_t rtype, uint16_t field,
    sat_value v)
{
	return (sat_op){ .kind = kind, .rec = *id, .rtype = rtype,
		.field = field, .value = v };
}

static sat_value
text(const char *s)
{
	return sat_v_text(sat_span_str(s));
}

static void
write_ops(laptop *d, const sat_id *subject, sat_op *ops, size_t n)
{
	sat_draft draft = { .subject = *subject, .ops = ops, .nops = n };
	uint64_t cseq;
	sat_err e = { 0 };

	month_pass(d->m, 200);
	if (sat_replica_write(d->r, &draft, &cseq, &e) != SAT_OK) {
		month_bad(d->m, "device %d cannot write: %s", d->index, e.text);
		return;
	}
	COUNT(d->m, operations, n);
	month_save_add(d, cseq);
}

/* Who may hold it: everybody of the owner's team. */
static uint64_t
teams_of(const month *m, int user)
{
	return (uint64_t)1 << m->user[user].team;
}

static void
make_customer(laptop *d)
{
	month *m = d->m;
	int owner = d->user, i = m->ncust;
	char name[40];
	sat_id id = sat_replica_new_id(d->r);
	sat_op ops[6];

	if (m->ncust == m->cust_cap) {
		m->cust_cap = m->cust_cap * 2 + 256;
		m->cust = sat_xrealloc(m->cust, (size_t)m->cust_cap *
		    sizeof *m->cust);
	}
	m->cust[m->ncust++] = (customer){ .id = id, .owner = owner,
		.teams = teams_of(m, owner) };
	(void)snprintf(name, sizeof name, "canary-%06d.", i);
	ops[0] = op(SAT_OP_NEW, &id, K_ACCOUNT, 0, sat_v_null());
	ops[1] = op(SAT_OP_MVSET, &id, K_ACCOUNT, A_NAME, text(name));
	ops[2] = op(SAT_OP_SET, &id, K_ACCOUNT, A_CITY, text("Hefei"));
	ops[3] = op(SAT_OP_STAGE, &id, K_ACCOUNT, A_STAGE,
	    text("first_contact"));
	ops[4] = op(SAT_OP_SADD, &id, K_ACCOUNT, A_TAGS, text("vip"));
	ops[5] = op(SAT_OP_REASSIGN, &id, K_ACCOUNT, A_OWNER,
	    text(m->user[owner].key));
	write_ops(d, &id, ops, 6);
	COUNT(m, customers, 1);
}

static bool
can_write(laptop *d, int i)
{
	sat_view v;
	sat_err e = { 0 };

	if (sat_replica_template(d->r) == NULL) /* never synced yet */
		return false;
	return sat_replica_get(&v, &d->m->a, d->r, sat_template_kind_id(
	    sat_replica_template(d->r), K_ACCOUNT), &d->m->cust[i].id, &e) ==
	    SAT_OK && !v.leaving && !v.rec.deleted;
}

/* A customer this device shows, his own rather than others'; -1 = none. */
static int
some_customer(laptop *d)
{
	month *m = d->m;
	bool own = m->user[d->user].role == REP;
	int at = m->ncust > 0 ? (int)month_draw(m, (uint64_t)m->ncust) : 0;

	for (int n = 0, tried = 0; n < m->ncust && tried < 40; n++) {
		int i = (at + n) % m->ncust;

		if ((own && m->cust[i].owner != d->user) ||
		    (m->user[d->user].team != TEAM_NONE &&
		    !(m->cust[i].teams & teams_of(m, d->user))))
			continue;
		tried++;
		if (can_write(d, i))
			return i;
	}
	return -1;
}

static void
make_child(laptop *d, int i, uint16_t kind)
{
	month *m = d->m;
	const sat_id *up = &m->cust[i].id;
	sat_id id = sat_replica_new_id(d->r);
	char said[48];
	bool contact = kind == K_CONTACT;
	sat_op ops[3];

	(void)snprintf(said, sizeof said, "canary-%06d. said %lld", i,
	    (long long)m->cust[i].follow++);
	ops[0] = op(SAT_OP_NEW, &id, kind, 0, sat_v_null());
	ops[1] = op(SAT_OP_SET, &id, kind, contact ? C_ACCOUNT : T_ACCOUNT,
	    sat_v_id(up));
	ops[2] = op(contact ? SAT_OP_MVSET : SAT_OP_SET, &id, kind,
	    contact ? C_NAME : T_POINTS, text(said));
	write_ops(d, up, ops, 3);
}

static void
edit_customer(laptop *d, int i)
{
	month *m = d->m;
	const sat_id *id = &m->cust[i].id;
	char said[48];
	sat_op ops[2];
	size_t n = 0;

	(void)snprintf(said, sizeof said, "canary-%06d. now %lld", i,
	    (long long)m->cust[i].follow++);
	switch (month_draw(m, 5)) {
	case 0:
		ops[n++] = op(SAT_OP_MVSET, id, K_ACCOUNT, A_NAME, text(said));
		break;
	case 1:
		ops[n++] = op(SAT_OP_ADD, id, K_ACCOUNT, A_VISITS,
		    sat_v_int(1));
		break;
	case 2:
		ops[n++] = op(SAT_OP_SADD, id, K_ACCOUNT, A_TAGS,
		    text(month_draw(m, 2) ? "fair" : "late"));
		break;
	case 3:
		if (sat_kind_field_id(sat_template_kind_id(
		    sat_replica_template(d->r), K_ACCOUNT), A_NOTE2) != NULL)
			ops[n++] = op(SAT_OP_SET, id, K_ACCOUNT, A_NOTE2,
			    text(said));
		break;
	default:
		break;
	}
	ops[n++] = op(SAT_OP_SET, id, K_ACCOUNT, A_REMARK, text(said));
	write_ops(d, id, ops, n);
}

void
month_people_write(laptop *d)
{
	uint64_t what = month_draw(d->m, 100);
	int i;

	if (sat_replica_template(d->r) == NULL)
		return;
	sat_arena_reset(&d->m->a);
	i = what < 20 ? -1 : some_customer(d);
	if (i < 0 && d->m->user[d->user].role == REP)
		make_customer(d);
	else if (i >= 0 && what < 45)
		make_child(d, i, K_CONTACT);
	else if (i >= 0 && what < 70)
		make_child(d, i, K_ACTIVITY);
	else if (i >= 0)
		edit_customer(d, i);
}

/* ---- a territory changes hands ------------------------------------------------------------ */

static int
somebody(month *m, role r, int but)
{
	int at = (int)month_draw(m, (uint64_t)m->nusers);

	for (int n = 0; n < m->nusers; n++) {
		int u = (at + n) % m->nusers;

		if (u != but && m->user[u].role == r)
			return u;
	}
	return but;
}

/* Headquarters gives all of one to another; the first is away, works on, and
 * hears of it days later. */
void
month_people_storm(month *m)
{
	int from = somebody(m, REP, -1), to = somebody(m, REP, from);
	laptop *boss = m->dev[m->user[somebody(m, HQ, -1)].dev];

	if (from == to || sat_replica_template(boss->r) == NULL)
		return;
	m->dev[m->user[from].dev]->away = 2;
	COUNT(m, storms, 1);
	COUNT(m, offline, 1);
	(void)month_device_sync(boss, true);
	for (int i = 0; i < m->ncust; i++) {
		sat_op o = op(SAT_OP_REASSIGN, &m->cust[i].id, K_ACCOUNT,
		    A_OWNER, text(m->user[to].key));

		sat_arena_reset(&m->a);
		if (m->cust[i].owner != from || !can_write(boss, i))
			continue;
		m->cust[i].teams |= teams_of(m, to);
		write_ops(boss, &m->cust[i].id, &o, 1);
		m->cust[i].owner = to;
		COUNT(m, moved, 1);
	}
	(void)month_device_sync(boss, true);
	/* some of it he still calls his own, for nobody told him */
	for (int i = 0; i < m->ncust; i++)
		if (m->cust[i].owner == to && can_write(m->dev[
		    m->user[from].dev], i) && month_draw(m, 2) == 0)
			edit_customer(m->dev[m->user[from].dev], i);
}
