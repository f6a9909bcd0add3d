#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# batch.sh - batches that Slurm runs, as an ordinary user: what tests/slurm/batch.py
# says.
# shellcheck source=tests/slurm/lib.sh
. "$(dirname "$0")/lib.sh"

python3 "$top/tests/slurm/batch.py" "$v2v" "$tmp" || guest_failed=1
guest_done
