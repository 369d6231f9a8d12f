#!/bin/sh
# run.sh - faults of all kinds, on the programs of a build: damaged and hostile models, memory that fails, kills.
#
#     tests/fault/run.sh .build/release           two to three minutes; make run-fault builds what it needs
#     tests/fault/run.sh .build/asan some         sanitizers: what takes no limits and no second allocator
#
# Besides a small model made here, models/en-es.db is damaged, if it is there.
set -eu
LC_ALL=C
export LC_ALL
unset ATIENDE_KERNEL
here=$(cd "$(dirname "$0")" && pwd -P)
BIN=$(cd "$1" && pwd -P)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

pairs=$here/../data/pairs.tsv
tail -20 "$pairs" >"$work/dev.tsv"
"$BIN/train" "$work/run.db" --train "$pairs" --dev "$work/dev.tsv" --embedding 16 --hidden 16 --pieces 360 --steps 60 \
    --warmup 10 --validate 30 --threads 1 --max-length 80 --export "$work/m.db" --quiet

if [ "${2:-all}" = some ]; then
    LIMIT=no "$here/hostile.sh" "$BIN" "$work/m.db"
    "$BIN/fault/damage" "$BIN/translate" "$work/m.db" 100 30 2
    exit
fi
"$here/hostile.sh" "$BIN" "$work/m.db"
"$BIN/fault/damage" "$BIN/translate" "$work/m.db" 1000 200 1
"$BIN/fault/damage" "$BIN/translate" "$work/run.db" 300 60 1
[ ! -f "$here/../../models/en-es.db" ] ||
    "$BIN/fault/damage" "$BIN/translate" "$here/../../models/en-es.db" 1000 200 1
"$here/memory.sh" "$BIN" "$work/m.db"
"$here/kill.sh" "$BIN"
"$here/disk.sh" "$BIN" "$work/m.db"
"$here/lines.sh" "$BIN" "$work/m.db"
