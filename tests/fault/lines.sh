#!/bin/sh
# lines.sh - N lines in, N lines out, whatever they hold; the same bytes for any number of threads and any way
# in which they arrive.
#
#     tests/fault/lines.sh .build/release MODEL.db [LINES]      10,000 lines
set -u
LC_ALL=C
export LC_ALL
BIN=$(cd "$1" && pwd -P) || exit 1
MODEL=$(cd "$(dirname "$2")" && pwd -P)/$(basename "$2")
lines=${3:-10000}
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
cd "$work" || exit 1

fail() {
    echo "lines.sh: $*" >&2
    exit 1
}

# A byte order mark; lines of all kinds in turn; one of 5,000 words, one word of 1 MB. NUL stands as \300 here,
# which awk can write everywhere.
awk -v n="$lines" 'BEGIN {
    split("The cat sat on the mat.|\r| |\t|Is it 12,5 % of 1000?|\300\001\002\033[1m|\377\376 caf\303|THE END|" \
          "\302\241Hola!|one two three four five six seven eight nine ten|\342\200\251|x|a\300b|\357\277\277|" \
          "e\314\201\314\201 o", line, "|")
    printf "\357\273\277"
    for (i = 1; i <= n; i++) {
        if (i == int(n / 3))
            for (k = 0; k < 5000; k++) printf "word%d ", k % 97
        if (i == int(n / 2))
            for (k = 0; k < 65536; k++) printf "abcdefghijklmnop"
        printf "%s%s\n", i % 16 ? line[i % 16] : "", i % 5 ? "" : "\r"
    }
}' | tr '\300' '\000' >in

one() { # out, options...
    out=$1
    shift
    "$BIN/translate" -m "$MODEL" -q -b 1 "$@" >"$out" 2>said || fail "status $?: $*: $(cat said)"
    [ ! -s said ] || fail "$*: $(cat said)"
}

start=$(date +%s)
one a -t 1 <in
seconds=$(($(date +%s) - start))
[ "$(wc -l <a)" -eq "$lines" ] || fail "$(wc -l <a) lines out of $lines"
[ "$(tr -d '\n' <a | tr -cd '\000-\037\177' | wc -c)" -eq 0 ] || fail "control characters in the output"
iconv -f UTF-8 -t UTF-8 <a >/dev/null || fail "the output is no UTF-8"
one b -t 2 -i in
cmp a b || fail "two threads differ from one"
# Batches of other sizes: as much as is there when it is looked, a line, half a line.
(head -c 100; sleep 0.1; head -c 5000; sleep 0.1; dd bs=999 2>/dev/null) <in | one c -t 3
cmp a c || fail "a pipe with pauses differs from a file"
head -40 in | while IFS= read -r line; do printf '%s\n' "$line"; sleep 0.01; done | one d -t 2
head -40 in | tr -d '\000' | one e -t 2 # the shell's read drops NUL
cmp d e || fail "lines that come alone differ from lines that come together"
echo "lines.sh: $lines lines, $(wc -c <in) bytes: the same four ways; $seconds s with one thread"
