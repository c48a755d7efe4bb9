# Satchel. Two commands do everything on a fresh Debian 12:
#   make demo     installs, builds, runs the main job on an embedded default
#   make check    installs, builds, passes the tests
#
# Folders are rooms, rooms have floors (docs/architecture.md); this file only
# knows the list below. A new .c, .sql or test file is found by itself.

SHELL := /bin/bash
.DELETE_ON_ERROR:
.SECONDEXPANSION:
.SECONDARY: # keep objects; nothing is printed after the sum

# ---- rooms, lowest floor first; tests/tools/layers.sh reads this list ------
ROOMS := \
  common/base:0 common/crypto:5 \
  common/db:10 common/json:10 common/net:10 common/git:10 common/sheet:10 common/http:10 common/qr:10 \
  common/model:20 common/template:30 protocol:40 \
  client/replica:50 server/store/sqlite:50 \
  client/crm:60 client/sync:60 server/relay:60 server/hook:60 \
  client/api:70 \
  client/cli:80 client/http:80 server/admin:80
room_names := $(foreach r,$(ROOMS),$(firstword $(subst :, ,$(r))))
room_floor = $(lastword $(subst :, ,$(filter $(1):%,$(ROOMS))))

# ---- modes: make SAN=address,undefined / SAN=thread; BUG=name plants a bug --
comma := ,
O := build$(if $(SAN),/san-$(subst $(comma),-,$(SAN)))$(if $(BUGS),/bugs)
GEN := $(O)/gen
UNIHAN := /usr/share/unicode
CC := gcc
PKGS := libcurl libmicrohttpd expat minizip xlsxwriter sqlite3 libsodium libgit2 libcjson libzstd libpcre2-8 libqrencode
WARN := -Wall -Wextra -Werror -Wshadow -Wconversion -Wstrict-prototypes \
  -Wmissing-prototypes -Wpointer-arith -Wcast-qual -Wvla -Wformat=2 -Wundef
CFLAGS := -std=gnu11 -D_GNU_SOURCE -O2 -g -fno-omit-frame-pointer \
  -fstack-protector-strong -fPIE $(if $(SAN),,-D_FORTIFY_SOURCE=2) $(WARN) \
  -I. -I$(GEN) $(if $(BUGS),-DSAT_BUGS) \
  $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all)
CFLAGS += $(CFLAGS_EXTRA) $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
LDFLAGS := -pie -Wl,--as-needed -Wl,-z,relro,-z,now -Wl,-z,noexecstack \
  $(if $(SAN),-fsanitize=$(SAN))
LDLIBS = $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lnng -lcsv -lunistring -lpthread -lm

