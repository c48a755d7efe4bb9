/*
 * template.c - the template's history on the device, and the one in force.
 *
 * A bundle from the server is believed only when every object's id fits, the
 * tip's closure is complete, the tip is signed by the key the organisation
 * named at enrolment, and the tip descends from what is in force. Objects,
 * tables and the pointer change in one transaction; the old template is freed
 * only when the new one stands. It changes inside a session and nowhere else:
 * pointers got from sat_replica_template hold until then.
 */
#include "client/replica/replica_int.h"

#include <string.h>

#include "common/git/git.h"

typedef struct files {
	sat_arena a;
	sat_template_file *f;
	size_t n, cap;
} files;

static int
add_file(void *u, const char *path, sat_span bytes)
{
	files *fs = u;
	size_t len = strlen(path);

	if (len < 5 || strcmp(path + len - 5, ".json") != 0)
		return 0; /* texts for people */
	SAT_ARENA_GROW(fs->f, fs->n, fs->cap, &fs->a);
	fs->f[fs->n++] = (sat_template_file){
		sat_arena_str(&fs->a, path, len),
		sat_span_of(sat_arena_dup(&fs->a, bytes.p, bytes.n), bytes.n) };
	return 0;
}

static sat_rc
load_tip(sat_template **t, sat_git *g, const sat_oid *tip, sat_err *e)
{
	files fs = { 0 };
	sat_rc rc;

	*t = NULL;
	if ((rc = sat_git_walk(g, tip, add_file, &fs, e)) == SAT_OK)
		rc = sat_template_load(t, fs.f, fs.n, e);
	sat_arena_fini(&fs.a);
	return rc;
}

static bool
is_zero(const uint8_t *p, size_t n)
{
	while (n-- > 0)
		if (*p++ != 0)
			return false;
	return true;
}

static sat_oid
oid_of(const uint8_t b[SAT_TEMPLATE_OID_BYTES])
{
	sat_oid o;

	memcpy(o.b, b, sizeof o.b);
	return o;
}

static sat_rc
put_stored(sat_git *g, sat_stmt *s, sat_err *e)
{
	bool row;
	sat_rc rc;

	while ((rc = sat_step(&row, s, e)) == SAT_OK && row) {
		sat_span id = sat_col_blob(s, 0);
		sat_oid oid;

		if (id.n != sizeof oid.b)
			rc = sat_fail(e, SAT_EINTEGRITY,
			    "a template object has no id");
		else {
			memcpy(oid.b, id.p, sizeof oid.b);
			rc = sat_git_put(g, (int)sat_col_int(s, 1), &oid,
			    sat_col_blob(s, 2), e);
		}
		if (rc != SAT_OK)
			break;
	}
	sat_stmt_reset(s);
	return rc;
}

sat_rc
sat_replica_git(sat_git **g, sat_replica *r, sat_err *e)
{
	sat_stmt *s;
	sat_rc rc;

	*g = NULL;
	if ((rc = sat_git_memory(g, e)) != SAT_OK)
		return rc;
	if ((rc = sat_db_stmt(&s, r->db, SQL_OBJECT_ALL, e)) == SAT_OK)
		rc = put_stored(*g, s, e);
	if (rc != SAT_OK) {
		sat_git_close(*g);
		*g = NULL;
	}
	return rc;
}

sat_rc
replica_template_open(sat_replica *r, sat_err *e)
{
	sat_oid tip = oid_of(r->toid);
	sat_git *g;
	sat_rc rc;

	if (is_zero(r->toid, sizeof r->toid))
		return SAT_OK;
	if ((rc = sat_replica_git(&g, r, e)) != SAT_OK)
		return rc;
	rc = load_tip(&r->t, g, &tip, e);
	sat_git_close(g);
	if (rc == SAT_OK)
		rc = replica_kinds_make(&r->kinds, r->t, e);
	if (rc == SAT_OK)
		rc = replica_kinds_rename(r, e);
	if (rc == SAT_OK)
		rc = replica_search_open(r, e);
	return rc;
}

