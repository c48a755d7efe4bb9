/*
 * A kiosk's page: three routes and no more. A visitor is taken in, a code is
 * looked at, a member of staff shows who he is. None of them tells anything of
 * anybody.
 *
 * The PIN is for the person who stands at the machine; what protects the data
 * is that the machine cannot read it (P-360). So it may be short, but it is
 * stretched, and each wrong try behind the fifth waits twice as long.
 */
#include "client/api/api_int.h"

#include "client/crm/reception.h"
#include "common/crypto/crypto.h"

#include <stdio.h>
#include <string.h>

#define PIN_KEY "kiosk.pin"
#define TRIES_KEY "kiosk.tries"
#define PIN_DIGITS 6
#define PIN_OPS 2
#define PIN_MEM ((uint64_t)32 << 20)
#define TRIES_FREE 5
#define WAIT_MS ((int64_t)60000)
#define WAIT_DOUBLED_MAX 10
#define STAFF_MS ((int64_t)90000)

/* ---- taking in, looking at a code -------------------------------------------------- */

HANDLER(api_kiosk_checkin)
{
	static const char *const may[] = { "visitor", "phone", "party_size",
		"channel", "first_visit", "interest", "qr", "consent", "station" };

	for (const sat_json *x = sat_json_first(req->body); x != NULL;
	     x = sat_json_next(x)) {
		bool known = false;

		for (size_t i = 0; i < sizeof may / sizeof may[0]; i++)
			known = known || strcmp(sat_json_key(x), may[i]) == 0;
		if (!known)
			return sat_fail_code(e, SAT_EDENIED, "kiosk.field", NULL,
			    "a visitor does not fill in %.40s", sat_json_key(x));
	}
	return api_checkin(out, api, req, args, e);
}

HANDLER(api_kiosk_lookup)
{
	const char *code = sat_json_get_str(req->body, "qr", NULL);
	const char *phone = sat_json_get_str(req->body, "phone", NULL);
	char tag[SAT_REPORT_TAG], is[SAT_REPORT_TAG];
	sat_json *data;
	sat_id report;

	(void)api;
	(void)args;
	if (code == NULL)
		return sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
		    "a lookup needs the code (qr)");
	if (!sat_report_code_read(&report, tag, code))
		return sat_fail_code(e, SAT_EINVALID, "report.code",
		    "scan it again, or go on without it",
		    "this is no code of a report");
	*out = api_doc("kiosk.lookup");
	data = sat_json_put_obj(*out, "data");
	sat_json_put_str(data, "kind", "preregistration");
	if (phone == NULL) {
		sat_json_put_null(data, "phone_fits");
		return SAT_OK;
	}
	sat_report_tag(is, &report, sat_span_str(phone));
	sat_json_put_bool(data, "phone_fits", strcmp(is, tag) == 0);
	return SAT_OK;
}

/* ---- the PIN ------------------------------------------------------------------------- */

typedef struct pin {
	uint8_t salt[16], hash[SAT_KEY_BYTES];
} pin;

typedef struct tries {
	int64_t wrong, until_ms;
} tries;

static bool
is_pin(const char *text)
{
	return text != NULL && strlen(text) == PIN_DIGITS &&
	    strspn(text, "0123456789") == PIN_DIGITS;
}

/* SAT_ENOTFOUND: none was set. */
static sat_rc
pin_get(pin *p, sat_replica *r, sat_err *e)
{
	sat_buf b = { 0 };
	sat_rc rc = sat_replica_setting_get(&b, r, PIN_KEY, e);

	if (rc == SAT_OK && b.n == sizeof p->salt + sizeof p->hash) {
		memcpy(p->salt, b.p, sizeof p->salt);
		memcpy(p->hash, b.p + sizeof p->salt, sizeof p->hash);
	} else if (rc == SAT_OK) {
		rc = sat_fail(e, SAT_EINTEGRITY, "the PIN's entry is damaged");
	}
	sat_buf_fini(&b);
	return rc;
}

static sat_rc
tries_get(tries *t, sat_replica *r, sat_err *e)
{
	sat_buf b = { 0 };
	sat_rc rc = sat_replica_setting_get(&b, r, TRIES_KEY, e);
	long long wrong, until;

	*t = (tries){ 0, 0 };
	if (rc == SAT_OK && sscanf(sat_buf_cstr(&b), "%lld %lld", &wrong,
	    &until) == 2)
		*t = (tries){ wrong, until };
	sat_buf_fini(&b);
	return rc == SAT_ENOTFOUND ? SAT_OK : rc;
}

