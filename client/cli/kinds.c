/*
 * Verbs of the base template's other kinds: needs, proposals, contracts, orders
 * and so on. What they do is in records.c and write.c; here is only which kind
 * has which.
 */
#include "client/cli/cli_int.h"

#define CHILD_KIND(kind, what)                                                \
	{ kind, "add", cli_add, cli_add_options, kind " add ACCOUNT --set K=V...", \
	    "one more of the " what, NULL, false },                           \
	    KIND_VERBS(kind, what)
#define STAGED(kind)                                                          \
	{ kind, "stage", cli_stage, cli_stage_options,                            \
	    kind " stage ID STATE [--reason R]", "move to another state",     \
	    NULL, false }
#define ROWS_KIND(kind, what)                                                 \
	{ kind, "add", cli_add, cli_add_options, kind " add ACCOUNT --set K=V...", \
	    "one more of the " what, NULL, false },                           \
	    { kind, "list", cli_list, cli_list_options,                       \
	        kind " list [OPTIONS]", "list " what, NULL, false },          \
	    { kind, "show", cli_show, cli_show_options, kind " show ID",      \
	        "one of the " what, NULL, false }
/* The base template's never change; another template's may. */
#define EDITED(kind)                                                          \
	{ kind, "edit", cli_edit, cli_edit_options,                           \
	    kind " edit ID --set K=V...",                                     \
	    "change fields, where the template lets them change", NULL, false }
#define ROOT_ROWS_KIND(kind, what)                                            \
	{ kind, "add", cli_add, cli_add_options, kind " add --set K=V...",    \
	    "one more of the " what, NULL, false },                           \
	    { kind, "list", cli_list, cli_list_options,                       \
	        kind " list [OPTIONS]", "list " what, NULL, false },          \
	    { kind, "show", cli_show, cli_show_options, kind " show ID",      \
	        "one of the " what, NULL, false }
#define ASSIGNED(kind)                                                        \
	{ kind, "assign", cli_assign, cli_assign_options,                         \
	    kind " assign ID...|- --to USER", "give to somebody else", NULL,    \
	    false }
#define ROOT_KIND(kind, what)                                                 \
	{ kind, "add", cli_add, cli_add_options, kind " add --set K=V...",        \
	    "one more of the " what, NULL, false },                           \
	    KIND_VERBS(kind, what)

const cli_verb cli_kind_verbs[] = {
	ROOT_KIND("lead", "leads"), STAGED("lead"), ASSIGNED("lead"),
	CHILD_KIND("need", "needs"), STAGED("need"),
	CHILD_KIND("proposal", "proposals"), STAGED("proposal"),
	ROWS_KIND("feedback", "answers to proposals"),
	CHILD_KIND("contract", "contracts"), STAGED("contract"),
	ROWS_KIND("order", "orders"), EDITED("order"),
	CHILD_KIND("ticket", "tickets"), STAGED("ticket"),
	ROWS_KIND("response", "answers to surveys"),
	ROWS_KIND("survey", "answers to surveys"), /* the same */
	EDITED("response"), EDITED("survey"),
	CHILD_KIND("task", "tasks"), STAGED("task"), ASSIGNED("task"),
	CHILD_KIND("preregistration", "pre-registrations"),
	CHILD_KIND("consent", "consents"), ROWS_KIND("comment", "comments"),
	ROOT_KIND("review", "periodic reviews"),
	ROOT_KIND("product", "products"), ROOT_KIND("campaign", "campaigns"),
	ROOT_KIND("target", "targets"), ROOT_KIND("cost", "cost entries"),
	ROOT_KIND("staff", "times at work"), ROWS_KIND("sample", "samples"),
	ROWS_KIND("invitation", "survey invitations"),
	ROOT_ROWS_KIND("rating", "employees' ratings"),
	ROOT_KIND("improvement", "suggestions on how we work"),
	STAGED("improvement"), ROOT_KIND("exam", "knowledge tests"),
	{ "disclosure", "list", cli_list, cli_list_options,
	    "disclosure list [OPTIONS]", "who was shown which phone, and why",
	    NULL, false },
	{ "disclosure", "show", cli_show, cli_show_options,
	    "disclosure show ID", "one of them", NULL, false },
	{ "access", "list", cli_list, cli_list_options,
	    "access list [OPTIONS]", "who exported what, ran which report, logged in",
	    "  satchel access list --where 'what=export'\n", false },
	{ "access", "show", cli_show, cli_show_options,
	    "access show ID", "one of them", NULL, false },
};
const size_t cli_kind_nverbs = sizeof cli_kind_verbs / sizeof cli_kind_verbs[0];
