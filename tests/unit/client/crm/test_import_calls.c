/* The call log of a phone becomes follow-ups, each once and without numbers. */
#include "tests/lib/unit.h"

#include "client/crm/crm.h"
#include "tests/unit/client/crm/crm_fixture.h"
#include "tests/unit/client/crm/sheets.h"

#define HEAD "姓名,电话号码,通话类型,通话时间,通话时长\n"
#define CALLS "甲,138-0013-8000,呼出,2023/11/02 10:30,65\n" \
	"陈,136 5555 6666,未接,2023/11/02 11:00,0\n"

/* No text of a follow-up has the digits of a phone. */
static void
assert_no_phones(fixture *f)
{
	const uint16_t cols[] = { SAT_Q_ID };
	sat_query q = { .kind = f->activity, .columns = cols, .ncolumns = 1 };
	const sat_value *v;
	sat_rows *rows;
	sat_buf b = { 0 };
	size_t n = 0;
	sat_err err;

	assert_ok(sat_replica_query(&rows, f->r, &q, &err));
	for (;;) {
		sat_id id;
		sat_view view;

		assert_ok(sat_rows_next(&v, rows, &err));
		if (v == NULL)
			break;
		memcpy(id.b, v[0].s.p, sizeof id.b);
		view = view_of(f, id);
		for (size_t i = 0; i < f->activity->nfields; i++) {
			sat_value is = sat_record_value(&view.rec,
			    f->activity->fields[i].id);

			if (is.type == SAT_V_TEXT) {
				sat_buf_add(&b, is.s.p, is.s.n);
				sat_buf_str(&b, "\n");
				n++;
			}
		}
	}
	sat_rows_free(rows);
	assert_true(n > 0);
	assert_null(strstr(sat_buf_cstr(&b), "138-0013"));
	assert_null(strstr(sat_buf_cstr(&b), "13800138000"));
	assert_null(strstr(sat_buf_cstr(&b), "136 5555"));
	assert_null(strstr(sat_buf_cstr(&b), "13655556666"));
	sat_buf_fini(&b);
}

/* A customer with a phone, and a contact with another. */
static sat_id
somebody(fixture *f)
{
	sat_id id = customer(f, "Alpha", "13800138000");

	(void)child(f, "contact", id, LIST("name=陈", "phone=13655556666"));
	return id;
}

static void
a_call_is_the_same_in_any_notation(void **state)
{
	fixture *f = *state;
	sat_import_summary s;

	(void)somebody(f);
	import_all(&s, f, "activity", HEAD CALLS, NULL);
	assert_int_equal(2, s.created);
	assert_no_phones(f);
	import_all(&s, f, "activity", HEAD CALLS, NULL);
	assert_int_equal(2, s.skipped);
	import_all(&s, f, "activity", "number,type,date,duration\n"
	    "＋86 13800138000,outgoing,2023-11-02T10:30,1:05\n"
	    "13655556666,missed,2023-11-02 11:00,\n", NULL);
	assert_int_equal(0, s.created);
	assert_int_equal(2, s.skipped);
	/* the same minute, another phone of theirs */
	import_all(&s, f, "activity", HEAD
	    "陈,13655556666,呼出,2023-11-02 10:30,9\n", NULL);
	assert_int_equal(1, s.created);
	assert_int_equal(3, count_of(f, f->activity));
	assert_no_phones(f);
	assert_sound(f);
}

static void
a_log_is_known_after_a_merge_and_by_its_former_name(void **state)
{
	fixture *f = *state;
	sat_import_summary s;
	sat_id loser, winner;
	sat_err err;

	loser = somebody(f);
	import_all(&s, f, "activity", HEAD CALLS, NULL);
	winner = customer(f, "Omega", "13812340009");
	assert_ok(try_merge(f, loser, winner, NULL, NULL, &err));
	import_all(&s, f, "activity", HEAD CALLS, NULL);
	assert_int_equal(2, s.skipped);
	(void)child(f, "activity", winner, LIST("method=phone", "points=通话",
	    "external_id=13812340009 2023-11-03 09:00"));
	import_all(&s, f, "activity", HEAD
	    "乙,13812340009,呼出,2023-11-03 09:00,9\n", NULL);
	assert_int_equal(1, s.skipped);
	assert_int_equal(3, count_of(f, f->activity));
	assert_sound(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		HQ(a_call_is_the_same_in_any_notation),
		HQ(a_log_is_known_after_a_merge_and_by_its_former_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
