/*
 * A report's definition in words: what is looked at, what each number counts,
 * by which filter, within the period by which date. Made of the parsed
 * definition, so that it says what the executor does.
 */
#include "client/crm/report_int.h"
#include "client/crm/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define HOUR_MS ((int64_t)3600000)

typedef struct words {
	sat_crm *c;
	const sat_template *t;
	const sat_report_def *def;
	sat_json *rows;
} words;

static const char *
say(const words *w, const char *zh, const char *en)
{
	return crm_word(w->c, zh, en);
}

static const char *
field_word(const words *w, const sat_field *f)
{
	return say(w, f->zh, f->en);
}

static const char *
kind_word(const words *w, const sat_kind *k)
{
	return k->zh != NULL && k->en != NULL ? say(w, k->zh, k->en) : k->key;
}

static void
put_path(sat_buf *b, const words *w, const sat_report_path *p)
{
	if (p->let != NULL) {
		sat_buf_fmt(b, "[%s]", p->let->key);
		return;
	}
	if (p->via != NULL)
		sat_buf_fmt(b, "%s%s", field_word(w, p->via), say(w, "的", "'s "));
	if (p->field != NULL)
		sat_buf_str(b, field_word(w, p->field));
	if (p->team)
		sat_buf_str(b, p->field != NULL ? say(w, "的团队", "'s team") :
		    say(w, "团队", "team"));
	if (p->via == NULL && p->field == NULL && !p->team)
		sat_buf_str(b, say(w, "记录", "the record"));
}

static void
put_span(sat_buf *b, const words *w, int64_t ms)
{
	bool days = ms % (24 * HOUR_MS) == 0;

	sat_buf_fmt(b, " %+" PRId64 "%s", ms / (days ? 24 * HOUR_MS : HOUR_MS),
	    days ? say(w, "天", " days") : say(w, "小时", " h"));
}

static void
put_at(sat_buf *b, const words *w, const sat_report_at *at)
{
	switch (at->base) {
	case SAT_BASE_NUMBER:
		sat_buf_fmt(b, "%" PRId64, at->n);
		break;
	case SAT_BASE_PATH:
		put_path(b, w, &at->path);
		break;
	case SAT_BASE_START:
		sat_buf_str(b, say(w, "期初", "the period's start"));
		break;
	case SAT_BASE_END:
		sat_buf_str(b, say(w, "期末", "the period's end"));
		break;
	case SAT_BASE_AS_OF:
		sat_buf_str(b, say(w, "截止时刻", "the as-of instant"));
		break;
	}
	if (at->shift != 0)
		put_span(b, w, at->shift);
	if (at->plus != NULL)
		sat_buf_fmt(b, " + [%s]", at->plus->key);
	if (at->minus != NULL)
		sat_buf_fmt(b, " - [%s]", at->minus->key);
}

/* ---- conditions ----------------------------------------------------------------- */

static void
put_values(sat_buf *b, const words *w, const sat_report_cond *c)
{
	for (size_t i = 0; i < c->nvalues; i++) {
		if (i > 0)
			sat_buf_str(b, say(w, "、", ", "));
		if (c->path.field != NULL && !c->path.team)
			crm_label(b, w->c, w->t, c->path.field, c->values[i]);
		else if (c->values[i].type == SAT_V_TEXT)
			sat_buf_add(b, c->values[i].s.p, c->values[i].s.n);
		else
			sat_buf_fmt(b, "%" PRId64, c->values[i].i);
	}
}

