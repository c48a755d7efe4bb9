# make bench: what the engine costs, as ratios to floors measured in the same
# run (docs/performance.md). Nothing of it is part of make check.
BENCH_OBJ := $(patsubst %.c,$(O)/obj/%.o,$(wildcard tests/bench/*.c)) $(O)/obj/tests/lib/rand.o
$(O)/obj/tests/bench/world.o: tests/bench/template/fields/customer.json
BENCH_LIBS := $(filter-out $(O)/lib/client_cli.a,$(LIBS))
$(O)/satchel-bench: $(BENCH_OBJ) $(BENCH_LIBS)
	@$(CC) $(LDFLAGS) -o $@ $(BENCH_OBJ) -Wl,--start-group $(BENCH_LIBS) -Wl,--end-group $(LDLIBS)

.PHONY: bench bench-quick bench-reads
bench: deps
	@$(MAKE) --no-print-directory $(O)/satchel-bench
	@$(O)/satchel-bench figures $(O)/bench.work
	@$(MAKE) --no-print-directory bench-reads N=5000 DAYS=365
	@$(MAKE) --no-print-directory bench-reads N=100000 DAYS=1400
bench-quick: deps
	@$(MAKE) --no-print-directory $(O)/satchel-bench
	@$(O)/satchel-bench figures $(O)/bench.work quick
	@$(MAKE) --no-print-directory bench-reads N=5000 DAYS=365
# lists, searches, reports of the demonstration company
N ?= 5000
DAYS ?= 365
bench-reads: deps
	@$(MAKE) --no-print-directory $(O)/satchel-bench
	@rm -rf $(O)/bench.reads; $(O)/satchel-bench reads $(O)/bench.reads $(N) $(DAYS)
