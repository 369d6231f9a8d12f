#!/bin/sh
# kill.sh - a training that is killed again and again ends with the weights of one that never was.
#
#     tests/fault/kill.sh .build/release [KILLS [SEED]]      50 kills, seed 1; some ten seconds
#
# Compared are the digests of settings, vocabulary and every tensor of the run file, the tensors themselves,
# the state and the table of progress; seconds and speeds are left out, as they are not the run's but the day's.
set -u
LC_ALL=C
export LC_ALL
here=$(cd "$(dirname "$0")" && pwd -P) || exit 1
BIN=$(cd "${1:-$here/../..}" && pwd -P) || exit 1
kills=${2:-50} seed=${3:-1}
work=$(mktemp -d) || exit 1
child=
trap '[ -z "$child" ] || kill -KILL "$child" 2>/dev/null; rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
cd "$work" || exit 1

fail() {
    echo "kill.sh: $*" >&2
    exit 1
}

head -200 "$here/../data/pairs.tsv" >train.tsv
tail -20 "$here/../data/pairs.tsv" >dev.tsv
corpora="--train train.tsv --dev dev.tsv" anew=0
settings="--embedding 16 --hidden 16 --pieces 360 --steps 120 --warmup 10 --validate 5 --patience 1000
          --batch-tokens 500 --threads 2 --piece-dropout 0.1"

# What a run holds, without the time of day.
contents() { # run
    sqlite3 -batch -readonly "$1" "SELECT part, value FROM digest WHERE part NOT IN ('state', 'file') ORDER BY part;
        SELECT role, name, rows, cols, type, hex(value) FROM tensor ORDER BY role, name;
        SELECT key, value FROM state WHERE key != 'seconds' ORDER BY key;
        SELECT step, epoch, learning_rate, train_loss, dev_loss, dev_bleu, dev_chrf FROM progress ORDER BY step;"
}

# shellcheck disable=SC2086 # lists of options
"$BIN/train" whole.db $corpora $settings --quiet || fail "the training that is not killed failed"
contents whole.db >wanted || fail "whole.db cannot be read"

# Starts a new run, or goes on; a run killed before its first checkpoint is refused with a sentence that says so.
start() { # run
    if [ -e "$1" ]; then
        # shellcheck disable=SC2086
        "$BIN/train" "$1" $corpora --resume --quiet 2>said &
    else
        # shellcheck disable=SC2086
        "$BIN/train" "$1" $corpora $settings --quiet 2>said &
    fi
    child=$!
}

# Waits for the child; after a refusal for want of a checkpoint begins anew.
finish() { # run
    wait "$child" 2>/dev/null
    status=$?
    child=
    if [ $status -eq 1 ] && grep -q 'begin anew' said; then
        [ "$(wc -l <said)" -eq 1 ] || fail "not one line: $(cat said)"
        rm -f "$1" "$1-journal"
        anew=$((anew + 1))
    fi
}

same() { # run, how it came about
    contents "$1" >found || fail "$1 cannot be read"
    cmp -s wanted found || fail "$2: the run differs from the one that was never stopped: $(diff wanted found |
        cut -c 1-100 | head -4)"
}

# In the very beginning: a file with nothing in it yet, and one without a checkpoint, as a kill leaves them.
: >run.db
start run.db
finish run.db
[ $status -eq 1 ] && [ "$(cat said)" = "train: run.db: holds no checkpoint yet; if its training was stopped, remove \
it and begin anew" ] || fail "an empty run: status $status: $(cat said)"

# The moments: seeded, most of them short, since starting takes 20 ms and a step less than one.
awk -v seed="$seed" -v n="$kills" 'BEGIN { srand(seed); for (i = 0; i < 4 * n; i++) print 0.005 + 0.15 * rand() ^ 2 }' \
    >moments
killed=0 runs=1 finished=0
while [ $killed -lt "$kills" ] && read -r moment; do
    start run.db
    sleep "$moment"
    kill -KILL "$child" 2>/dev/null
    finish run.db
    case $status in
    137)
        killed=$((killed + 1)) ;;
    0)  # done before it was killed
        same run.db "run $runs"
        finished=$((finished + 1)) runs=$((runs + 1))
        rm -f run.db ;;
    1)
        [ ! -e run.db ] || fail "status 1: $(cat said)" ;;
    *)
        fail "status $status: $(cat said)" ;;
    esac
done <moments
# shellcheck disable=SC2034
for again in 1 2; do # the second time when the first has only found that there is no checkpoint
    start run.db
    finish run.db
    [ $status -ne 0 ] || break
done
[ $status -eq 0 ] || fail "status $status at the end: $(cat said)"
same run.db "the last run"
finished=$((finished + 1))

# On a fast machine some come too late.
[ $killed -eq "$kills" ] || fail "only $killed of $((4 * kills)) kills hit a training"

# Signals that ask: a checkpoint is written, the status is the shell's, and the run goes on.
for name in INT:130 TERM:143; do
    rm -f run.db
    start run.db
    until sqlite3 -batch -readonly run.db 'SELECT count(*) FROM progress' 2>/dev/null | grep -q '[1-9]'; do
        kill -0 "$child" 2>/dev/null || break
        sleep 0.01
    done
    kill -"${name%:*}" "$child"
    finish run.db
    [ $status -eq 0 ] && continue # it was faster
    [ $status -eq "${name#*:}" ] || fail "SIG${name%:*}: status $status instead of ${name#*:}: $(cat said)"
    [ ! -s said ] || fail "SIG${name%:*}: $(cat said)"
    [ ! -e run.db-journal ] || fail "SIG${name%:*}: a journal is left"
    start run.db
    finish run.db
    [ $status -eq 0 ] || fail "SIG${name%:*}: cannot be resumed: $(cat said)"
    same run.db "after SIG${name%:*}"
done

echo "kill.sh: $killed kills in $finished runs, $anew before the first checkpoint: the same weights each time"
