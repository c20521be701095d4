# SPDX-License-Identifier: GPL-2.0-or-later
# The tests' entry points. tests/run runs programs, adds up their results and closes with one line.

# Seconds matter here: what needs KVM shares two nested hosts (see tests/guest/all.sh).
.PHONY: check check-run
check:
	@packaging/setup
	@$(MAKE) --no-print-directory -j$$(nproc) check-run

check-run: all tests fuzz
	@BUILD=$(BUILD) tests/run tests/system/*.sh tests/lint/*.sh tests/interop/*.sh $(UNIT_TESTS) -- \
		tests/fuzz/check.sh tests/guest/all.sh

# What real viewers are shown (tests/interop/).
INTEROP_TESTS := $(addprefix $(BUILD)/tests/interop/,rfb_show xwd_compare)
check-run: $(INTEROP_TESTS)

# The long proofs; whoever has one adds its script to SOAK. A million cuts of the power for VHD images.
SOAK += tests/soak/vhd_data.sh tests/soak/vhd_job.sh tests/soak/midway.sh tests/soak/save_kill.sh \
	tests/soak/checkpoints.sh tests/soak/backup_kill.sh
.PHONY: soak soak-run
soak:
	@packaging/setup
	@$(MAKE) --no-print-directory -j$$(nproc) soak-run

soak-run: all tests fuzz
	@BUILD=$(BUILD) LIMIT=7200 tests/run -- $(SOAK)

include tests/guest/guest.mk
include tests/fuzz/fuzz.mk
include tests/bench/bench.mk
include tests/bench/console.mk
include tests/bench/net.mk
