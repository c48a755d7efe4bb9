#include "tests/lib/unit.h"

#include "protocol/invite.h"

static sat_invite
sample(void)
{
	sat_invite in;

	for (size_t i = 0; i < 16; i++)
		in.org.b[i] = in.token[i] = (uint8_t)(i * 17);
	for (size_t i = 0; i < 32; i++)
		in.server_pk[i] = (uint8_t)(i * 7);
	memset(in.address, 0, sizeof in.address);
	(void)snprintf(in.address, sizeof in.address, "tcp://127.0.0.1:7443");
	return in;
}

static void
an_invitation_comes_back_whole(void **state) /* P-100 */
{
	char text[SAT_INVITE_TEXT_MAX], spaced[SAT_INVITE_TEXT_MAX + 8];
	sat_invite in = sample(), out;
	sat_err err;

	(void)state;
	sat_invite_write(text, &in);
	(void)snprintf(spaced, sizeof spaced, "  %s\r\n", text);
	assert_ok(sat_invite_read(&out, spaced, &err));
	assert_memory_equal(&in, &out, sizeof in);
}

static void
every_changed_or_lost_letter_is_noticed(void **state)
{
	char text[SAT_INVITE_TEXT_MAX], bad[SAT_INVITE_TEXT_MAX];
	sat_invite in = sample(), out;
	size_t n;

	(void)state;
	sat_invite_write(text, &in);
	n = strlen(text);
	for (size_t i = 9; i < n; i++)
		for (const char *d = "0123456789abcdefghjkmnpqrstvwxyz"; *d; d++) {
			memcpy(bad, text, n + 1);
			bad[i] = *d;
			if (*d != text[i])
				assert_rc(SAT_EINVALID,
				    sat_invite_read(&out, bad, NULL));
		}
	for (size_t i = 0; i < n; i++) {
		memcpy(bad, text, n + 1);
		bad[i] = '\0';
		assert_rc(SAT_EINVALID, sat_invite_read(&out, bad, NULL));
	}
	assert_rc(SAT_EINVALID, sat_invite_read(&out, "hello", NULL));
	assert_rc(SAT_EINVALID, sat_invite_read(&out, "", NULL));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_invitation_comes_back_whole),
		cmocka_unit_test(every_changed_or_lost_letter_is_noticed),
	};

	sat_crypto_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
