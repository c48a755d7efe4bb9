/*
 * The template of the simulation: the base template without its reports, with
 * a `min` field it lacks; each later version adds one field.
 */
#include "tests/sim/sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/git/git.h"

#define FILES_MAX 256
#define BRANCH "refs/heads/published"

uint8_t sim_template_pk[SAT_SIGN_PK_BYTES];

static struct {
	sat_template *t;
	sat_oid oid;
	sat_buf whole; /* bundle from nothing */
	sat_buf from[SIM_TEMPLATES]; /* bundle from an older version */
} versions[SIM_TEMPLATES];

static const char *const extra[SIM_TEMPLATES] = {
	",{\"id\":60,\"key\":\"quote_min\",\"label\":{\"zh\":\"\xe6\x9c\x80\xe4\xbd\x8e\","
	"\"en\":\"Lowest quote\"},\"type\":\"money\",\"policy\":\"min\"}",
	",{\"id\":61,\"key\":\"note2\",\"label\":{\"zh\":\"\xe6\xb3\xa8\","
	"\"en\":\"Note\"},\"type\":\"text\"}",
	",{\"id\":62,\"key\":\"note3\",\"label\":{\"zh\":\"\xe6\xb3\xa8\","
	"\"en\":\"Note 3\"},\"type\":\"text\"}",
	",{\"id\":63,\"key\":\"note4\",\"label\":{\"zh\":\"\xe6\xb3\xa8\","
	"\"en\":\"Note 4\"},\"type\":\"text\"}",
};

/* The long dictionary, cut short: every start of a device reads it again. */
static const char industry[] = "{\"name\":\"industry\",\"label\":{\"zh\":"
    "\"\xe8\xa1\x8c\xe4\xb8\x9a\",\"en\":\"Industry\"},\"options\":["
    "{\"key\":\"A\",\"label\":{\"zh\":\"\xe5\x86\x9c\",\"en\":\"Farming\"}},"
    "{\"key\":\"C\",\"label\":{\"zh\":\"\xe5\xb7\xa5\",\"en\":\"Making\"}}]}";

const char *sim_template_pools;

static void
must(sat_rc rc, const sat_err *e, const char *what)
{
	if (rc == SAT_OK)
		return;
	(void)fprintf(stderr, "sim: %s: %s\n", what, e->text);
	exit(2);
}

/* The document with fields added before its last bracket. */
static sat_span
grown(sat_arena *a, sat_span doc, int version)
{
	sat_buf b = { 0 };
	size_t at = doc.n;
	sat_span out;

	while (at > 0 && doc.p[at - 1] != ']')
		at--;
	sat_buf_add(&b, doc.p, at - 1);
	for (int i = 0; i <= version; i++)
		sat_buf_str(&b, extra[i]);
	sat_buf_add(&b, doc.p + at - 1, doc.n - at + 1);
	out = sat_span_of(sat_arena_dup(a, b.p, b.n), b.n);
	sat_buf_fini(&b);
	return out;
}

/* What people play with here: a table or a document more costs every device. */
static const char *const played[] = { "template.json", "acl/matrix.json",
	"policy/handover.json", "policy/limits.json", "policy/pool.json",
	"policy/conflict.json", "rules/validation.json", "fields/account.json",
	"fields/contact.json", "fields/activity.json",
	"fields/opportunity.json", "fields/campaign.json", "dict/grade.json",
	"dict/industry.json", "dict/lost_reason.json", "dict/need_type.json",
	"dict/party_kind.json", "dict/size.json", "dict/source.json",
	"dict/stage.json", "dict/status.json", "dict/direction.json",
	"dict/method.json", "dict/campaign_kind.json",
	"dict/contact_role.json" };

static bool
is_played(const char *path)
{
	for (size_t i = 0; i < sizeof played / sizeof played[0]; i++)
		if (strcmp(path, played[i]) == 0)
			return true;
	return false;
}

static void
make_version(sat_git *g, int v, const uint8_t *sk)
{
	sat_git_author who = { "sim", "sim@localhost",
		1780000000000 + v * 1000, sk, sim_template_pk };
	sat_template_file files[FILES_MAX];
	sat_git_file list[FILES_MAX];
	const sat_template_file *base;
	sat_arena a = { 0 };
	sat_err e = { 0 };
	size_t all, n = 0;

	base = sat_template_base(&all);
	for (size_t i = 0; i < all && n < FILES_MAX; i++) {
		if (!is_played(base[i].path))
			continue;
		files[n] = base[i];
		if (strcmp(base[i].path, "fields/account.json") == 0)
			files[n].bytes = grown(&a, base[i].bytes, v);
		if (strcmp(base[i].path, "acl/matrix.json") == 0)
			files[n].bytes = sim_mask_matrix(&a, base[i].bytes, v);
		if (strcmp(base[i].path, "dict/industry.json") == 0)
			files[n].bytes = sat_span_str(industry);
		if (sim_template_pools != NULL &&
		    strcmp(base[i].path, "policy/pool.json") == 0)
			files[n].bytes = sat_span_str(sim_template_pools);
		list[n] = (sat_git_file){ files[n].path, files[n].bytes };
		n++;
	}
	must(sat_template_load(&versions[v].t, files, n, &e), &e, "template");
	must(sat_git_commit(&versions[v].oid, g, BRANCH, list, n, &who, "v", &e),
	    &e, "commit");
	must(sat_git_bundle(&versions[v].whole, g, &versions[v].oid, NULL, &e),
	    &e, "bundle");
	sat_arena_fini(&a);
}

void
sim_template_init(void)
{
	uint8_t seed[32] = "simulation template key", sk[SAT_SIGN_SK_BYTES];
	sat_err e = { 0 };
	sat_git *g;

	if (versions[0].t != NULL)
		return;
	sat_sign_keys(sim_template_pk, sk, seed);
	must(sat_git_memory(&g, &e), &e, "git");
	for (int v = 0; v < SIM_TEMPLATES; v++) {
		make_version(g, v, sk);
		for (int old = 0; old < v; old++)
			must(sat_git_bundle(&versions[v].from[old], g,
			    &versions[v].oid, &versions[old].oid, &e), &e,
			    "bundle");
	}
	sat_git_close(g);
}

const sat_template *
sim_template(int version)
{
	return versions[version].t;
}

const uint8_t *
sim_template_oid(int version)
{
	return versions[version].oid.b;
}

int
sim_template_version(const uint8_t oid[SAT_TEMPLATE_OID_BYTES])
{
	for (int v = 0; v < SIM_TEMPLATES; v++)
		if (memcmp(oid, versions[v].oid.b, SAT_TEMPLATE_OID_BYTES) == 0)
			return v;
	return -1;
}

void
sim_template_bundle(sat_buf *out, int tip, int have)
{
	const sat_buf *b = have >= 0 && have < tip ?
	    &versions[tip].from[have] : &versions[tip].whole;

	sat_buf_add(out, b->p, b->n);
}
