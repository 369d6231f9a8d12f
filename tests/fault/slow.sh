#!/bin/sh
# slow.sh - what looks at every access to memory, and takes its time: valgrind and the thread sanitizer.
#
#     tests/fault/slow.sh valgrind .build/release      programs, and the suite but for what trains for long
#     tests/fault/slow.sh threads .build/tsan          training and translating with several threads
set -eu
LC_ALL=C
export LC_ALL
unset ATIENDE_KERNEL
here=$(cd "$(dirname "$0")" && pwd -P)
BIN=$(cd "$2" && pwd -P)
pairs=$here/../data/pairs.tsv
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
cd "$work"

head -60 "$pairs" >train.tsv
tail -10 "$pairs" >dev.tsv
(cut -f 1 "$pairs" | head -20; printf '\n\377\376 x\n\000\n'; awk 'BEGIN { while (i++ < 300) printf "word " }') >in

case $1 in
valgrind)
    run="valgrind -q --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite" ;;
threads)
    run=
    export TSAN_OPTIONS="halt_on_error=1 exitcode=9" ;;
*)
    echo "slow.sh: valgrind or threads" >&2
    exit 2 ;;
esac

# shellcheck disable=SC2086 # the words of a command
{
    $run "$BIN/train" run.db --train train.tsv --dev dev.tsv --embedding 16 --hidden 16 --pieces 300 --steps 6 \
        --warmup 2 --validate 3 --threads 3 --batch-tokens 300 --quiet
    $run "$BIN/train" run.db --resume --train train.tsv --dev dev.tsv --quiet --export m.db
    $run "$BIN/translate" -m m.db -t 3 -i in -q >a
    $run "$BIN/translate" -m m.db -t 2 --n-best 3 -i in -q >b
    $run "$BIN/evaluate" -m m.db -t 3 dev.tsv >c
    if [ "$1" = valgrind ]; then
        for suite in aligner alignment base bpe config corpus escape explain explanation gold heatmap heatmap_page \
                     kernel log log_fault metric model ops option output pack product reader record store \
                     store_damage store_fault store_process text translator vocab vocab_code; do
            (cd "$here/../.." && CK_FORK=no CK_RUN_SUITE=$suite CK_DEFAULT_TIMEOUT=0 $run "$BIN/suite") >said || {
                cat said
                exit 1
            }
        done
    else
        for suite in model trainer translator; do
            CK_TIMEOUT_MULTIPLIER=40 CK_RUN_SUITE=$suite "$BIN/suite"
        done
    fi
}
echo "slow.sh: $1: nothing found"