static void
put_cond(sat_buf *b, const words *w, const sat_report_cond *c)
{
	static const struct {
		const char *zh, *en;
	} relation[] = { [SAT_COND_LT] = { "早于或小于", " before " },
		[SAT_COND_LE] = { "不晚于或不大于", " at most " },
		[SAT_COND_GE] = { "不早于或不小于", " at least " } };

	if (c->op == SAT_COND_HAS) {
		sat_buf_fmt(b, "%s%s", say(w, "有", "has "), kind_word(w,
		    c->has_kind));
		for (size_t i = 0; i < c->nhas; i++) {
			sat_buf_str(b, i == 0 ? say(w, "（", " (") :
			    say(w, "且", " and "));
			put_cond(b, w, &c->has[i]);
		}
		sat_buf_str(b, c->nhas > 0 ? say(w, "）", ")") : "");
		return;
	}
	put_path(b, w, &c->path);
	switch (c->op) {
	case SAT_COND_IN:
		sat_buf_str(b, say(w, "是", " is "));
		put_values(b, w, c);
		break;
	case SAT_COND_NOT_IN:
		sat_buf_str(b, say(w, "不是", " is not "));
		put_values(b, w, c);
		break;
	case SAT_COND_SET:
		sat_buf_str(b, say(w, "已填写", " is given"));
		break;
	case SAT_COND_UNSET:
		sat_buf_str(b, say(w, "未填写", " is not given"));
		break;
	case SAT_COND_LABEL:
		sat_buf_str(b, say(w, "就是该期间", " names the period"));
		break;
	default:
		sat_buf_str(b, say(w, relation[c->op].zh, relation[c->op].en));
		put_at(b, w, &c->at);
		break;
	}
}

static void
put_where(sat_buf *b, const words *w, const sat_report_cond *c, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			sat_buf_str(b, say(w, "，且", ", and "));
		put_cond(b, w, &c[i]);
	}
}

/* ---- measures --------------------------------------------------------------------- */

static const sat_kind *
kind_of(const words *w, const sat_report_term *t)
{
	return w->def->sources[t->source].kind;
}

/* "amount of the opportunities whose ..., won at in the period" */
static void
put_term(sat_buf *b, const words *w, const sat_report_term *t,
    const sat_report_path *of)
{
	const sat_report_path *what = of != NULL ? of : t->has_sum ? &t->sum :
	    NULL;

	if (t->times != 1)
		sat_buf_fmt(b, "%" PRId64 " × ", t->times);
	if (what != NULL) {
		put_path(b, w, what);
		sat_buf_str(b, say(w, "（", " ("));
	}
	sat_buf_str(b, kind_word(w, kind_of(w, t)));
	if (t->has_period) {
		sat_buf_str(b, say(w, "，", ", "));
		put_path(b, w, &t->period);
		sat_buf_str(b, say(w, "在期间内", " in the period"));
	}
	if (t->nwhere > 0) {
		sat_buf_str(b, say(w, "，", ", "));
		put_where(b, w, t->where, t->nwhere);
	}
	if (what != NULL)
		sat_buf_str(b, say(w, "）", ")"));
}

static void
put_side(sat_buf *b, const words *w, const sat_report_term *t, size_t n,
    const sat_report_path *of)
{
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			sat_buf_str(b, " + ");
		put_term(b, w, &t[i], of);
	}
}

static void
put_node(sat_buf *b, const words *w, const sat_report_node *n)
{
	const sat_report_measure *m;

	switch (n->what) {
	case SAT_NODE_DO:
		sat_buf_str(b, n->op == '<' ? say(w, "较小者(", "smaller(") :
		    n->op == '>' ? say(w, "较大者(", "larger(") : "(");
		for (size_t i = 0; i < n->nargs; i++) {
			if (i > 0 && (n->op == '<' || n->op == '>'))
				sat_buf_str(b, ", ");
			else if (i > 0)
				sat_buf_fmt(b, " %s ", n->op == '*' ? "×" :
				    n->op == '/' ? "÷" : n->op == '+' ? "+" : "-");
			put_node(b, w, &n->args[i]);
		}
		sat_buf_str(b, ")");
		break;
	case SAT_NODE_NUMBER:
		sat_buf_fmt(b, "%" PRId64, n->n);
		break;
	case SAT_NODE_MEASURE:
		m = &w->def->measures[n->measure];
		sat_buf_fmt(b, "%s", m->zh != NULL && m->en != NULL ?
		    say(w, m->zh, m->en) : m->key);
		break;
	case SAT_NODE_DAYS:
		sat_buf_str(b, say(w, "期间天数", "days of the period"));
		break;
	case SAT_NODE_WORKDAYS:
		sat_buf_str(b, say(w, "期间工作日", "working days of the period"));
		break;
	case SAT_NODE_WORKED:
		sat_buf_str(b, say(w, "已过的工作日", "working days gone by"));
		break;
	case SAT_NODE_YEARS:
		sat_buf_str(b, say(w, "期间年数", "years of the period"));
		break;
	}
}

