# make devices N=5000: as many devices at once on one satcheld (docs/performance.md).
CHECK_BINS += $(O)/satchel-devices
SCALE_OBJ := $(patsubst %.c,$(O)/obj/%.o,$(wildcard tests/scale/*.c))
$(O)/satchel-devices: $(SCALE_OBJ) $(TESTLIB) $(LIBS)
	@$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) -Wl,--start-group $(LIBS) -Wl,--end-group $(LDLIBS) -lcmocka

N ?= 5000
STORM ?= 30
.PHONY: devices reconnect
devices: deps
	@$(MAKE) --no-print-directory $(O)/satcheld $(O)/satchel-devices
	@$(O)/satchel-devices $(O)/satcheld $(N) $(STORM)
reconnect: deps
	@$(MAKE) --no-print-directory $(O)/satcheld $(O)/satchel-devices
	@$(O)/satchel-devices $(O)/satcheld 0 0
