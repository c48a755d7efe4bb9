#include "server/relay/park.h"

#include <string.h>

#define BY_DEVICE SAT_KEYS_MAX
/* No scope key has this type: a device's place among the keys. */
#define DEVICE_KEY(dev) ((sat_scope_key)7 << 48 | (dev))

static sat_park_node **
bucket(sat_park *p, sat_scope_key key)
{
	return &p->keys[key * 0x9e3779b97f4a7c15u >> 52 &
	    (SAT_PARK_BUCKETS - 1)];
}

void
sat_park_init(sat_park *p)
{
	memset(p, 0, sizeof *p);
	p->last = &p->first;
}

static void
hang_in(sat_park *p, sat_parked *x, size_t i, sat_scope_key key)
{
	sat_park_node *k = &x->node[i], **b = bucket(p, key);

	k->key = key;
	k->of = x;
	k->next = *b;
	k->prev = b;
	if (k->next != NULL)
		k->next->prev = &k->next;
	*b = k;
}

static void
take_out(sat_park_node *k)
{
	if (k->prev == NULL)
		return;
	*k->prev = k->next;
	if (k->next != NULL)
		k->next->prev = k->prev;
	k->prev = NULL;
}

static void
close_earlier(sat_park *p, sat_scope_key device)
{
	sat_park_node *next;

	for (sat_park_node *k = *bucket(p, device); k != NULL; k = next) {
		next = k->next;
		if (k->key != device)
			continue;
		sat_link_close(k->of->link);
		sat_park_remove(p, k->of);
	}
}

void
sat_park_add(sat_park *p, sat_parked *x, sat_link *link, int64_t now_ms)
{
	const sat_keys *keys = &x->session.waits_for;

	sat_park_remove(p, x);
	close_earlier(p, DEVICE_KEY(x->session.device));
	for (size_t i = 0; i < keys->n; i++)
		hang_in(p, x, i, keys->k[i]);
	hang_in(p, x, BY_DEVICE, DEVICE_KEY(x->session.device));
	x->link = link;
	x->due_ms = now_ms + SAT_WAIT_MS;
	x->woken = false;
	x->next = NULL;
	x->prev = p->last;
	*p->last = x;
	p->last = &x->next;
	p->n++;
}

void
sat_park_remove(sat_park *p, sat_parked *x)
{
	if (x->link == NULL)
		return;
	for (size_t i = 0; i <= SAT_KEYS_MAX; i++)
		take_out(&x->node[i]);
	*x->prev = x->next;
	if (x->next != NULL)
		x->next->prev = x->prev;
	else
		p->last = x->prev;
	x->link = NULL;
	x->session.parked = false;
	p->n--;
}

static void
answer(sat_park *p, sat_parked *x, sat_waited w)
{
	sat_link *link = x->link;
	sat_buf b = { 0 };

	sat_park_remove(p, x);
	sat_server_unpark(&x->session, &b, w);
	sat_link_reply(link, sat_buf_span(&b));
	sat_buf_fini(&b);
}

static void
mark(sat_parked *x, sat_parked **list, size_t *n)
{
	if (x->woken)
		return;
	x->woken = true;
	x->next_woken = *list;
	*list = x;
	++*n;
}

void
sat_park_wake(sat_park *p, const sat_heard *h)
{
	sat_waited w = { .what = h->everybody ?
	    SAT_WAITED_LOG | SAT_WAITED_SETTINGS : SAT_WAITED_LOG };
	sat_parked *list = NULL, *next;
	size_t n = 0;

	for (sat_parked *x = p->first; h->everybody && x != NULL; x = x->next)
		mark(x, &list, &n);
	for (size_t i = 0; i < h->n; i++)
		for (sat_park_node *k = *bucket(p, h->keys[i]); k != NULL;
		     k = k->next)
			if (k->key == h->keys[i])
				mark(k->of, &list, &n);
	/* One millisecond each: a thousand devices a second come back (P-214). */
	if (n > SAT_WAKE_AT_ONCE)
		w.spread_ms = n < SAT_SPREAD_MS_MAX ? (uint32_t)n :
		    SAT_SPREAD_MS_MAX;
	p->woken += n;
	for (sat_parked *x = list; x != NULL; x = next) {
		next = x->next_woken;
		answer(p, x, w);
	}
}

void
sat_park_hang_up(sat_park *p)
{
	sat_link *link;

	while (p->first != NULL) {
		link = p->first->link;
		sat_park_remove(p, p->first);
		sat_link_close(link);
	}
}

int64_t
sat_park_sweep(sat_park *p, int64_t now_ms)
{
	const sat_waited nothing = { 0 };

	while (p->first != NULL && p->first->due_ms <= now_ms) {
		p->expired++;
		answer(p, p->first, nothing);
	}
	return p->first != NULL ? p->first->due_ms - now_ms : -1;
}
