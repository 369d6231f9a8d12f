#!/bin/sh
# memory.sh - memory fails at each allocation in turn: one line and a status, never a crash or half a file.
#
#     tests/fault/memory.sh .build/release MODEL.db [SAMPLES]      programs linked with memory.c in its fault/
#
# Translating, every call fails once, alone and with all that follow; in training and exporting, which make
# thousands, SAMPLES of them (100).
set -u
LC_ALL=C
export LC_ALL
here=$(cd "$(dirname "$0")" && pwd -P) || exit 1
BIN=$(cd "$1/fault" && pwd -P) || exit 1
MODEL=$(cd "$(dirname "$2")" && pwd -P)/$(basename "$2")
samples=${3:-100}
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
mkdir "$work/in" && cd "$work/in" || exit 1
failed=0 tried=0 refused=0

complain() {
    failed=$((failed + 1))
    [ $failed -gt 10 ] || echo "memory.sh: $name, call $fault: $*" >&2
}

count() { # command...; sets calls
    MEMORY_FAULT=0 MEMORY_COUNT=$work/count "$@" </dev/null >"$work/right" 2>"$work/said" || {
        echo "memory.sh: $name: fails without a fault: $(cat "$work/said")" >&2
        exit 1
    }
    read -r calls <"$work/count"
}

# Runs a command with one fault. What it says is one line; the status says so too.
try() { # command...
    tried=$((tried + 1))
    MEMORY_FAULT=$fault "$@" </dev/null >"$work/out" 2>"$work/said"
    status=$?
    lines=0 said=
    while IFS= read -r line; do
        lines=$((lines + 1)) said=$line
    done <"$work/said"
    case $status in
    0)  [ $lines -eq 0 ] || complain "status 0, but it says: $said" ;;
    1 | 3)
        refused=$((refused + 1))
        [ $lines -eq 1 ] || complain "status $status and $lines lines: $said"
        case $said in
        *'not enough memory' | 'out of memory: '*' bytes asked for' | *'annot allocate memory') ;;
        *) complain "status $status, but it says: $said" ;;
        esac ;;
    *)  complain "status $status: $said" ;;
    esac
}

only() { # files that may be there
    for file in *; do
        [ "$file" != '*' ] || continue
        case " $* " in
        *" $file "*) ;;
        *)  complain "status $status, and it leaves $file"
            rm -f "$file" ;;
        esac
    done
}

# Translating to standard output, and to a file, which appears when it is whole.
translating() { # words...
    count "$BIN/translate" -m "$MODEL" "$@"
    [ ! -e out ] || mv out "$work/file"
    n=0
    while [ $n -lt "$calls" ]; do
        n=$((n + 1))
        for fault in $n $n+; do
            try "$BIN/translate" -m "$MODEL" "$@"
            if [ $status -eq 0 ]; then
                only out
                cmp -s "$work/right" "$work/out" || complain "another translation"
                [ ! -e out ] || cmp -s "$work/file" out || complain "another file"
            else
                only
            fi
            rm -f out
        done
    done
}

# Numbers of calls: the first, the last, and some between, the same each time.
some() { # calls
    awk -v n="$1" -v samples="$samples" 'BEGIN {
        srand(1)
        for (i = 0; i < samples; i++)
            print 1 + int(n * (i + rand()) / samples)
    }'
}

head -20 "$here/../data/pairs.tsv" >"$work/train.tsv"
training() {
    # shellcheck disable=SC2317 # called through count and try
    count "$BIN/train" run.db --train "$work/train.tsv" --dev "$work/train.tsv" --embedding 8 --hidden 8 --pieces 300 \
        --steps 2 --warmup 1 --validate 1 --threads 2 --quiet --export out.db
    mv run.db out.db "$work"
    for fault in $(some "$calls"); do
        try "$BIN/train" run.db --train "$work/train.tsv" --dev "$work/train.tsv" --embedding 8 --hidden 8 \
            --pieces 300 --steps 2 --warmup 1 --validate 1 --threads 2 --quiet --export out.db
        if [ $status -ne 0 ]; then
            only run.db run.db-journal # SQLite's, which it plays back when the run goes on
            # The last whole checkpoint, or a sentence that there is none.
            [ ! -e run.db ] || "$BIN/train" run.db --resume --quiet --train "$work/train.tsv" \
                --dev "$work/train.tsv" 2>"$work/said" || grep -q 'holds no checkpoint yet' "$work/said" ||
                complain "the run cannot go on: $(cat "$work/said")"
        else
            only run.db out.db
        fi
        rm -f ./*
    done
}

exporting() {
    count "$BIN/train" "$work/run.db" --export out.db
    rm -f out.db
    for fault in $(some "$calls"); do
        echo old >out.db
        try "$BIN/train" "$work/run.db" --export out.db
        only out.db
        if [ $status -ne 0 ]; then
            [ "$(cat out.db)" = old ] || complain "what stood there is gone"
        else
            # Its progress tells the time of day of the run, which is the same run each time.
            cmp -s "$work/out.db" out.db || complain "another model"
        fi
        rm -f out.db
    done
}

name=sentence
translating The cat sat.
name='file'
translating -o out -t 1 --n-best 2 'One, two.'
name=training
training
name=exporting
exporting
echo "memory.sh: $tried faults, $refused of them told in one line, $failed wrong"
[ $failed -eq 0 ]
