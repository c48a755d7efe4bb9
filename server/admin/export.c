/*
 * export: every record of a kind, or of all, as a JSON line each, whole and
 * unmasked unless --mask is given: for whoever moves away, and for an auditor.
 * What people export is judged by their rights on their devices (`satchel
 * export`); the console has none to judge by, so it needs a reason, which the
 * audit log keeps.
 *
 * An answer is one part, so that a server that runs serves its devices between
 * the parts; its last line says where the next one begins.
 */
#include "server/admin/admin_int.h"

#include "common/model/norm.h"
#include "common/template/template.h"
#include "server/store/sqlite/audits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PART_BYTES (4 * 1024 * 1024)
#define REASON_MAX 160

typedef struct exporting {
	const sat_template *t;
	const char *kind; /* NULL = all */
	bool mask;
	sat_buf *out;
	size_t from;      /* where this part began in out */
	uint32_t last;
	bool more;
	sat_err *e;
	sat_rc rc;
} exporting;

/* As in the JSON of satchel. */
static void
put_value(sat_json *row, const exporting *x, const sat_field *f, sat_value v)
{
	sat_buf b = { 0 };

	if (v.type == SAT_V_TEXT && x->mask && f->mask != NULL &&
	    f->type != SAT_F_TAGS) {
		sat_norm_mask_phone(&b, v.s);
		v = sat_v_text(sat_buf_span(&b));
	}
	sat_field_json_put(row, f->key, x->t, f, v);
	sat_buf_fini(&b);
}

static void
put_record(exporting *x, const sat_kind *k, const sat_record *r)
{
	sat_json *row = sat_json_obj();
	char id[SAT_ID_TEXT];
	sat_id to;

	sat_id_text(id, &r->id);
	sat_json_put_str(row, "type", k->key);
	sat_json_put_str(row, "id", id);
	sat_json_put_int(row, "lsn", (int64_t)r->rlsn);
	sat_json_put_bool(row, "deleted", r->deleted);
	if (sat_record_redirect(&to, r)) {
		sat_id_text(id, &to);
		sat_json_put_str(row, "merged_into", id);
	}
	for (size_t i = 0; i < k->nfields; i++)
		put_value(row, x, &k->fields[i],
		    sat_record_value(r, k->fields[i].id));
	sat_json_write(x->out, row, false);
	sat_buf_str(x->out, "\n");
	sat_json_free(row);
}

static bool
one(void *u, const sat_rec_row *row)
{
	exporting *x = u;
	const sat_kind *k = sat_template_kind_id(x->t, row->kind);
	sat_arena a = { 0 };
	sat_record r;

	if (x->out->n - x->from >= PART_BYTES) {
		x->more = true;
		return false;
	}
	x->last = row->eid;
	if (k == NULL || (x->kind != NULL && strcmp(k->key, x->kind) != 0))
		return true;
	if ((x->rc = sat_record_read(&r, &a, row->state, x->e)) == SAT_OK)
		put_record(x, k, &r);
	sat_arena_fini(&a);
	return x->rc == SAT_OK;
}

/* Before the first row is given out: who reads the log knows why. */
static sat_rc
note(sat_admin *a, const char *kind, const char *reason, bool mask, sat_err *e)
{
	char what[REASON_MAX + 80];

	(void)snprintf(what, sizeof what, "export %.40s%s: %.*s", kind,
	    mask ? " --mask" : "", REASON_MAX, reason);
	return sat_sqlite_audit_add(a->store, sat_wall_ms(&a->clock),
	    a->actor != NULL ? a->actor : "console", what, 0, e);
}

static sat_rc
check(exporting *x, const sat_args *w, int64_t *after, sat_err *e)
{
	const char *reason = sat_args_get(w, "reason"), *format;
	sat_rc rc;

	if (w->nargs != 2 || reason == NULL || reason[0] == '\0')
		return sat_fail_code(e, SAT_EUSAGE, "usage",
		    "the reason stands in the audit log: no personal data",
		    "usage: satcheld export TYPE|all --reason TEXT [--mask] "
		    "[-o FILE]");
	format = sat_args_get(w, "format");
	if (format != NULL && strcmp(format, "jsonl") != 0)
		return sat_fail_code(e, SAT_EUSAGE, "usage.option",
		    "csv, xlsx, sqlite and filters: satchel export, on a device "
		    "of headquarters", "the server exports jsonl, not %.20s",
		    format);
	if (x->t == NULL)
		return sat_fail(e, SAT_EINTEGRITY,
		    "what is published cannot be loaded");
	if (strcmp(w->arg[1], "all") != 0) {
		const sat_kind *k = sat_template_kind(x->t, w->arg[1]);

		if (k == NULL)
			return sat_fail_code(e, SAT_ENOTFOUND, "not_found",
			    "for example account, or all", "there is no kind %.40s",
			    w->arg[1]);
		x->kind = k->key;
	}
	if ((rc = sat_args_int(after, w, "cursor", 0, e)) != SAT_OK)
		return rc;
	return *after >= 0 && *after <= UINT32_MAX ? SAT_OK :
	    sat_fail(e, SAT_EUSAGE, "--cursor is no position");
}

sat_rc
admin_export_verb(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e)
{
	sat_store st = sat_sqlite_store_ops(a->store);
	exporting x = { .t = admin_template_at(a, a->tip.b), .out = out,
		.mask = sat_args_has(w, "mask"), .from = out->n, .e = e };
	int64_t after;
	sat_rc rc = check(&x, w, &after, e);

	if (rc == SAT_OK && after == 0)
		rc = note(a, w->arg[1], sat_args_get(w, "reason"), x.mask, e);
	if (rc == SAT_OK)
		rc = st.rec_scan(st.u, (uint32_t)after, one, &x, e);
	if (rc == SAT_OK)
		rc = x.rc;
	if (rc == SAT_OK && x.more)
		sat_buf_fmt(out, "%s%u\n", ADMIN_MORE, x.last);
	return rc;
}
