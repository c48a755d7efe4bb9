/* The golden vectors of encrypted pages. */
#include "tests/lib/unit.h"

#include "common/db/vfs_int.h"
#include "tests/lib/golden.h"

static sat_rc
say_page(sat_buf *out, const golden_word *w, size_t n, sat_err *e)
{
	vfs_keys keys = { 0 };
	vfs_main db = { .keys = &keys };
	uint8_t clear[VFS_PAGE], hash[SAT_HASH_BYTES];

	assert_int_equal(4, n);
	assert_true(w[0].bytes.n == SAT_KEY_BYTES &&
	    w[1].bytes.n == SAT_FILE_ID_BYTES && w[3].bytes.n == VFS_PAGE);
	memcpy(keys.page, w[0].bytes.p, SAT_KEY_BYTES);
	memcpy(db.id, w[1].bytes.p, SAT_FILE_ID_BYTES);
	if (!vfs_page_open(clear, w[3].bytes.p, &db, (uint32_t)golden_u64(&w[2])))
		return sat_fail(e, SAT_EINTEGRITY, "does not authenticate");
	sat_hash(hash, sat_span_of(clear, sizeof clear));
	golden_hex(out, sat_span_of(hash, sizeof hash));
	return SAT_OK;
}

static void
pages_are_opened_as_written_down(void **state) /* V1 */
{
	(void)state;
	golden_replay("page", 16, say_page);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_are_opened_as_written_down),
	};

	sat_crypto_init();
	golden_filling(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