static void
put_measure(sat_buf *b, const words *w, const sat_report_measure *m)
{
	const sat_report_path *of = m->of.field != NULL || m->of.let != NULL ||
	    m->of.team ? &m->of : NULL;

	switch (m->agg) {
	case SAT_AGG_COUNT:
		sat_buf_str(b, say(w, "个数：", "number of: "));
		put_side(b, w, m->num, m->nnum, NULL);
		break;
	case SAT_AGG_SUM:
		sat_buf_str(b, say(w, "合计：", "sum of: "));
		put_side(b, w, m->num, m->nnum, NULL);
		break;
	case SAT_AGG_DISTINCT:
		sat_buf_str(b, say(w, "不重复的：", "different values of: "));
		put_side(b, w, m->num, m->nnum > 0 ? 1 : 0, of);
		break;
	case SAT_AGG_MEAN:
		sat_buf_str(b, say(w, "平均：", "mean of: "));
		put_side(b, w, m->num, m->nnum > 0 ? 1 : 0, of);
		break;
	case SAT_AGG_MEDIAN:
		sat_buf_str(b, say(w, "中位数：", "median of: "));
		put_side(b, w, m->num, m->nnum > 0 ? 1 : 0, of);
		break;
	case SAT_AGG_RATIO:
		put_side(b, w, m->num, m->nnum, NULL);
		sat_buf_str(b, "  ÷  ");
		put_side(b, w, m->den, m->nden, NULL);
		break;
	case SAT_AGG_FORMULA:
		put_node(b, w, m->formula);
		break;
	}
}

/* ---- values computed per record ------------------------------------------------------ */

/* "last occurred at of follow-ups (direction is out), since .., before .." */
static void
put_child_let(sat_buf *b, const words *w, const sat_report_let *l)
{
	const char *verb = l->op == SAT_LET_FIRST ? say(w, "最早的", "first ") :
	    l->op == SAT_LET_LAST ? say(w, "最晚的", "last ") :
	    l->op == SAT_LET_COUNT ? say(w, "个数：", "number of ") :
	    l->op == SAT_LET_SUM ? say(w, "合计：", "sum of ") :
	    say(w, "最长间隔：", "longest gap between ");

	sat_buf_str(b, verb);
	if (l->of != NULL)
		sat_buf_fmt(b, "%s%s", field_word(w, l->of),
		    say(w, "，取自", " of "));
	sat_buf_str(b, kind_word(w, l->child));
	if (l->nwhere > 0) {
		sat_buf_str(b, say(w, "（", " ("));
		put_where(b, w, l->where, l->nwhere);
		sat_buf_str(b, say(w, "）", ")"));
	}
}

static void
put_let(sat_buf *b, const words *w, const sat_report_let *l)
{
	static const struct {
		const char *zh, *en;
	} plain[] = {
		[SAT_LET_SPAN] = { "经过的时间", "time passed" },
		[SAT_LET_WEIGH] = { "权重，按", "weight by " },
		[SAT_LET_FILLED] = { "已填字段的权重之和", "sum of the weights of filled fields" },
		[SAT_LET_UNFILLED] = { "未填字段的权重之和", "sum of the weights of empty fields" },
		[SAT_LET_EARLIEST] = { "最早的一个时间", "earliest of several times" },
		[SAT_LET_LATEST] = { "最晚的一个时间", "latest of several times" },
		[SAT_LET_SLA_FOLLOW] = { "该等级规定的跟进间隔", "follow-up interval of the grade" },
		[SAT_LET_SLA_FIRST] = { "该等级规定的首次响应时限", "first-response limit of the grade" },
		[SAT_LET_CHANGED] = { "最近一次改动", "last change" },
		[SAT_LET_HELD] = { "当时是否已有：", "was there at the time: " },
		[SAT_LET_EVER] = { "曾经给出：", "was ever given: " },
		[SAT_LET_PASSED] = { "是否按顺序走过各阶段", "went through the stages in order" },
	};

	if (l->op <= SAT_LET_GAP) {
		put_child_let(b, w, l);
	} else {
		sat_buf_str(b, say(w, plain[l->op].zh, plain[l->op].en));
		if (l->op == SAT_LET_WEIGH)
			put_path(b, w, &l->path);
		if (l->of != NULL)
			sat_buf_str(b, field_word(w, l->of));
		if (l->in == SAT_IN_BUSINESS)
			sat_buf_str(b, say(w, "（工作时间）", " (working hours)"));
	}
	if (l->has_since) {
		sat_buf_str(b, say(w, "，自", ", from "));
		put_at(b, w, &l->since);
	}
	if (l->has_until) {
		sat_buf_str(b, say(w, "，至", ", until "));
		put_at(b, w, &l->until);
	}
}