static sat_rc
tries_put(const tries *t, sat_replica *r, sat_err *e)
{
	char text[64];

	(void)snprintf(text, sizeof text, "%lld %lld", (long long)t->wrong,
	    (long long)t->until_ms);
	return sat_replica_setting_put(r, TRIES_KEY, sat_span_str(text), e);
}

static sat_rc
wait_over(const tries *t, int64_t now, sat_err *e)
{
	char hint[64];

	/* a clock that was set back does not lock it for ever */
	if (t->until_ms <= now || t->until_ms - now > WAIT_MS << WAIT_DOUBLED_MAX)
		return SAT_OK;
	(void)snprintf(hint, sizeof hint, "RETRY_AFTER %lld",
	    (long long)((t->until_ms - now + 999) / 1000));
	return sat_fail_code(e, SAT_ELOCKED, "kiosk.wait", hint,
	    "too many wrong PINs");
}

/* The try is counted before it is known to be right: pulling the plug is no way
 * to have more of them. */
static sat_rc
pin_try(sat_api *api, const char *text, sat_err *e)
{
	int64_t now = sat_wall_ms(&api->crm.clock), n;
	sat_replica *r = api->crm.replica;
	uint8_t hash[SAT_KEY_BYTES];
	tries t;
	pin p;
	sat_rc rc;

	if ((rc = pin_get(&p, r, e)) != SAT_OK)
		return rc == SAT_ENOTFOUND ? sat_fail_code(e, rc, "kiosk.no_pin",
		    "set one: satchel kiosk pin", "no PIN was set") : rc;
	if ((rc = tries_get(&t, r, e)) != SAT_OK ||
	    (rc = wait_over(&t, now, e)) != SAT_OK)
		return rc;
	t.wrong++;
	n = t.wrong - TRIES_FREE;
	if (n >= 0)
		t.until_ms = now + (WAIT_MS << (n < WAIT_DOUBLED_MAX ? n :
		    WAIT_DOUBLED_MAX));
	if ((rc = tries_put(&t, r, e)) != SAT_OK ||
	    (rc = sat_kdf_passphrase(hash, sat_span_str(text), p.salt, PIN_OPS,
	    PIN_MEM, e)) != SAT_OK)
		return rc;
	if (!sat_mem_eq(hash, p.hash, sizeof hash))
		return sat_fail_code(e, SAT_ELOCKED, "kiosk.pin", NULL,
		    "this is not the PIN");
	t = (tries){ 0, 0 };
	return tries_put(&t, r, e);
}

static void
staff_answer(sat_json **out, const sat_api *api)
{
	sat_json *data;

	*out = api_doc("kiosk.pin");
	data = sat_json_put_obj(*out, "data");
	sat_json_put_bool(data, "ok", true);
	sat_json_put_time(data, "until", sat_wall_ms(&api->crm.clock) + STAFF_MS);
}

HANDLER(api_kiosk_pin)
{
	const char *text = sat_json_get_str(req->body, "pin", NULL);
	sat_rc rc;

	(void)args;
	if (!is_pin(text))
		return sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
		    "a PIN has %d digits", PIN_DIGITS);
	if ((rc = pin_try(api, text, e)) == SAT_OK)
		staff_answer(out, api);
	return rc;
}

/* Whoever set it up sets the first one; later ones need the one before. */
HANDLER(api_kiosk_pin_set)
{
	const char *text = sat_json_get_str(req->body, "pin", NULL);
	const char *old = sat_json_get_str(req->body, "old", NULL);
	uint8_t both[sizeof(pin)];
	pin p;
	sat_rc rc;

	(void)args;
	if (!is_pin(text) || (old != NULL && !is_pin(old)))
		return sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
		    "a PIN has %d digits", PIN_DIGITS);
	rc = pin_get(&p, api->crm.replica, e);
	if (rc == SAT_OK)
		rc = old != NULL ? pin_try(api, old, e) :
		    sat_fail_code(e, SAT_EDENIED, "kiosk.old",
		    "name it, too: --old-file FILE", "there is a PIN already");
	else if (rc == SAT_ENOTFOUND)
		rc = SAT_OK;
	if (rc != SAT_OK)
		return rc;
	api->sync.rand.bytes(api->sync.rand.u, p.salt, sizeof p.salt);
	if ((rc = sat_kdf_passphrase(p.hash, sat_span_str(text), p.salt,
	    PIN_OPS, PIN_MEM, e)) != SAT_OK)
		return rc;
	memcpy(both, p.salt, sizeof p.salt);
	memcpy(both + sizeof p.salt, p.hash, sizeof p.hash);
	if ((rc = sat_replica_setting_put(api->crm.replica, PIN_KEY,
	    sat_span_of(both, sizeof both), e)) == SAT_OK)
		staff_answer(out, api);
	return rc;
}
