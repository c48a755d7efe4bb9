# Tests, evidence and the demo. The last line of `make check` is the true sum.

.PHONY: check unit layers headers clean
check: deps
	@$(MAKE) --no-print-directory check-built

# how often a page asks the registry is counted
$(O)/tests/unit/server/store/sqlite/test_pull_cost: LDFLAGS += -Wl,--wrap=sat_registry_user
# the step that makes a kit of a copy, the last of a restore, and the disk fail on demand
$(O)/tests/unit/client/api/test_sync_beside: LDFLAGS += -Wl,--wrap=sat_sync_run,--wrap=sat_replica_search_ready,--wrap=sat_replica_recount,--wrap=sat_replica_status_get
$(O)/tests/unit/server/admin/test_copies: LDFLAGS += -Wl,--wrap=sat_sqlite_registry_only,--wrap=admin_verify_all,--wrap=admin_segments_copy,--wrap=fsync,--wrap=statvfs

# ---- fuzz targets: replayed by check, run by `make fuzz SECS=60 [ONLY=json]` --
FUZZ := $(sort $(wildcard tests/fuzz/fuzz_*.c))
FUZZ_NAMES := $(patsubst tests/fuzz/fuzz_%.c,%,$(FUZZ))
REPLAY_BIN := $(FUZZ_NAMES:%=$(O)/fuzz/replay_%)
$(O)/fuzz/replay_%: $(O)/obj/tests/fuzz/fuzz_%.o $(O)/obj/tests/fuzz/replay.o $(TESTLIB) $(LIBS)
	@mkdir -p $(@D)
	@$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) -Wl,--start-group $(LIBS) -Wl,--end-group $(LDLIBS) -lcmocka
$(O)/fuzz/fuzz_%: $(O)/obj/tests/fuzz/fuzz_%.o $(TESTLIB) $(LIBS)
	@mkdir -p $(@D)
	@$(CC) -fsanitize=fuzzer,address $(LDFLAGS) -o $@ $(filter %.o,$^) -Wl,--start-group $(LIBS) -Wl,--end-group $(LDLIBS) -lcmocka
.PHONY: fuzz fuzz-deps
fuzz-deps:
	@for p in clang libclang-rt-14-dev; do dpkg -s $$p >/dev/null 2>&1 || apt-get install -y -qq $$p >/dev/null; done
SECS ?= 60
fuzz: deps fuzz-deps
	@$(MAKE) --no-print-directory O=build/clang CC=clang \
	  CFLAGS_EXTRA='-fsanitize=fuzzer-no-link,address -Wno-error -Wno-unknown-warning-option' \
	  $(patsubst %,build/clang/fuzz/fuzz_%,$(if $(ONLY),$(ONLY),$(FUZZ_NAMES)))
	@bad=; for n in $(if $(ONLY),$(ONLY),$(FUZZ_NAMES)); do mkdir -p build/clang/corpus/$$n; \
	  echo "== $$n"; build/clang/fuzz/fuzz_$$n -max_total_time=$(SECS) -timeout=10 -rss_limit_mb=2048 \
	    -artifact_prefix=build/clang/$$n- -print_final_stats=1 build/clang/corpus/$$n \
	    tests/fuzz/corpus/$$n >build/clang/fuzz_$$n.log 2>&1 \
	    || { tail -30 build/clang/fuzz_$$n.log; bad="$$bad $$n"; }; \
	  grep -a 'stat::number_of_executed_units\|DONE' build/clang/fuzz_$$n.log; done; \
	[ -z "$$bad" ] || { echo "fuzz: what was found, in build/clang, by:$$bad"; exit 1; }

