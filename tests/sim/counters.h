/*
 * counters.h - what histories of the simulator come to, and how often they
 * must.
 */
#ifndef SAT_TESTS_SIM_COUNTERS_H
#define SAT_TESTS_SIM_COUNTERS_H

#include <stdint.h>

/* name, text, least number per 1,000 histories: about a quarter of what was
 * counted. Less means that the check has gone blind there. */
#define COUNTERS(X)                                                           \
	X(histories, "histories", 1)                                          \
	X(steps, "steps", 1)                                                  \
	X(hours, "virtual hours", 1)                                          \
	X(commits, "commits acknowledged to a person", 10000)                 \
	X(logged, "commits in server logs", 10000)                            \
	X(sessions, "sessions begun", 10000)                                  \
	X(sessions_done, "sessions finished", 5000)                           \
	X(frames, "frames", 90000)                                            \
	X(lost, "frames lost", 2000)                                          \
	X(doubled, "frames doubled", 2000)                                    \
	X(stale, "replies too late, ignored", 6000)                           \
	X(asked_again, "requests sent again", 3000)                           \
	X(breaks, "links broken", 1000)                                       \
	X(groups_served, "pushes served in one transaction", 300)             \
	X(device_power, "power cuts of devices", 600)                         \
	X(device_mid, "... in the middle of a change", 100)                   \
	X(device_kill, "devices killed", 400)                                 \
	X(device_fsync, "failed syncs on devices", 100)                       \
	X(device_full, "full disks on devices", 200)                          \
	X(device_ioerr, "failed reads and writes on devices", 30)             \
	X(device_twice, "power cuts while recovering", 7)                     \
	X(server_power, "power cuts of the server", 200)                      \
	X(server_mid, "... in the middle of a change", 90)                    \
	X(server_kill, "server killed", 200)                                  \
	X(server_fsync, "failed syncs on the server", 50)                     \
	X(server_full, "full disks on the server", 30)                        \
	X(sectors_lost, "sectors lost by power cuts", 4000)                   \
	X(limbo_there, "commits that failed and were there after all", 80)    \
	X(limbo_gone, "commits that failed and were gone", 200)               \
	X(clock_jumps, "clock jumps", 700)                                    \
	X(clock_years, "... of years", 50)                                    \
	X(clamped, "stamps clamped", 800)                                     \
	X(suspect, "commits with a suspect clock", 300)                       \
	X(equal_stamps, "equal stamps of two devices on one field", 30)       \
	X(concurrent, "concurrent pairs, exactly told", 2000)                 \
	X(causal, "causal pairs, exactly told", 1000)                         \
	X(ahead, "pairs seen ahead of the cursor", 0)                         \
	X(veiled, "states without what a role does not see", 300)             \
	X(veiled_disks, "... its devices' tables, looked through", 40)        \
	X(v_veiled, "... its edits of such fields, refused", 40)              \
	X(v_late, "verdicts: late", 300)                                      \
	X(v_conflict, "verdicts: conflict", 300)                              \
	X(v_rejected, "verdicts: rejected", 1000)                             \
	X(v_parked, "verdicts: parked", 1000)                                 \
	X(v_handover, "verdicts: handed over", 35)                            \
	X(renumbered, "numbers the server replaced", 100)                     \
	X(leased, "customers numbered from a lease", 1000)                     \
	X(leased_kept, "... final as they were given", 800)                   \
	X(provisional, "... numbered provisionally", 300)                      \
	X(ticks, "rules of the server run by time", 100)                      \
	X(told, "owners told of another's customer", 60)                      \
	X(v_again, "verdicts given again", 7000)                              \
	X(gaps, "gaps refused", 80)                                           \
	X(forks, "forks refused", 20)                                          \
	X(rehomed, "commits moved to a new incarnation", 50)                  \
	X(discarded, "quarantined commits discarded", 100)                    \
	X(resolved, "conflicts resolved by a person", 30)                     \
	X(deletes, "records deleted", 600)                                    \
	X(with_edits, "records deleted while edited", 100)                    \
	X(orphans, "children and deletions that did not know each other", 5)  \
	X(restores, "records restored", 90)                                   \
	X(groups, "imports committed", 300)                                   \
	X(groups_undone, "imports rolled back", 90)                           \
	X(reassigned, "owners changed", 400)                                  \
	X(releases, "customers released to the pool", 180)                    \
	X(reclaimed, "... taken back by the server", 50)                       \
	X(claims, "customers claimed", 20)                                    \
	X(claim_lost, "... somebody was faster", 15)                          \
	X(claim_held, "... kept for somebody else", 30)                        \
	X(claim_limit, "... a limit was reached", 20)                         \
	X(holds, "reservations", 45)                                          \
	X(claims_sure, "... and claimed within their time", 4)                \
	X(hold_over, "... which had passed when it was claimed", 1)           \
	X(masked, "states sent without what the pool hides", 1500)             \
	X(rescope_in, "customers that came", 500)                             \
	X(rescope_out, "customers that left", 200)                            \
	X(leave_pending, "... with work that waited", 5)                      \
	X(leave_unmade, "... with records the log did not have yet", 1)       \
	X(pages, "pull pages that were not the last", 10000)                  \
	X(full_own, "pulls that asked for own operations", 7)                 \
	X(chunks, "snapshot chunks", 2000)                                    \
	X(chunk_more, "... that were not the last", 300)                      \
	X(snap_resumed, "snapshots resumed", 100)                             \
	X(enrolled, "devices enrolled", 2000)                                 \
	X(enrol_again, "enrolments asked twice", 200)                         \
	X(templates, "templates received while running", 100)                 \
	X(ring, "answers to who tries a newer template", 1000)                \
	X(old_template, "commits under an older template", 4000)              \
	X(older_still, "... two versions behind", 400)                        \
	X(later, "operations of a later release, kept", 90)                   \
	X(marked, "durable marks set", 80)                                    \
	X(compacted, "logs shortened", 60)                                    \
	X(moved, "... commits moved to segments", 1000)                       \
	X(behind, "snapshots over what a device held", 45)                    \
	X(snap_out, "... records they did not name any more", 3)              \
	X(reborn, "records that two devices made", 0)                         \
	X(merges, "customers merged", 130)                                    \
	X(unmerges, "... and taken apart again", 50)                          \
	X(cycles, "... refused: they led to each other", 20)                  \
	X(late_loser, "work on a customer merged before", 90)                 \
	X(below_loser, "... new records below it", 20)                        \
	X(canons, "merged customers looked up on a device", 200)              \
	X(erased, "customers erased", 100)                                     \
	X(erased_recs, "... records", 150)                                     \
	X(erased_apart, "... that had been one with another", 12)              \
	X(parted, "... others that lost what they had of them", 8)            \
	X(erase_died, "... the server died meanwhile", 10)                     \
	X(erased_unsent, "... commits about them that came later", 400)        \
	X(receipts, "... receipts of devices", 350)                            \
	X(searched, "files searched page by page", 750)                        \
	X(disabled, "people disabled", 140)                                   \
	X(enabled, "... and enabled again", 60)                               \
	X(revoked, "devices revoked", 60)                                     \
	X(shut_out, "sessions of them refused", 500)                          \
	X(kept_back, "commits that stay with them", 800)                      \
	X(damaged, "rows changed behind a replica's back", 60)                \
	X(damage_seen, "... and seen by its check", 60)                       \
	X(damage_fetched, "... and fetched again", 60)                        \
	X(restored, "devices restored from a backup", 40)                     \
	X(by_hand, "... from a folder copied by hand", 20)                    \
	X(rotated, "keys of devices changed", 120)                            \
	X(rotated_unheard, "... the answer was lost", 20)                     \
	X(rotated_found, "... and found out afterwards", 20)                  \
	X(outdated, "... folders from before, shut out", 0)                   \
	X(poisoned, "poisoned pushes refused", 100)                           \
	X(poison_down, "poisoned replies refused", 80)                        \
	X(replayed, "old pushes replayed", 200)                               \
	X(foreign, "pushes of one device sent by another", 100)               \
	X(checked, "replicas checked while running", 2000)                    \
	X(compared, "dumps compared while running", 4000)                     \
	X(fresh, "dumps of fresh devices compared", 400)                      \
	X(atomic, "commits on several records, looked at as a whole", 2500)    \
	X(costed, "saves whose cost was counted", 14000)                       \
	X(save_syncs, "... and their waits for the disk", 14000)               \
	X(reads, "reads of own writes", 30000)                                \
	X(rounds, "rounds to heal", 400)

enum counter {
#define X(name, text, rare) N_##name,
	COUNTERS(X)
#undef X
	N_COUNTERS
};
extern uint64_t sim_count[N_COUNTERS];
#define HIT(name) (sim_count[N_##name]++)
#define ADD(name, n) (sim_count[N_##name] += (uint64_t)(n))

#endif
