# The pipeline once more, in the foreground: make waits for its recipes as ever, and each
# of them waits for its slots, so -j may be as large as one likes.
# usage: make -j64 -f weighted.mk OUT=FOLDER

# Every line of a recipe is run by `hrun SLOTS -c LINE`; `private` keeps the weight of a
# target from those that it is made from.
SHELL := hrun
.SHELLFLAGS := 1,0,2 -c

OUT ?= out
PYTHON ?= python3
STEPS ?= $(dir $(abspath $(lastword $(MAKEFILE_LIST))))steps.py
RUN := "$(PYTHON)" "$(STEPS)"
PACKS := $(foreach k,0 1 2 3 4 5,$(OUT)/pack-$(k))

.PHONY: all
.SECONDARY:
.DELETE_ON_ERROR:

all: private .SHELLFLAGS = -1,0,4 -c
all: $(OUT)/index $(OUT)/digest-0 $(OUT)/digest-1
	@$(RUN) verify $(OUT)

$(OUT)/compile-%: | $(OUT)
	@$(RUN) compile $(OUT) $* >$@

$(OUT)/pack-%: private .SHELLFLAGS = 1,0,4 -c
$(OUT)/pack-%: $(OUT)/compile-%
	@$(RUN) pack $(OUT) $* >$@

$(OUT)/digest-%: private .SHELLFLAGS = 2,1,8 -c
$(OUT)/digest-%: $(PACKS)
	@$(RUN) digest $(OUT) $* >$@

$(OUT)/index: private .SHELLFLAGS = 1,0,32 -c
$(OUT)/index: $(PACKS)
	@$(RUN) index $(OUT) >$@

$(OUT):
	@mkdir -p $@
