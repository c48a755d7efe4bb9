/*
 * admin_int.h - the opened folder, shared inside the room.
 */
#ifndef SAT_ADMIN_INT_H
#define SAT_ADMIN_INT_H

#include <stdatomic.h>

#include "common/crypto/keyring.h"
#include "common/json/json.h"
#include "common/template/layers.h"
#include "protocol/permit.h"
#include "server/admin/admin.h"

/* Read and kept; of more, what was asked for longest ago goes. */
#define TEMPLATES_KEPT 32
#define BUNDLES_KEPT 2
#define RING_MAX 200 /* devices of a pilot, and teams */

/* The organisation's own keys; they live in the encrypted store. */
typedef struct org_keys {
	sat_id org;
	uint8_t root_pk[SAT_SIGN_PK_BYTES];
	uint8_t template_pk[SAT_SIGN_PK_BYTES], template_sk[SAT_SIGN_SK_BYTES];
	sat_noise_keys channel;
	/* Signs the commits the server makes itself; the root key vouches for
	 * it: protocol/permit.h. */
	uint8_t server_pk[SAT_SIGN_PK_BYTES], server_sk[SAT_SIGN_SK_BYTES];
	uint8_t server_cert[SAT_SIG_BYTES];
} org_keys;

/* Who tries a template first: devices, and all devices of teams. */
typedef struct admin_ring {
	uint32_t devices[RING_MAX], teams[RING_MAX];
	size_t ndevices, nteams;
} admin_ring;

typedef struct admin_serving admin_serving; /* serve.c */

struct sat_admin {
	char *dir;
	sat_keyring *keyring;
	sat_sqlite_store *store;
	sat_git *git;
	sat_server *core;
	org_keys keys;
	char org_name[128];
	const char *socket; /* --admin-socket; NULL = in the folder */
	char address[256]; /* what invitations say; set by serve */
	sat_clock clock;
	sat_relay *relay;  /* while serving */
	admin_serving *serving; /* the same */
	struct {
		sat_oid oid;
		sat_template *t;
		uint64_t asked; /* the larger the later */
	} templates[TEMPLATES_KEPT];
	size_t ntemplates;
	uint64_t nasked;
	/* The last bundles made: devices ask for the same ones. */
	struct {
		sat_oid have, tip;
		sat_buf bytes;
	} bundles[BUNDLES_KEPT];
	unsigned nbundles; /* made so far; the next takes the oldest's place */
	sat_oid tip;
	sat_oid canary; /* the newest; equal to tip when no pilot runs */
	admin_ring ring;
	int64_t since_ms; /* when it began to serve */
	const char *actor; /* whose verb runs; NULL = somebody at this machine */
	int asker_fd; /* of the verb that runs for admin.sock; a verb that takes
	                 it (0) answers later */
	atomic_int drain_fd; /* of who waits for the drain; 0 = nobody */
	uint64_t template_rev; /* another one when who is due what changed */
};

/* What help says of one noun. */
typedef struct admin_word {
	const char *noun, *usage, *help;
	const char *examples; /* whole lines */
} admin_word;
/* verbs.c: those that need the folder; NULL at the end. */
const admin_word *admin_verb_word(size_t i);

char *admin_path(const sat_admin *a, const char *name); /* caller frees */
/* home.c: by the server's own key; u is the sat_admin. */
sat_rc admin_sign(void *u, uint8_t sig[SAT_SIG_BYTES], sat_span bytes, sat_err *e);

/* templates.c: the callbacks of the core, and the verbs. A template lives until
 * TEMPLATES_KEPT - 2 others were asked for since it was; the published one and
 * the pilot's as long as they are that. NULL: unknown, or it does not load. */
const sat_template *admin_template_at(void *u, const uint8_t oid[20]);
void admin_template_tip(void *u, uint8_t oid[20]);
/* Days a device may be used without the server: its own, else (0) those of the
 * published template; -1 = it gets no permit. */
int64_t admin_lease_days(sat_admin *a, int32_t own);
/* A newer template from a device, after a loss. */
sat_rc admin_template_take(void *u, const uint8_t tip[20], sat_span bundle, sat_err *e);
sat_rc admin_template_bundle(void *u, sat_buf *out, uint8_t tip[20],
    const uint8_t have[20], sat_err *e);
sat_rc admin_publish(sat_admin *a, const sat_layer *l, const char *author,
    const char *message, sat_oid *out, sat_err *e);
/* An object of a bundle, kept; u is the repository. */
sat_rc admin_object_put(void *u, int type, const sat_oid *oid, sat_span data, sat_err *e);
sat_rc admin_template_verb(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e);
void admin_templates_free(sat_admin *a);
/* The documents of a commit, or of a folder. */
sat_rc admin_layer_of(sat_layer *out, sat_arena *mem, sat_git *g, const sat_oid *oid, sat_err *e);
sat_rc admin_layer_folder(sat_layer *out, sat_arena *mem, const char *dir, sat_err *e);
sat_rc admin_commit(sat_admin *a, const char *branch, const sat_layer *l,
    const char *author, const char *message, sat_oid *out, sat_err *e);
