/* acl/matrix.json: {"roles":[...],"grants":{role:{action:scope}},"masks":{...}}:
 * masks are mask.c's. */
#include "common/template/gate.h"
#include "common/template/template_int.h"

#include <stdio.h>
#include <string.h>

static const char *const grant_words[] = { "no", "own", "team", "all" };

/* Every commit asks for several: a role has a hundred actions to look through. */
struct acl_cell {
	uint64_t hash; /* 0 = free */
	const char *role;
	const sat_json *cell;
};

static int
grant_of(const char *word)
{
	for (int i = 0; word != NULL && i < 4; i++)
		if (strcmp(word, grant_words[i]) == 0)
			return i;
	return -1;
}

/* "account.edit", "*.view", "conflict.resolve", "import". */
static bool
action_ok(const char *s)
{
	size_t n = strlen(s);

	return n > 0 && n <= 60 && s[0] != '.' && s[n - 1] != '.' &&
	    strspn(s, "abcdefghijklmnopqrstuvwxyz_.*") == n;
}

static void
check_role(walk *w, const sat_json *roles, const sat_json *row)
{
	const char *role = sat_json_key(row);
	const sat_json *n;
	bool known = false;

	for (n = sat_json_first(roles); n != NULL; n = sat_json_next(n))
		known = known ||
		    strcmp(sat_json_get_str(n, "key", ""), role) == 0;
	if (!known)
		sat_walk_fault(w, "role '%.40s' is not in 'roles'", role);
	if (sat_json_type(row) != SAT_J_OBJ)
		sat_walk_fault(w, "the grants of a role must be an object");
	for (n = sat_json_first(row); n != NULL && w->rc == SAT_OK;
	    n = sat_json_next(n))
		if (!action_ok(sat_json_key(n)) ||
		    grant_of(sat_json_str(n, NULL)) < 0)
			sat_walk_fault(w, "'%.40s': must be an action with no, own, "
			    "team or all", sat_json_key(n));
}

/* ---- the table ------------------------------------------------------------------ */

static uint64_t
mix(uint64_t h)
{
	h *= 0x9e3779b97f4a7c15ull;
	return h ^ h >> 29;
}

static uint64_t
hash_text(uint64_t h, const char *s, size_t n)
{
	uint64_t w;

	for (; n >= sizeof w; s += sizeof w, n -= sizeof w) {
		memcpy(&w, s, sizeof w);
		h = mix(h ^ w);
	}
	for (w = 0; n > 0; n--)
		w = w << 8 | (uint8_t)s[n - 1];
	return mix(h ^ w);
}

/* The same rule and verb for any kind is "*.verb". */
static uint64_t
hash_action(const char *role, const char *action, size_t n)
{
	uint64_t h = hash_text(0xcbf29ce484222325ull, role, strlen(role) + 1);

	return hash_text(h, action, n) | 1;
}

static const sat_json *
find_cell(const sat_template *t, const char *role, const char *action)
{
	uint64_t h = hash_action(role, action, strlen(action));

	for (size_t i = (size_t)(h >> 20); t->cells != NULL; i++) {
		const struct acl_cell *c = &t->cells[i & t->cells_mask];

		if (c->hash == 0)
			break;
		if (c->hash == h && strcmp(c->role, role) == 0 &&
		    strcmp(sat_json_key(c->cell), action) == 0)
			return c->cell;
	}
	return NULL;
}

static void
put_cell(sat_template *t, const char *role, const sat_json *cell)
{
	const char *action = sat_json_key(cell);
	uint64_t h = hash_action(role, action, strlen(action));
	size_t i = (size_t)(h >> 20);

	while (t->cells[i & t->cells_mask].hash != 0)
		i++;
	t->cells[i & t->cells_mask] = (struct acl_cell){ h, role, cell };
}

/* Of two alike the first counts, as in any look at the document. */
static void
make_table(sat_template *t)
{
	const sat_json *row, *cell;
	size_t n = 0, room = 64;

	for (row = sat_json_first(t->matrix); row != NULL;
	    row = sat_json_next(row))
		for (cell = sat_json_first(row); cell != NULL;
		    cell = sat_json_next(cell))
			n++;
	while (room < 2 * n)
		room *= 2;
	t->cells = sat_arena_alloc(&t->arena, room * sizeof *t->cells);
	memset(t->cells, 0, room * sizeof *t->cells);
	t->cells_mask = room - 1;
	for (row = sat_json_first(t->matrix); row != NULL;
	    row = sat_json_next(row))
		for (cell = sat_json_first(row); cell != NULL;
		    cell = sat_json_next(cell))
			put_cell(t, sat_json_key(row), cell);
}

sat_rc
sat_template_load_matrix(sat_template *t, sat_err *e)
{
	walk w = { .t = t, .path = "acl/matrix.json", .e = e };
	const sat_json *root = sat_template_doc(t, w.path), *roles, *n, *grants;
	const char *zh, *en;
	size_t count, i = 0, mark;

	if (root == NULL)
		return sat_fail_code(e, SAT_EINVALID, "template.invalid", NULL,
		    "acl/matrix.json: is missing");
	sat_walk_members(&w, root, "roles grants masks note");
	roles = sat_walk_array(&w, root, "roles", 64, &count);
	for (n = sat_json_first(roles); n != NULL && w.rc == SAT_OK;
	    n = sat_json_next(n)) {
		const char *key;

		mark = sat_walk_enter(&w, "roles", i++);
		sat_walk_members(&w, n, "key label note");
		key = sat_walk_text(&w, n, "key", true);
		sat_walk_label(&w, n, "label", &zh, &en);
		if (key != NULL && !sat_key_ok(key))
			sat_walk_fault(&w, "'key' is not lower case");
		sat_walk_leave(&w, mark);
	}
	grants = sat_json_get(root, "grants");
	mark = sat_walk_enter(&w, "grants", SIZE_MAX);
	if (sat_json_type(grants) != SAT_J_OBJ)
		sat_walk_fault(&w, "must be an object");
	for (n = sat_json_first(grants); n != NULL && w.rc == SAT_OK;
	    n = sat_json_next(n))
		check_role(&w, roles, n);
	sat_walk_leave(&w, mark);
	t->matrix = grants;
	if (w.rc == SAT_OK)
		make_table(t);
	return w.rc;
}

static const sat_json *
deciding(const sat_template *t, const char *role, const char *action)
{
	const sat_json *cell = find_cell(t, role, action);
	const char *dot = strrchr(action, '.');
	char any[64] = "*";

	if (cell == NULL && dot != NULL && strlen(dot) < sizeof any - 1) {
		memcpy(any + 1, dot, strlen(dot) + 1);
		cell = find_cell(t, role, any);
	}
	return cell;
}

sat_grant
sat_acl(const sat_template *t, const char *role, const char *action)
{
	int g = grant_of(sat_json_str(deciding(t, role, action), NULL));

	return g > 0 ? (sat_grant)g : SAT_GRANT_NO;
}

const char *
sat_acl_rule(const sat_template *t, const char *role, const char *action)
{
	return sat_json_key(deciding(t, role, action));
}

bool
sat_template_has_role(const sat_template *t, const char *key)
{
	const sat_json *m = sat_json_first(sat_json_get(sat_template_doc(t,
	    "acl/matrix.json"), "roles"));

	for (; m != NULL; m = sat_json_next(m))
		if (strcmp(sat_json_get_str(m, "key", ""), key) == 0)
			return true;
	return false;
}
