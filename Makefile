# Makefile - `make help` lists the targets.

VARIANT  ?= release
PACKAGES := sqlite3 libutf8proc libxxhash
PROGRAMS := translate train evaluate

# Objects of different compilers or flags never meet: a directory for each.
BUILD := .build/$(VARIANT)$(addprefix -,$(filter-out cc,$(notdir $(firstword $(CC)))))

FLAGS_release := -O3 -g
FLAGS_debug   := -O0 -g
FLAGS_asan    := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
FLAGS_tsan    := -O1 -g -fsanitize=thread -fno-omit-frame-pointer
FLAGS_double  := -O3 -g -DREAL_IS_DOUBLE
FLAGS_fuzz    := -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
FLAGS         := $(FLAGS_$(VARIANT))
ifeq ($(FLAGS),)
$(error VARIANT=$(VARIANT) is none of release, debug, asan, tsan, double, fuzz)
endif

WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition \
            -Wpointer-arith -Wcast-qual -Wwrite-strings -Wvla -Wundef -Wformat=2 -Wdouble-promotion -Werror
STANDARD := -std=c11 -D_POSIX_C_SOURCE=200809L -D_FILE_OFFSET_BITS=64

# A product's rounding must not depend on what the compiler fuses: -ffp-contract=off everywhere;
# kernel_simd.c says with intrinsics where it multiplies and adds in one.
CFLAGS_ALL = $(STANDARD) $(WARNINGS) -ffp-contract=off -pthread -Isrc -Itests $(FLAGS) $(KERNEL_FLAGS) \
             $(PACKAGE_CFLAGS) $(CFLAGS)
LIBS       = $(PACKAGE_LIBS) -lm -pthread

# Asked once, when first needed.
PACKAGE_CFLAGS = $(eval PACKAGE_CFLAGS := $(shell pkg-config --cflags $(PACKAGES)))$(PACKAGE_CFLAGS)
PACKAGE_LIBS   = $(eval PACKAGE_LIBS := $(shell pkg-config --libs $(PACKAGES)))$(PACKAGE_LIBS)
CHECK_CFLAGS   = $(eval CHECK_CFLAGS := $(shell pkg-config --cflags check))$(CHECK_CFLAGS)
CHECK_LIBS     = $(eval CHECK_LIBS := $(shell pkg-config --libs check))$(CHECK_LIBS)