# ---- the simulator: docs/simulator.md --------------------------------------------
# what simulating programs share
SIM_SHARED := $(patsubst %,$(O)/obj/tests/sim/%.o,core template mask_matrix)
SIM_OBJ := $(patsubst %.c,$(O)/obj/%.o,$(sort $(filter-out tests/sim/byz% tests/sim/loss%,$(wildcard tests/sim/*.c))))
BYZ_OBJ := $(patsubst %.c,$(O)/obj/%.o,$(sort $(wildcard tests/sim/byz*.c))) $(SIM_SHARED)
SIM_LIBS := $(filter-out $(O)/lib/client_cli.a $(O)/lib/client_api.a $(O)/lib/client_crm.a $(O)/lib/client_sync.a $(O)/lib/server_admin.a $(O)/lib/server_relay.a $(O)/lib/server_hook.a,$(LIBS))
CHECK_BINS += $(O)/tests/sim/sim
$(O)/tests/sim/sim: $(SIM_OBJ) $(TESTLIB) $(SIM_LIBS)
	@mkdir -p $(@D)
	@$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) -Wl,--start-group $(SIM_LIBS) -Wl,--end-group $(LDLIBS) -lcmocka

CHECK_BINS += $(O)/tests/sim/byz
$(O)/tests/sim/byz: $(BYZ_OBJ) $(TESTLIB) $(SIM_LIBS)
	@mkdir -p $(@D)
	@$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) -Wl,--start-group $(SIM_LIBS) -Wl,--end-group $(LDLIBS) -lcmocka

SEEDS ?= 1000
FROM ?= 1
.PHONY: sim doublecheck sim-mutants
# goes on where it was stopped with KEEP=folder
sim: deps
	@$(MAKE) --no-print-directory $(O)/tests/sim/sim
	@SAT_BUILD=$(O) tests/sim/run.sh $(if $(KEEP),-k $(KEEP)) $(FROM) $(SEEDS)
# each seed twice: same trace, same frames, same dumps
doublecheck: deps
	@$(MAKE) --no-print-directory $(O)/tests/sim/sim
	@SAT_BUILD=$(O) tests/sim/run.sh $(if $(KEEP),-k $(KEEP)) -x --twin $(FROM) $(SEEDS)
# hostile devices among honest ones: docs/simulator.md
.PHONY: sim-byz
sim-byz: deps
	@$(MAKE) --no-print-directory $(O)/tests/sim/byz
	@SAT_BUILD=$(O) tests/sim/check_byz.sh $(FROM) $(SEEDS)
# every planted bug of protocol/bugs.h must be caught
sim-mutants: deps
	@$(MAKE) --no-print-directory BUGS=1 O=build/bugs build/bugs/tests/sim/sim
	@tests/sim/mutants.sh build/bugs

# ---- every operation with every single failure: docs/simulator.md ------------------
SWEEP_OBJ := $(patsubst %.c,$(O)/obj/%.o,$(sort $(wildcard tests/sweep/*.c))) $(SIM_SHARED)
SWEEP_WRAP := -Wl,--wrap=open,--wrap=read,--wrap=write,--wrap=fsync,--wrap=unlink,--wrap=rename,--wrap=link
CHECK_BINS += $(O)/tests/sweep/sweep
$(O)/tests/sweep/sweep: $(SWEEP_OBJ) $(TESTLIB) $(SIM_LIBS)
	@mkdir -p $(@D)
	@$(CC) $(LDFLAGS) $(SWEEP_WRAP) -o $@ $(filter %.o,$^) -Wl,--start-group $(SIM_LIBS) -Wl,--end-group $(LDLIBS) -lcmocka

# the server's disk is lost, and comes back from a backup or from the devices
LOSS_OBJ := $(patsubst %.c,$(O)/obj/%.o,$(sort $(wildcard tests/sim/loss*.c))) $(O)/obj/tests/sweep/lab.o $(O)/obj/tests/sweep/talk.o $(SIM_SHARED)
CHECK_BINS += $(O)/tests/sim/loss
$(O)/tests/sim/loss: $(LOSS_OBJ) $(TESTLIB) $(SIM_LIBS)
	@mkdir -p $(@D)
	@$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) -Wl,--start-group $(SIM_LIBS) -Wl,--end-group $(LDLIBS) -lcmocka
.PHONY: sim-serverloss
sim-serverloss: deps
	@$(MAKE) --no-print-directory $(O)/tests/sim/loss
	@SAT_BUILD=$(O) tests/sim/run.sh $(if $(KEEP),-k $(KEEP)) $(if $(ROUGH),-x --rough) -p loss $(FROM) $(SEEDS)

.PHONY: sweep-io sweep-oom
sweep-io sweep-oom: sweep-%: deps
	@$(MAKE) --no-print-directory $(O)/tests/sweep/sweep
	@SAT_BUILD=$(O) tests/sweep/run.sh $* $(STRIDE)

# ---- two devices edit concurrently, a real server between them ----------------------
CONC_OBJ := $(patsubst %.c,$(O)/obj/%.o,$(filter-out tests/e2e/evil.c tests/e2e/rogue.c tests/e2e/spoil.c tests/e2e/cheap.c tests/e2e/receiver.c,$(wildcard tests/e2e/*.c)))
CHECK_BINS += $(O)/tests/e2e/concurrent
$(O)/tests/e2e/concurrent: $(CONC_OBJ) $(TESTLIB) $(LIBS)
	@mkdir -p $(@D)
	@$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) -Wl,--start-group $(LIBS) -Wl,--end-group $(LDLIBS) -lcmocka

# rows changed behind the program's back: tests/e2e/check_repair.sh
CHECK_BINS += $(O)/tests/e2e/spoil
$(O)/tests/e2e/spoil: $(O)/obj/tests/e2e/spoil.o $(LIBS)
	@mkdir -p $(@D)
	@$(CC) $(LDFLAGS) -o $@ $< -Wl,--start-group $(LIBS) -Wl,--end-group $(LDLIBS)
# passphrases that cost little: tests/e2e/lib.sh
CHECK_BINS += $(O)/tests/e2e/cheap
$(O)/tests/e2e/cheap: $(O)/obj/tests/e2e/cheap.o $(LIBS)
	@mkdir -p $(@D)
	@$(CC) $(LDFLAGS) -o $@ $< -Wl,--start-group $(LIBS) -Wl,--end-group $(LDLIBS)
# reads what its key opens, writes without the gate: tests/e2e/check_lessons.sh
CHECK_BINS += $(O)/tests/e2e/rogue
$(O)/tests/e2e/rogue: $(O)/obj/tests/e2e/rogue.o $(LIBS)
	@mkdir -p $(@D)
	@$(CC) $(LDFLAGS) -o $@ $< -Wl,--start-group $(LIBS) -Wl,--end-group $(LDLIBS)
# what webhooks are posted to: tests/e2e/check_webhook.sh
CHECK_BINS += $(O)/tests/e2e/receiver
$(O)/tests/e2e/receiver: $(O)/obj/tests/e2e/receiver.o
	@mkdir -p $(@D)
	@$(CC) $(LDFLAGS) -o $@ $<
CHECK_BINS += $(O)/tests/e2e/evil
$(O)/tests/e2e/evil: $(O)/obj/tests/e2e/evil.o $(LIBS)
	@mkdir -p $(@D)
	@$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) -Wl,--start-group $(LIBS) -Wl,--end-group $(LDLIBS)

# ---- a territory changes hands, server and replicas in one process -------------------
CHECK_BINS += $(O)/tests/moves/moves
$(O)/tests/moves/moves: $(O)/obj/tests/moves/moves.o $(O)/obj/tests/moves/moves_world.o $(TESTLIB) $(LIBS)
	@mkdir -p $(@D)
	@$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) -Wl,--start-group $(LIBS) -Wl,--end-group $(LDLIBS) -lcmocka

-include tests/scale/scale.mk
-include tests/company/company.mk
-include tests/http/http.mk

.PHONY: check-built
check-built: all $(UNIT_BIN) $(REPLAY_BIN) layers headers $(CHECK_BINS)
	@tests/tools/run.sh $(O) $(UNIT_BIN)

unit: $(UNIT_BIN)
	@tests/tools/run.sh --unit-only $(O) $(UNIT_BIN)

# the scripts that drive the two programs as people do: [ONLY=check_pool]
.PHONY: e2e
e2e: deps
	@$(MAKE) --no-print-directory all $(CHECK_BINS)
	@tests/tools/run.sh --e2e-only $(O) $(if $(ONLY),$(ONLY:%=tests/e2e/%.sh),$(sort $(wildcard tests/e2e/check_*.sh)))

# everything a release rests on, hours: tests/tools/evidence.sh, [STEPS='sim fuzz']
.PHONY: release-evidence
release-evidence:
	@tests/tools/evidence.sh $(STEPS)

layers: all
	@tests/tools/layers.sh "$(ROOMS)" $(O)

# every header compiles alone
headers: $(SQL_H)
	@for h in $(HEADERS); do \
	  echo "#include \"$$h\"" | $(CC) $(CFLAGS) -fsyntax-only -x c - || exit 1; done

clean:
	rm -rf build

# ---- the demo: installs, builds, runs the main job ------------------------------
.PHONY: demo
demo: deps
	@$(MAKE) --no-print-directory all
	@tests/demo/demo.sh $(O)/demo $(O)

-include tests/bench/bench.mk

# ---- the disaster drill: backup, work, loss, restore; loss without a backup -----
.PHONY: drill
drill: all
	@SAT_BUILD=$(O) tests/e2e/check_serverloss.sh

# ---- books of LibreOffice, made again from their sources: tests/data/xlsx/README.md ------
.PHONY: xlsx-data
xlsx-data:
	@command -v soffice >/dev/null || { echo "needs Debian's libreoffice-calc-nogui"; exit 1; }
	@d=$$(mktemp -d) && soffice -env:UserInstallation=file://$$d/profile --headless --convert-to xlsx \
	  --outdir $$d tests/data/xlsx/customers.fods >/dev/null && mv $$d/customers.xlsx tests/data/xlsx/ && rm -r $$d