/* With the files it has already: only the message says something new. */
sat_rc admin_commit_same(sat_admin *a, const char *branch, const char *author, const char *message, sat_oid *out, sat_err *e);

/* May this follow `prev`? What the lint refuses goes into the hint of e; with
 * `told`, an array, it is added there and refuses nothing. */
sat_rc admin_admit(sat_admin *a, const sat_layer *l, const sat_oid *prev, sat_json *told, sat_err *e);
/* Does it leave everything in the hands of those who have it (held.c)? */
sat_rc admin_keeps(sat_admin *a, const sat_template *next, const sat_template *prev, sat_err *e);

/* rollout.c: a pilot's template, and back. Load after the core was made. */
sat_rc admin_rollout_load(sat_admin *a, sat_err *e);
void admin_template_due(void *u, uint8_t oid[20], uint32_t device, uint32_t team, const uint8_t have[20]);
uint64_t admin_template_rev(void *u);
/* A commit of ours that a device brought: a pilot's stays with the ring it
 * names, what was for all is for all. */
sat_rc admin_rollout_take(sat_admin *a, const sat_oid *tip, sat_err *e);
bool admin_pilot(const sat_admin *a); /* one is under way */
sat_rc admin_rollout_verb(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e);

/* layers.c: packs, and taking their new versions. */
sat_rc admin_layers_first(sat_admin *a, const char *pack, const char *author, sat_err *e);
/* "published", "upstream", "canary" or 40 hex digits. */
sat_rc admin_revision(sat_oid *oid, sat_admin *a, const char *rev, sat_err *e);
sat_rc admin_layers_verb(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e);

/* people.c */
sat_rc admin_team_verb(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e);
sat_rc admin_user_verb(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e);
sat_rc admin_scope_verb(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e);
sat_rc admin_invites(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e); /* invites.c */
sat_rc admin_uninvite(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e);
sat_rc admin_device_verb(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e);

/* named.c: a device's id in the place of its number becomes the number, which
 * lives as long as `number`. SAT_ENOTFOUND, SAT_EUSAGE (not unique). */
sat_rc admin_device_named(sat_admin *a, sat_args *w, char number[12], sat_err *e);

/* access.c */
sat_rc admin_acl_verb(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e);
sat_rc admin_role_verb(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e);

/* remote.c: a verb from an administrator's device (P-372). */
sat_rc admin_remote(void *u, const char *user, const sat_admin_words *w, sat_buf *out, sat_err *e);

/* lease.c */
sat_rc admin_lease_verb(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e);

/* segments.c */
sat_rc admin_log_verb(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e);
/* The segments a store counts with, and no other file, out of the folder it
 * lies in into another. */
sat_rc admin_segments_copy(sat_sqlite_store *s, const char *from_dir,
    const char *to_dir, sat_err *e);
sat_rc admin_segments_verify(sat_admin *a, sat_err *e);

/* backup.c */
sat_rc admin_backup_verb(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e);
sat_rc admin_check_verb(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e);

/* export.c: an answer may go on: then its last line is ADMIN_MORE and where the
 * next part begins (--cursor); answer.c takes it away and asks again. */
#define ADMIN_MORE "\x1e" "more "
sat_rc admin_export_verb(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e);

/* snapshot.c */
sat_rc admin_snapshot_verb(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e);
/* Room for a copy of so much in the folder of a server, or SAT_ENOSPACE. */
sat_rc admin_copy_space(const char *dir, int64_t bytes, sat_err *e);

/* audit.c */
sat_rc admin_audit_verb(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e);
/* A verb was given and ended so: kept, when it was one that changes something. */
void admin_audit_note(sat_admin *a, const sat_args *w, sat_rc rc);

/* escalate.c */
sat_rc admin_conflict_escalate(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e);

/* keys.c */
sat_rc admin_keys_verb(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e);

/* status.c */
sat_rc admin_status_verb(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e);
/* A backup was made now; and when the last one was, 0 = never. */
sat_rc admin_backup_note(sat_admin *a, sat_err *e);
int64_t admin_backup_last(sat_admin *a);
/* How the live devices are. */
typedef struct admin_devices {
	uint64_t live;   /* neither late nor revoked */
	uint64_t revoked;
	uint64_t never;  /* enrolled, not heard of since */
	uint64_t late;   /* silent for longer than they may be used (P-189) */
	uint64_t behind; /* last seen with another template than they are due */
	uint64_t diverged; /* had to be sent records again */
	int64_t oldest_ms; /* the longest silence began then; 0 = nobody */
} admin_devices;
sat_rc admin_devices_are(admin_devices *out, sat_admin *a, sat_err *e);
/* Devices that have not confirmed an erasure yet. */
sat_rc admin_erasures_pending(uint64_t *out, sat_admin *a, sat_err *e);
/* Bytes of a file; 0 when it is not there. Bytes free where a folder is. */
int64_t admin_file_bytes(const sat_admin *a, const char *name);
int64_t admin_free_bytes(const char *dir);