/* ---- a new one -------------------------------------------------------------------- */

typedef struct intake {
	sat_replica *r;
	sat_git *g;
} intake;

static sat_rc
take_object(void *u, int type, const sat_oid *oid, sat_span data, sat_err *e)
{
	intake *in = u;
	sat_stmt *s;
	sat_rc rc;

	if ((rc = sat_git_put_checked(in->g, type, oid, data, e)) != SAT_OK ||
	    (rc = sat_db_stmt(&s, in->r->db, SQL_OBJECT_PUT, e)) != SAT_OK)
		return rc;
	sat_bind_blob(s, 1, sat_span_of(oid->b, sizeof oid->b));
	sat_bind_int(s, 2, type);
	sat_bind_blob(s, 3, data);
	return sat_run(s, e);
}

static sat_rc
believe(sat_replica *r, sat_git *g, const sat_oid *tip, sat_err *e)
{
	sat_oid had = oid_of(r->toid);
	uint8_t allowed[1][SAT_SIGN_PK_BYTES];
	sat_git_info info;
	bool descends = true;
	sat_rc rc;

	memcpy(allowed[0], r->id->template_pk, sizeof allowed[0]);
	if ((rc = sat_git_verify_closure(g, tip, e)) != SAT_OK ||
	    (rc = sat_git_commit_info(&info, g, tip,
	    (const uint8_t (*)[SAT_SIGN_PK_BYTES])allowed, 1, e)) != SAT_OK)
		return rc;
	if (!info.signature_ok)
		return sat_fail_code(e, SAT_EINTEGRITY, "template.unsigned",
		    "tell the administrator", "the template from the server is "
		    "not signed by the organisation's template key");
	if (!is_zero(r->toid, sizeof r->toid) &&
	    (rc = sat_git_descends(&descends, g, tip, &had, e)) != SAT_OK)
		return rc;
	if (!descends)
		return sat_fail_code(e, SAT_EINTEGRITY, "template.not_newer",
		    "tell the administrator", "the template from the server "
		    "does not descend from the one in force");
	return SAT_OK;
}

/* Values of fields the old template did not know move to their new columns:
 * reading a row takes them in, writing it puts them where they belong. */
static sat_rc
adopt_unknown(sat_replica *r, const replica_kind *k, sat_err *e)
{
	sat_arena a = { 0 };
	replica_row *row;
	int64_t *rids;
	size_t n;
	sat_rc rc;

	rc = replica_kind_rids(&rids, &n, &a, r, k, KQ_MORE_RIDS, NULL, e);
	for (size_t i = 0; i < n && rc == SAT_OK; i++) {
		replica_page_reset(r);
		rc = replica_page_by_rid(&row, r, k, rids[i], e);
		if (rc == SAT_OK && row != NULL) {
			row->dirty = true;
			rc = replica_page_flush(r, e);
		}
	}
	replica_page_reset(r);
	sat_arena_fini(&a);
	return rc;
}

typedef struct next_template {
	sat_template *t;
	replica_kinds *kinds;
} next_template;

/* Inside the transaction: r->t and r->kinds are already the new ones. */
static sat_rc
install(sat_replica *r, const replica_kinds *was, const sat_oid *tip, sat_err *e)
{
	bool grew;
	sat_rc rc;

	if ((rc = replica_kinds_migrate(r, r->kinds, &grew, e)) != SAT_OK)
		return rc;
	if ((rc = replica_search_adopt(r, r->kinds, NULL, e)) != SAT_OK)
		return rc;
	for (size_t i = 0; grew && i < r->kinds->n; i++)
		if ((rc = adopt_unknown(r, &r->kinds->k[i], e)) != SAT_OK)
			return rc;
	if (was != NULL && ((rc = replica_match_adopt(r, was, e)) != SAT_OK ||
	    (rc = replica_lacking_adopt(r, was, e)) != SAT_OK))
		return rc;
	return replica_meta_blob(r, "template",
	    sat_span_of(tip->b, sizeof tip->b), e);
}

