# Tests, evidence and the demo. The last line of `make check` is the true sum.

.PHONY: check unit layers headers demo clean
check: deps
	@$(MAKE) --no-print-directory check-built

.PHONY: check-built
check-built: all $(UNIT_BIN) layers headers $(CHECK_BINS)
	@tests/tools/run.sh $(O) $(UNIT_BIN)

unit: $(UNIT_BIN)
	@tests/tools/run.sh --unit-only $(O) $(UNIT_BIN)

layers: all
	@tests/tools/layers.sh "$(ROOMS)" $(O)

# every header compiles alone
headers: $(SQL_H)
	@for h in $(HEADERS); do \
	  echo "#include \"$$h\"" | $(CC) $(CFLAGS) -fsyntax-only -x c - || exit 1; done

clean:
	rm -rf build