/* merge.c: record ids and field names, never what is in them */
sat_rc admin_merge_verb(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e);
sat_rc admin_conflict_verb(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e);
/* A position of the log as it is typed; SAT_EUSAGE says how. */
sat_rc admin_lsn(uint64_t *lsn, const char *text, const char *usage, sat_err *e);

/* doctor.c */
sat_rc admin_doctor_verb(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e);

/* also for restore.c */
/* A new folder for a copy, its name durable, and what `fill` puts into it; when
 * that fails it goes away again, or the hint `stayed` tells of it. SAT_EIO when
 * it is there already, SAT_EFSYNC (then it is not made), or what fill said. */
typedef sat_rc (*admin_fill)(void *u, const char *folder, sat_err *e);
sat_rc admin_new_folder(const char *path, admin_fill fill, void *u, const char *stayed, sat_err *e);
/* Store, keyring, segments, templates into a folder that is there; *lsn: the
 * last position among them. Says nothing about durability. */
sat_rc admin_copy_all(uint64_t *lsn, sat_admin *a, const char *folder, sat_err *e);
/* The same into a new one, whole or not at all. */
sat_rc admin_copy_new(uint64_t *lsn, sat_admin *a, const char *path, sat_err *e);
sat_rc admin_verify_all(sat_admin *a, uint64_t *commits, uint64_t *records, sat_err *e);
/* What belongs to a copy of the store and is made after it, for that one registers
 * its file id in the keyring: keyring and templates, all of the folder durable. */
sat_rc admin_copy_rest(sat_admin *a, const char *folder, sat_err *e);
sat_rc admin_templates_restore(const char *backup, const char *dir, sat_err *e);
/* A backup or kit is looked at in a copy of its keyring and store, in an empty
 * folder; nothing of what it is copied from is changed, not even by a lock. */
typedef struct admin_look {
	sat_keyring *keyring;
	sat_sqlite_store *store;
	int lock; /* of a server's own folder; -1 */
} admin_look;
/* SAT_EBUSY: a server works in `from`. On failure *l is closed. */
sat_rc admin_look_open(admin_look *l, const char *copy, const char *from, sat_span passphrase, sat_err *e);
void admin_look_close(admin_look *l);
sat_rc admin_look_verify(admin_look *l, const char *backup, sat_err *e);

/* privacy.c */
sat_rc admin_privacy_verb(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e);

/* restore.c */
sat_rc admin_kit_verb(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e);
/* audit gaps, status --completeness */
sat_rc admin_gaps(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e);

/* serve.c */
sat_rc admin_reload_verb(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e);
sat_rc admin_drain_verb(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e);
/* A published template that came into the folder: taken when the template key
 * signed it and it goes on from ours. *changed. */
sat_rc admin_template_reread(bool *changed, sat_admin *a, sat_err *e);

/* metrics.c: /metrics, /healthz and /readyz at an address of their own */
typedef struct monitor monitor;
/* "127.0.0.1:9464", "[::1]:9464": host[64] and port; SAT_EINVALID. */
sat_rc monitor_address(char host[64], unsigned *port, const char *text, sat_err *e);
sat_rc monitor_start(monitor **m, sat_admin *a, const char *address, sat_err *e);
unsigned monitor_port(const monitor *m);
void monitor_stop(monitor *m); /* NULL is fine */

/* webhook.c: the verb, and the thread that sends while it is served. */
struct sat_hooks;
sat_rc admin_webhook_verb(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e);
sat_rc admin_hooks_start(struct sat_hooks **h, sat_admin *a, sat_err *e);
/* How the webhooks are, all together. */
typedef struct admin_webhooks {
	uint64_t failing; /* the last try of so many was not answered well */
	uint64_t waiting, dead; /* events */
} admin_webhooks;
sat_rc admin_webhooks_are(admin_webhooks *out, sat_admin *a, sat_err *e);

/* socket.c */
sat_rc admin_socket_start(sat_admin *a, int *fd, sat_err *e);
void admin_socket_stop(sat_admin *a, int fd);
/* Answer whoever asked for the drain, if anybody did; he then sees the process
 * end. */
void admin_socket_drained(sat_admin *a, sat_rc rc, const sat_err *why, const sat_buf *out);

/* The members of a document that are no list, one a line. */
void admin_print_head(sat_buf *out, const sat_json *doc);
/* Print a document, or a table of an array of flat objects. */
void admin_print(sat_buf *out, const sat_args *w, const sat_json *doc, const char *const *columns);

#endif