# ---- what there is ----------------------------------------------------------
under = $(subst /,_,$(1))
srcs_of = $(wildcard $(1)/*.c)
sqls_of = $(wildcard $(1)/*.sql) $(wildcard $(1)/schema/*.sql)
lib_of = $(O)/lib/$(call under,$(1)).a
LIBS_UP := $(foreach r,$(room_names),$(call lib_of,$(r)))
reverse = $(if $(1),$(call reverse,$(wordlist 2,$(words $(1)),$(1))) $(firstword $(1)))
LIBS := $(call reverse,$(LIBS_UP))
HEADERS := $(foreach r,$(room_names),$(wildcard $(r)/*.h))
SQL_ROOMS := $(strip $(foreach r,$(room_names),$(if $(strip $(call sqls_of,$(r))),$(r))))
SQL_H := $(foreach r,$(SQL_ROOMS),$(GEN)/$(call under,$(r))_sql.h)
PACK_FILES := $(shell find common/template/base common/template/packs -type f 2>/dev/null | sort)

.PHONY: all
all: $(O)/satchel $(O)/satcheld

# ---- dependencies -------------------------------------------------------------
DEB := gcc make pkg-config libc6-dev libsqlite3-dev libsodium-dev libnng-dev \
  libgit2-dev libcjson-dev libzstd-dev libpcre2-dev libcsv-dev \
  libmicrohttpd-dev libcurl4-openssl-dev libexpat1-dev libqrencode-dev \
  libminizip-dev libxlsxwriter-dev libcmocka-dev libunistring-dev \
  unicode-data bzip2 gettext unzip git openssh-client
.PHONY: deps
deps:
	@missing=; for p in $(DEB); do \
	  dpkg-query -W -f='$${Status}' $$p 2>/dev/null | grep -q 'ok installed' \
	    || missing="$$missing $$p"; done; \
	if [ -n "$$missing" ]; then \
	  echo "installing:$$missing"; \
	  sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo; \
	  $$sudo apt-get update -qq && \
	  DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -y -qq \
	    --no-install-recommends $$missing >/dev/null; fi

# ---- generated: statements and schemas of .sql files, embedded templates ------
define sql_rules
$(GEN)/$(call under,$(1))_sql.h $(GEN)/$(call under,$(1))_sql.c &: \
    $(call sqls_of,$(1)) common/db/sqlgen.awk
	@mkdir -p $(GEN)
	@awk -v room=$(call under,$(1)) -v out=$(GEN)/$(call under,$(1))_sql \
	  -f common/db/sqlgen.awk $(call sqls_of,$(1))
$(O)/obj/gen/$(call under,$(1))_sql.o: $(GEN)/$(call under,$(1))_sql.c
	@mkdir -p $$(@D)
	@$$(CC) $$(CFLAGS) -c -o $$@ $$<
endef
$(foreach r,$(SQL_ROOMS),$(eval $(call sql_rules,$(r))))

$(GEN)/base_pack.c: $(PACK_FILES) common/template/embed.awk
	@mkdir -p $(GEN)
	@printf '%s\n' $(PACK_FILES) | awk -f common/template/embed.awk > $@
# readings of Chinese characters
$(GEN)/pinyin_table.c: common/model/pinyin.awk common/model/pinyin_words.txt
	@mkdir -p $(GEN)
	@{ bzcat $(UNIHAN)/Unihan_Readings.txt.bz2 && bzcat $(UNIHAN)/Unihan_Variants.txt.bz2; } >$@.in || { echo "make deps installs unicode-data"; exit 1; }
	@awk -f common/model/pinyin.awk $@.in common/model/pinyin_words.txt >$@
	@rm $@.in
$(O)/obj/gen/pinyin_table.o: $(GEN)/pinyin_table.c common/model/pinyin_int.h
	@mkdir -p $(@D)
	@$(CC) $(CFLAGS) -c -o $@ $<

# the Chinese of the programs, compiled in: room, symbol, catalogues (the first
# that has a text says how it is)
define po_rules
$(GEN)/$(2)_catalogue.c: $(3)
	@mkdir -p $(GEN)
	@msgcat --use-first -o $$@.po $(3) && msgfmt -c --endianness=little -o $$@.mo $$@.po || { echo "make deps installs gettext"; exit 1; }
	@{ echo '#include "$(1)/text_int.h"'; echo 'const unsigned char $(2)_catalogue_zh[] = {'; \
	  od -An -v -tu1 $$@.mo | sed 's/[0-9][0-9]*/&,/g'; \
	  echo '};'; echo 'const size_t $(2)_catalogue_zh_bytes = sizeof $(2)_catalogue_zh;'; } >$$@
$(O)/obj/gen/$(2)_catalogue.o: $(GEN)/$(2)_catalogue.c $(1)/text_int.h
	@mkdir -p $$(@D)
	@$$(CC) $$(CFLAGS) -c -o $$@ $$<
endef
$(eval $(call po_rules,client/cli,cli,client/cli/po/zh_CN.po))
$(eval $(call po_rules,server/admin,admin,server/admin/po/zh_CN.po client/cli/po/zh_CN.po))

$(O)/obj/gen/base_pack.o: $(GEN)/base_pack.c
	@mkdir -p $(@D)
	@$(CC) $(CFLAGS) -c -o $@ $<