/* ---- the document ---------------------------------------------------------------------- */

static void
put_row(words *w, const char *what, const char *key, const char *name,
    sat_buf *text)
{
	sat_json *row = sat_json_add_obj(w->rows);

	sat_json_put_str(row, "what", what);
	sat_json_put_str(row, "key", key);
	sat_json_put_str(row, "name", name);
	sat_json_put_strn(row, "text", sat_buf_span(text));
	sat_buf_reset(text);
}

static void
put_sources(words *w, sat_buf *b)
{
	for (size_t i = 0; i < w->def->nsources; i++) {
		const sat_report_source *s = &w->def->sources[i];

		if (s->nwhere > 0)
			put_where(b, w, s->where, s->nwhere);
		else
			sat_buf_str(b, say(w, "全部", "all of them"));
		put_row(w, "source", s->kind->key, kind_word(w, s->kind), b);
		for (size_t k = 0; k < s->nlets; k++) {
			put_let(b, w, &s->lets[k]);
			put_row(w, "value", s->lets[k].key, s->lets[k].key, b);
		}
	}
}

static void
put_period(words *w, sat_buf *b)
{
	sat_buf_str(b, say(w, "由运行时给出，按组织时区，含期初、不含期末；"
	    "未来的期末以此刻为截止",
	    "given by the run, in the organisation's time zone, start included, "
	    "end not; as-of is its end, or now"));
	if (w->def->compare == SAT_COMPARE_PREV)
		sat_buf_str(b, say(w, "；与上期比较", "; compared with the one before"));
	if (w->def->compare == SAT_COMPARE_YEAR)
		sat_buf_str(b, say(w, "；与去年同期比较", "; compared with last year's"));
	put_row(w, "period", NULL, say(w, "期间", "Period"), b);
}

static void
put_all(words *w)
{
	sat_buf b = { 0 };

	put_sources(w, &b);
	put_period(w, &b);
	for (size_t i = 0; i < w->def->ndims; i++) {
		const sat_report_dim *d = &w->def->dims[i];

		put_path(&b, w, &d->path);
		if (d->top)
			sat_buf_str(&b, say(w, "（上级类别）", " (its category)"));
		put_row(w, "group", d->key, say(w, d->zh, d->en), &b);
	}
	for (size_t i = 0; i < w->def->nmeasures; i++) {
		const sat_report_measure *m = &w->def->measures[i];

		put_measure(&b, w, m);
		put_row(w, m->hidden ? "hidden" : "measure", m->key,
		    m->zh != NULL && m->en != NULL ? say(w, m->zh, m->en) :
		    m->key, &b);
	}
	sat_buf_fini(&b);
}

sat_rc
sat_crm_report_explain(sat_json **out, sat_crm *c, const char *key, sat_err *e)
{
	sat_report_def def;
	words w = { .c = c, .t = sat_replica_template(c->replica), .def = &def };
	sat_rc rc = sat_report_def_load(w.t, key, &def, e);

	if (rc != SAT_OK)
		return rc;
	*out = sat_json_obj();
	sat_json_put_str(*out, "schema", "satchel/report.explain/1");
	sat_json_put_str(*out, "key", key);
	sat_json_put_str(*out, "title", say(&w, def.zh, def.en));
	w.rows = sat_json_put_arr(*out, "data");
	put_all(&w);
	sat_report_def_fini(&def);
	return SAT_OK;
}