LIBRARY := $(sort $(wildcard src/base/*.c src/math/*.c src/text/*.c src/model/*.c src/view/*.c src/cli/*.c))
TESTS   := $(sort $(wildcard tests/base/*.c tests/math/*.c tests/text/*.c tests/model/*.c tests/view/*.c tests/*.c))
BENCHES := $(sort $(wildcard tests/bench/*.c))
FUZZ_TARGETS := text translate model
FUZZ_SHARED  := fuzz sign
OBJECTS := $(filter-out %/kernel_simd.o,$(LIBRARY:%.c=$(BUILD)/%.o)) $(BUILD)/src/view/page.o

# One source, compiled once for each instruction set; which one runs is decided at run time.
AVX2   := -mavx2 -mfma -mf16c -DKERNEL_LANES=8
AVX512 := -mavx512f -mavx512dq -mavx512bw -mavx512vl -mavx2 -mfma -mf16c -DKERNEL_LANES=16
ifneq ($(filter x86_64 amd64,$(shell uname -m)),)
ifneq ($(VARIANT),double)
OBJECTS      += $(BUILD)/src/math/kernel_simd_avx2.o $(BUILD)/src/math/kernel_simd_avx512.o
KERNEL_FLAGS := -DKERNEL_X86
endif
endif

# $(MAKE_AGAIN): the same make, after the packages are there, on all cores unless the caller gave a -j.
JOBS       = $(if $(findstring -j,$(MAKEFLAGS)),,-j$(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1))
MAKE_AGAIN = $(MAKE) --no-print-directory $(JOBS)
DEPS       = CC='$(CC)' sh .ci/deps.sh

##
## Build and try
all: programs ## ./translate ./train ./evaluate; VARIANT=release|debug|asan|tsan|double
	@for p in $(PROGRAMS); do cmp -s $(BUILD)/$$p $$p || cp -f $(BUILD)/$$p $$p || exit 1; done

demo: deps ## install what is missing, build, translate one sentence
	+@$(MAKE_AGAIN) all
	./translate "The cat sat on the mat."

test: deps ## install what is missing, build and run the test suite
	+@$(MAKE_AGAIN) run-suite

RELEASE := CC=cc VARIANT=release BUILD=.build/release
DOUBLE  := CC=cc VARIANT=double BUILD=.build/double
ASAN    := CC=cc VARIANT=asan BUILD=.build/asan
CLANG   := CC=clang VARIANT=release BUILD=.build/release-clang

BENCH ?=

bench: deps ## measure this machine and this program, 2 to 3 minutes; BENCH=quick|full
	+@$(MAKE_AGAIN) all $(BUILD)/bench
	@$(BUILD)/bench ./translate $(MODEL) $(BENCH)

check: ## lint; the suite in three builds and with clang; command transcripts
	@$(DEPS) build check
	tests/lint.sh
	+@$(MAKE_AGAIN) $(RELEASE) run-suite
	+@$(MAKE_AGAIN) $(RELEASE) run-cli
	+@$(MAKE_AGAIN) $(RELEASE) run-fault
	+@$(MAKE_AGAIN) $(DOUBLE) run-suite
	+@$(MAKE_AGAIN) $(ASAN) run-suite
	+@$(MAKE_AGAIN) $(ASAN) run-cli
	+@$(MAKE_AGAIN) $(ASAN) run-fault FAULTS=some
	+@$(MAKE_AGAIN) $(ASAN) run-fuzz-corpus
	+@$(MAKE_AGAIN) $(CLANG) run-suite
	+@$(MAKE_AGAIN) $(CLANG) programs
	@echo "check: all passed"

check-browser: ## open the page of heatmaps in Chromium, from disk, network off, and use it
	@$(DEPS) build browser
	+@$(MAKE_AGAIN) $(RELEASE) .build/release/draw
	tests/browser/run.sh .build/release/draw

check-slow: ## valgrind, and the thread sanitizer: ten minutes and more
	@command -v valgrind >/dev/null || { echo "check-slow needs valgrind" >&2; exit 1; }
	+@$(MAKE_AGAIN) $(RELEASE) programs .build/release/suite
	tests/fault/slow.sh valgrind .build/release
	+@$(MAKE_AGAIN) VARIANT=tsan BUILD=.build/tsan programs .build/tsan/suite
	tests/fault/slow.sh threads .build/tsan
	@echo "check-slow: all passed"

TARGET  ?= text
SECONDS ?= 600
FUZZ    := .build/fuzz/fuzz/$(TARGET)

# A recipe is worth nothing while it is short.
FUZZ_LENGTH_model := -len_control=0 -max_len=400

fuzz: ## feed a part with random bytes: TARGET=text|translate|model SECONDS=600; needs clang's libFuzzer
	+@$(MAKE_AGAIN) CC=clang VARIANT=fuzz BUILD=.build/fuzz $(FUZZ)
	@mkdir -p .build/fuzz/corpus/$(TARGET)
	$(FUZZ) -max_total_time=$(SECONDS) -timeout=20 -rss_limit_mb=3000 -print_final_stats=1 -reload=0 \
	  $(FUZZ_LENGTH_$(TARGET)) \
	  -artifact_prefix=.build/fuzz/found-$(TARGET)- .build/fuzz/corpus/$(TARGET) tests/fuzz/corpus/$(TARGET)

lint: ## the rules of the project that a compiler does not know
	tests/lint.sh

deps: ## install what the build needs; says nothing when all is there
	@$(DEPS) build

check-deps: ## install what make check and make vocab need besides
	@$(DEPS) build check

##
## Train
PHRASEBOOK       := .build/phrasebook.db
PHRASEBOOK_FLAGS ?= --embedding 96 --hidden 128 --pieces 1000 --dropout 0.1 --learning-rate 0.005 --average 0.99 \
  --batch-tokens 600 --steps 1200 --warmup 100 --validate 400

train: deps ## a first training: vocab/phrasebook.tsv, within a minute
	+@$(MAKE_AGAIN) all
	rm -f $(PHRASEBOOK)
	./train $(PHRASEBOOK) --train vocab/phrasebook.tsv --dev vocab/phrasebook.tsv $(PHRASEBOOK_FLAGS)
	./translate -m $(PHRASEBOOK) "The dog chased the ball."

MODEL     := models/en-es.db
MODEL_RUN := .build/en-es-run.db
need       = $(if $($(1)),,$(error make $@ needs $(1)=FILE.tsv: English, tab, Spanish on each line))

# What is said of the data in the model itself; other corpora need other words.
MODEL_NOTES ?= --provenance 'data=Trained on sentence pairs © Tatoeba contributors (https://tatoeba.org), CC BY 2.0 FR \
  (https://creativecommons.org/licenses/by/2.0/fr/), in part through manythings.org/anki and doozan/6001_Spanish; \
  filtered and normalised.' --provenance 'rights=Our own rights in the weights: MIT.'

# The recipe is the defaults of ./train. A run that was stopped goes on. MODEL_FLAGS are other settings for a new run.
model: deps ## train the shipped model: CORPUS="A.tsv B.tsv" DEV=C.tsv [TEST=D.tsv]
	$(call need,CORPUS)$(call need,DEV)
	+@$(MAKE_AGAIN) all
	./train $(MODEL_RUN) $(if $(wildcard $(MODEL_RUN)),--resume,$(MODEL_NOTES) $(MODEL_FLAGS)) \
	  $(CORPUS:%=--train %) --train vocab/phrasebook.tsv:4 --dev $(DEV) $(TEST:%=--exclude %) --export $(MODEL)

evaluate-model: deps ## measure the shipped model: TEST=D.tsv
	$(call need,TEST)
	+@$(MAKE_AGAIN) all
	./evaluate -m $(MODEL) $(TEST)

figure: all ## draw the picture of README
	./translate -m $(MODEL) --draw models/attention.svg "The cat sat on the mat."

DUMP   = sqlite3 -batch -readonly -header -tabs $(MODEL)
PIECES = SELECT id, text, kind, count FROM piece ORDER BY id
MERGES = SELECT m.rank, l.text AS "left", r.text AS "right" FROM merge AS m \
         JOIN piece AS l ON l.id = m."left" JOIN piece AS r ON r.id = m."right" ORDER BY m.rank

vocab: check-deps ## write the shipped model's pieces and merges into vocab/
	$(DUMP) '$(PIECES)' >vocab/en-es.pieces.tsv
	$(DUMP) '$(MERGES)' >vocab/en-es.merges.tsv

##
## Install and clean
PREFIX  ?= /usr/local
HOME_AT  = $(DESTDIR)$(PREFIX)/lib/atiende

install: all ## programs and model into PREFIX=/usr/local, below DESTDIR
	mkdir -p $(HOME_AT)/models $(DESTDIR)$(PREFIX)/bin
	install -m 755 $(PROGRAMS) $(HOME_AT)
	install -m 644 $(MODEL) models/MODEL.md models/LICENSE $(HOME_AT)/models
	cd $(DESTDIR)$(PREFIX)/bin && for p in $(PROGRAMS); do ln -sf ../lib/atiende/$$p $$p || exit 1; done

uninstall: ## take away what install put there
	rm -rf $(HOME_AT)
	cd $(DESTDIR)$(PREFIX)/bin && rm -f $(PROGRAMS)

clean: ## remove all that was built
	rm -rf .build $(PROGRAMS)

help: ## this list
	@awk -F ':.*## ' '/^## /{print "\n" substr($$0, 4) ":"} /^[a-z-]+:.*## /{printf "  make %-16s%s\n", $$1, $$2}' Makefile

# What follows is for the rules above. V=1 shows whole commands.
Q = $(if $(V),,@echo "  $@";)

# Tests get ten times Check's patience: sanitizers and busy machines are slow.
run-suite: $(BUILD)/suite
	CK_TIMEOUT_MULTIPLIER=10 $<

# Inputs that fuzzing has found worth keeping, each once.
run-fuzz-corpus: $(FUZZ_TARGETS:%=$(BUILD)/fuzz/%)
	@for t in $(FUZZ_TARGETS); do $(BUILD)/fuzz/$$t tests/fuzz/corpus/$$t/* || exit 1; done

run-cli: programs
	tests/cli/run.sh $(BUILD)

programs: $(PROGRAMS:%=$(BUILD)/%)

$(PROGRAMS:%=$(BUILD)/%): $(BUILD)/%: $(BUILD)/src/%.o $(OBJECTS)
	$(Q)$(CC) $(FLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

$(BUILD)/suite: $(TESTS:%.c=$(BUILD)/%.o) $(OBJECTS)
	$(Q)$(CC) $(FLAGS) $(LDFLAGS) -o $@ $^ $(LIBS) $(CHECK_LIBS)

$(BUILD)/draw: $(BUILD)/tests/browser/draw.o $(BUILD)/tests/view/picture.o $(OBJECTS)
	$(Q)$(CC) $(FLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

# Faults: damaged and hostile models, kills, memory that fails. FAULTS=some is what sanitizers leave possible.
FAULTS      ?= all
FAULT_TOOLS := damage sign $(if $(filter all,$(FAULTS)),translate train)
run-fault: programs $(FAULT_TOOLS:%=$(BUILD)/fault/%)
	tests/fault/run.sh $(BUILD) $(FAULTS)

$(BUILD)/fault/damage: $(BUILD)/tests/fault/damage.o
$(BUILD)/fault/sign: $(BUILD)/tests/fault/sign.o $(BUILD)/tests/fuzz/sign.o
$(BUILD)/fault/translate: $(BUILD)/src/translate.o $(BUILD)/tests/fault/memory.o
$(BUILD)/fault/train: $(BUILD)/src/train.o $(BUILD)/tests/fault/memory.o
$(BUILD)/fault/damage $(BUILD)/fault/sign $(BUILD)/fault/translate $(BUILD)/fault/train: $(OBJECTS)
	@mkdir -p $(@D)
	$(Q)$(CC) $(FLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

# A fuzz target needs clang's libFuzzer, or replay.c in its place.
FUZZ_DRIVER := $(if $(filter fuzz,$(VARIANT)),-fsanitize=fuzzer,$(BUILD)/tests/fuzz/replay.o)
$(FUZZ_TARGETS:%=$(BUILD)/fuzz/%): $(BUILD)/fuzz/%: $(BUILD)/tests/fuzz/%.o $(FUZZ_SHARED:%=$(BUILD)/tests/fuzz/%.o) \
                                   $(filter %.o,$(FUZZ_DRIVER)) $(OBJECTS)
	@mkdir -p $(@D)
	$(Q)$(CC) $(FLAGS) $(LDFLAGS) -o $@ $^ $(filter-out %.o,$(FUZZ_DRIVER)) $(LIBS)

$(BUILD)/bench: $(BENCHES:%.c=$(BUILD)/%.o) $(OBJECTS)
	$(Q)$(CC) $(FLAGS) $(LDFLAGS) -o $@ $^ $(LIBS) -ldl

$(BUILD)/src/math/kernel_simd_avx2.o: src/math/kernel_simd.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) $(AVX2) -MMD -MP -c -o $@ $<

$(BUILD)/src/math/kernel_simd_avx512.o: src/math/kernel_simd.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) $(AVX512) -MMD -MP -c -o $@ $<

# The page's lines as C strings.
$(BUILD)/src/view/page.c: src/view/page.html Makefile
	@mkdir -p $(@D)
	@{ echo '#include "view/heatmap_internal.h"'; echo 'const char *const heatmap_page[] = {'; \
	  sed 's/[\\"?]/\\&/g; s/.*/"&\\n",/' $<; echo '0};'; } >$@

$(BUILD)/src/view/page.o: $(BUILD)/src/view/page.c $(BUILD)/flags
	$(Q)$(CC) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

$(BUILD)/tests/%.o: tests/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) $(CHECK_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

# Changes when the compiler's arguments do, and makes every object of the directory anew.
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(CC) $(CFLAGS_ALL) $(AVX2) $(AVX512)' | cmp -s - $@ || echo '$(CC) $(CFLAGS_ALL) $(AVX2) $(AVX512)' >$@

FORCE:

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

# ./train is what `all` builds; `make train` is a training.
translate evaluate: all

.PHONY: all demo test bench check check-browser check-slow lint deps check-deps train model evaluate-model \
        figure vocab install uninstall clean help run-suite run-cli run-fault run-fuzz-corpus fuzz programs \
        translate evaluate FORCE
.SECONDARY:
.DELETE_ON_ERROR:
