# A whole company for a month, a small one for a quarter: docs/simulator.md.
COMPANY_OBJ := $(patsubst %.c,$(O)/obj/%.o,$(wildcard tests/company/*.c)) $(SIM_SHARED)
CHECK_BINS += $(O)/tests/company/company
$(O)/tests/company/company: $(COMPANY_OBJ) $(TESTLIB) $(SIM_LIBS)
	@mkdir -p $(@D)
	@$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) -Wl,--start-group $(SIM_LIBS) -Wl,--end-group $(LDLIBS) -lcmocka

DEVICES ?= 200
DAYS ?= 30
SEED ?= 1
.PHONY: company sim-90d
company: deps
	@$(MAKE) --no-print-directory $(O)/tests/company/company
	@$(O)/tests/company/company --devices $(DEVICES) --days $(DAYS) --seed $(SEED)
sim-90d: deps
	@$(MAKE) --no-print-directory $(O)/tests/company/company
	@$(O)/tests/company/company --quarter --devices 6 --days 90 --seed $(FROM) --count $(SEEDS)
