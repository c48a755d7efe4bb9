# What a tool sees of the daemon: tests/e2e/check_http.sh.
CHECK_BINS += $(O)/tests/http/ask
$(O)/tests/http/ask: $(O)/obj/tests/http/ask.o
	@mkdir -p $(@D)
	@$(CC) $(LDFLAGS) -o $@ $<
