/*
 * ADMIN and ADMIN_IS (P-370): the words of one verb of the server, and what it
 * answered.
 */
#include "protocol/message_int.h"

void
sat_msg_write_admin(sat_buf *b, const sat_msg *m)
{
	if (m->type == SAT_MSG_ADMIN_IS) {
		sat_write_span(b, m->u.admin_is);
		return;
	}
	sat_write_uint(b, m->u.admin.n);
	for (size_t i = 0; i < m->u.admin.n; i++)
		sat_write_span(b, m->u.admin.word[i]);
}

void
sat_msg_read_admin(sat_msg *m, sat_arena *a, sat_reader *r)
{
	sat_admin_words *w = &m->u.admin;

	if (m->type == SAT_MSG_ADMIN_IS) {
		m->u.admin_is = sat_read_span(r, SAT_ADMIN_ANSWER_MAX);
		if (!sat_utf8_ok(m->u.admin_is.p, m->u.admin_is.n))
			sat_read_bad(r, "answer");
		return;
	}
	w->n = read_count(r, 1, SAT_ADMIN_WORDS_MAX);
	w->word = sat_arena_alloc(a, (w->n + 1) * sizeof *w->word);
	for (size_t i = 0; i < w->n; i++) {
		w->word[i] = sat_read_span(r, SAT_ADMIN_WORD_MAX);
		if (!sat_utf8_ok(w->word[i].p, w->word[i].n) ||
		    (w->word[i].n > 0 && memchr(w->word[i].p, '\0',
		    w->word[i].n) != NULL))
			sat_read_bad(r, "word");
	}
}