static sat_rc
receive(next_template *next, intake *in, const sat_oid *tip, sat_span bundle,
    sat_err *e)
{
	sat_replica *r = in->r;
	sat_rc rc;

	if ((rc = sat_git_unbundle(bundle, take_object, in, e)) != SAT_OK ||
	    (rc = believe(r, in->g, tip, e)) != SAT_OK ||
	    (rc = load_tip(&next->t, in->g, tip, e)) != SAT_OK)
		return rc;
	if (r->t != NULL && (rc = sat_template_follows(next->t, r->t, e)) !=
	    SAT_OK)
		return rc;
	return replica_kinds_make(&next->kinds, next->t, e);
}

static bool
hides_alike(const sat_pool *x, const sat_pool *y)
{
	if (x->nhidden != y->nhidden)
		return false;
	for (size_t i = 0; i < x->nhidden; i++)
		if (x->hidden[i]->id != y->hidden[i]->id)
			return false;
	return true;
}

/* A pool of this user's that the other template does not offer him alike. */
static bool
pool_differs(const sat_replica *r, const sat_template *t,
    const sat_template *other)
{
	for (size_t i = 0; i < sat_pools(t); i++) {
		const sat_pool *p = sat_pool_at(t, i), *q;

		if (!sat_scope_pool_member(&r->reg, r->me, p))
			continue;
		q = sat_pool_by_key(other, sat_span_str(p->key));
		if (q == NULL || !sat_scope_pool_member(&r->reg, r->me, q) ||
		    !hides_alike(p, q))
			return true;
	}
	return false;
}

/* What pools offer follows from the template; no entry of the log says so, so a
 * snapshot over what is here brings it (P-151). */
static bool
pools_changed(const sat_replica *r, const sat_template *was,
    const sat_template *is)
{
	return (r->complete || r->resnap || r->snap_after != 0) &&
	    r->me != NULL && was != NULL &&
	    (pool_differs(r, is, was) || pool_differs(r, was, is));
}

sat_rc
replica_template_in(void *u, const uint8_t tip_bytes[SAT_TEMPLATE_OID_BYTES],
    sat_span bundle, sat_err *e)
{
	sat_replica *r = u;
	intake in = { .r = r };
	next_template next = { 0 }, was = { r->t, r->kinds };
	sat_oid tip = oid_of(tip_bytes);
	bool over = false;
	sat_rc rc;

	if ((rc = sat_replica_git(&in.g, r, e)) != SAT_OK)
		return rc;
	if ((rc = replica_session_begin(r, e)) != SAT_OK) {
		sat_git_close(in.g);
		return rc;
	}
	if ((rc = receive(&next, &in, &tip, bundle, e)) == SAT_OK) {
		r->t = next.t;
		r->kinds = next.kinds;
		rc = install(r, was.kinds, &tip, e);
		if (rc == SAT_OK && r->me != NULL && was.t != NULL)
			rc = replica_veil_changed(r, &over, r->me->role,
			    sat_template_mask(was.t, r->me->role), e);
		if (rc == SAT_OK && !over &&
		    (over = pools_changed(r, was.t, next.t)))
			rc = replica_start_over(r, e);
	}
	rc = replica_end(r, true, rc, e);
	if (rc == SAT_OK) {
		memcpy(r->toid, tip_bytes, sizeof r->toid);
		if (over)
			replica_started_over(r);
		next = was;
	} else {
		r->t = was.t;
		r->kinds = was.kinds;
	}
	replica_page_reset(r);
	sat_db_texts_moved(r->db);
	replica_kinds_free(next.kinds);
	sat_template_free(next.t);
	sat_git_close(in.g);
	return rc;
}
