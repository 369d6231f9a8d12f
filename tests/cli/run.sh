#!/bin/sh
# run.sh - runs command transcripts and compares what the programs print, and their status.
#
#     tests/cli/run.sh                     programs in the top directory, all cases
#     tests/cli/run.sh .build/asan         programs there
#     tests/cli/run.sh . cases/usage.txt   some cases
#
# A case file is read line by line:
#     # text       a comment; so is a blank line before the first command
#     $ command    a shell command, run in an empty directory with the programs first in PATH, $DATA naming
#                  tests/cli/data, $BIN the directory of the programs, $TEST the pairs of tests/data, $MODEL a model
#                  that knows nothing, and $TINY one that knows a few sentences and never changes (data/tiny.sql);
#                  further $ lines are further commands, each with a new directory
#     > text       a line that the command writes to standard output
#     ! text       a line that it writes to standard error
#     ? number     its status; 0 when there is no such line
# A line of output without its line feed ends in "\c". In output, the directory of the programs reads as $BIN,
# the empty directory as $TMP, and the model as $MODEL.
set -u
LC_ALL=C
export LC_ALL
unset ATIENDE_KERNEL POSIXLY_CORRECT

here=$(cd "$(dirname "$0")" && pwd -P) || exit 1
BIN=$(cd "${1:-$here/../..}" && pwd -P) || exit 1
[ $# -eq 0 ] || shift
[ $# -gt 0 ] || set -- "$here"/cases/*.txt
DATA=$here/data
PATH=$BIN:$PATH
export BIN DATA PATH

work=$(mktemp -d) || exit 1
TMP=$work/tmp
export TMP
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# A model that has learned nothing: what the cases say holds for any.
MODEL=$work/model.db
TEST=$here/../data/pairs.tsv
export MODEL TEST
train "$work/run.db" --train "$TEST" --dev "$TEST" --embedding 8 --hidden 8 --pieces 340 --steps 2 \
    --warmup 1 --validate 2 --threads 1 --max-length 80 --export "$MODEL" --quiet || exit 1

TINY=$work/tiny.db
export TINY
sqlite3 -batch "$TINY" <"$DATA/tiny.sql" || exit 1

# Output as a transcript: every line marked, paths made equal for everyone.
mark() {
    awk -v mark="$1" -v bin="$BIN" -v tmp="$TMP" -v model="$MODEL" -v end="$(tail -c 1 "$2" | wc -l)" '
        function replace(line, from, to,    at, out)
        {
            while ((at = index(line, from)) > 0) {
                out = out substr(line, 1, at - 1) to
                line = substr(line, at + length(from))
            }
            return out line
        }
        NR > 1 { print last }
        { last = mark " " replace(replace(replace($0, tmp, "$TMP"), bin, "$BIN"), model, "$MODEL") }
        END { if (NR) print last (end + 0 ? "" : "\\c") }' "$2"
}

# Runs one command and writes it down as the case file should have it.
transcript() {
    printf '$ %s\n' "$1"
    rm -rf "$TMP" && mkdir "$TMP" || exit 1
    (cd "$TMP" && eval "$1") >"$work/out" 2>"$work/err" </dev/null
    status=$?
    mark '>' "$work/out"
    mark '!' "$work/err"
    [ $status -eq 0 ] || printf '? %d\n' $status
}

ran=0 failed=0
for file in "$@"; do
    name=$(basename "$file" .txt)
    : >"$work/expected" && : >"$work/found" || exit 1
    while IFS= read -r line || [ -n "$line" ]; do
        case $line in
        '$ '*)
            ran=$((ran + 1))
            printf '%s\n' "$line" >>"$work/expected"
            transcript "${line#??}" >>"$work/found" ;;
        '> '* | '! '* | '>' | '!' | '? '*)
            printf '%s\n' "$line" >>"$work/expected" ;;
        '' | '#'*) ;;
        *)
            echo "run.sh: $file: not a line of a case: $line" >&2
            exit 1 ;;
        esac
    done <"$file"
    sed 's/^\([>!]\)$/\1 /' "$work/expected" >"$work/wanted" # editors take the space of an empty line away
    if ! cmp -s "$work/wanted" "$work/found"; then
        failed=$((failed + 1))
        echo "FAILED: $name (- expected, + found)"
        diff -u "$work/wanted" "$work/found" | tail -n +3
    fi
done

echo "commands run: $ran, case files that failed: $failed of $#"
[ $ran -gt 0 ] && [ $failed -eq 0 ]