# ---- compile, archive, link -----------------------------------------------------
$(O)/obj/%.o: %.c | $(SQL_H)
	@mkdir -p $(@D)
	@echo "  CC $<"; $(CC) $(CFLAGS) -MMD -MP -c -o $@ $<
define lib_rule
$(call lib_of,$(1)): $(patsubst %.c,$(O)/obj/%.o,$(call srcs_of,$(1))) \
    $(if $(strip $(call sqls_of,$(1))),$(O)/obj/gen/$(call under,$(1))_sql.o) \
    $(if $(filter common/template,$(1)),$(O)/obj/gen/base_pack.o) \
    $(if $(filter common/model,$(1)),$(O)/obj/gen/pinyin_table.o) \
    $(if $(filter client/cli,$(1)),$(O)/obj/gen/cli_catalogue.o) \
    $(if $(filter server/admin,$(1)),$(O)/obj/gen/admin_catalogue.o)
	@mkdir -p $$(@D)
	@rm -f $$@
	@ar rcs $$@ $$^
endef
$(foreach r,$(room_names),$(eval $(call lib_rule,$(r))))

CLIENT_LIBS := $(filter-out $(O)/lib/server_%,$(LIBS))
SERVER_LIBS := $(filter-out $(O)/lib/client_%,$(LIBS))
$(O)/satchel: $(O)/obj/client/main.o $(CLIENT_LIBS)
	@$(CC) $(LDFLAGS) -o $@ $< -Wl,--start-group $(CLIENT_LIBS) -Wl,--end-group $(LDLIBS)
$(O)/satcheld: $(O)/obj/server/main.o $(SERVER_LIBS)
	@$(CC) $(LDFLAGS) -o $@ $< -Wl,--start-group $(SERVER_LIBS) -Wl,--end-group $(LDLIBS)

-include $(shell find $(O)/obj -name '*.d' 2>/dev/null)

# ---- unit tests: a test links its own room and the rooms on lower floors ----------
UNIT := $(shell find tests/unit -name 'test_*.c' 2>/dev/null | sort)
UNIT_BIN := $(UNIT:%.c=$(O)/%)
# room of tests/unit/<room>/test_x.c; rooms up to its floor
unit_room = $(patsubst tests/unit/%/,%,$(dir $(1)))
libs_upto = $(call reverse,$(foreach r,$(room_names),$(if $(filter 1,$(shell \
  [ $(call room_floor,$(r)) -lt $(call room_floor,$(1)) -o $(r) = $(1) ] && echo 1)),$(call lib_of,$(r)))))
TESTLIB := $(patsubst %.c,$(O)/obj/%.o,$(wildcard tests/lib/*.c))
# what several tests of a room share stands beside them, without test_; some
# of it is lent to the rooms above
LENT_server_store_sqlite := common/template/base
LENT_client_replica := common/template/base
LENT_client_crm := client/replica/fixture client/replica/server $(LENT_client_replica)
LENT_client_sync := protocol/script $(LENT_client_crm)
LENT_client_api := $(LENT_client_crm) client/sync/company
shared_of = $(filter-out $(UNIT),$(wildcard tests/unit/$(1)/*.c)) $(patsubst %,tests/unit/%.c,$(LENT_$(call under,$(1))))
unit_share = $(patsubst %.c,$(O)/obj/%.o,$(call shared_of,$(call unit_room,$(1))))
define unit_rule
$(O)/$(1:%.c=%): $(O)/obj/$(1:%.c=%.o) $(call unit_share,$(1)) $(TESTLIB) $$(call libs_upto,$(call unit_room,$(1)))
	@mkdir -p $$(@D)
	@$$(CC) $$(LDFLAGS) -o $$@ $$(filter %.o,$$^) -Wl,--start-group $$(filter %.a,$$^) -Wl,--end-group $$(LDLIBS) -lcmocka
endef
$(foreach t,$(UNIT),$(eval $(call unit_rule,$(t))))

-include tests/tests.mk
