#!/bin/sh
# hostile.sh - models made to harm: one sentence, status 3, within a second of work and 100 MB.
#
#     tests/fault/hostile.sh .build/release MODEL.db      a small exported model; needs .build/release/fault/sign
#
# Each case is SQL that the sqlite3 program runs on a copy of the model, or a command; what is said must have
# the given words in it. A name with + has its digests made right again, so that what lies behind them is met.
# The address space is limited too, but for sanitizers, which take all of it: LIMIT=no.
set -u
LC_ALL=C
export LC_ALL
BIN=$(cd "$1" && pwd -P) || exit 1
MODEL=$(cd "$(dirname "$2")" && pwd -P)/$(basename "$2")
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
cd "$work" || exit 1
failed=0 tried=0

complain() {
    failed=$((failed + 1))
    echo "hostile.sh: $*" >&2
}

# shellcheck disable=SC3045 # no POSIX, but every shell has these
limits() {
    ulimit -c 0
    ulimit -t 2 # of work; a second is what is promised, and the next whole number is what can be asked for
    [ "${LIMIT:-yes}" = no ] || ulimit -v 102400
}

# Translates with m.db.
refused() { # name, words
    tried=$((tried + 1))
    (limits && exec "$BIN/translate" -m m.db 'The cat sat.') >out 2>said </dev/null
    status=$?
    said=$(cat said)
    [ $status -eq 3 ] || complain "$1: status $status: $said"
    [ ! -s out ] || complain "$1: it translates: $(cat out)"
    [ "$(wc -l <said)" -eq 1 ] || complain "$1: not one line: $said"
    case $said in
    'translate: m.db: '*"$2"*) ;;
    *) complain "$1: '$2' is not in: $said" ;;
    esac
}

sql() { # name, words, statements
    cp "$MODEL" m.db
    printf 'PRAGMA synchronous=OFF; PRAGMA ignore_check_constraints=1; .dbconfig defensive off\n%s;\n' "$3" |
        sed 's/; \.dbconfig/;\n.dbconfig/' | sqlite3 -batch m.db >sqlite 2>&1 || {
        complain "$1: $(cat sqlite)"
        return
    }
    case $1 in *+) "$BIN/fault/sign" m.db || complain "$1: cannot be signed" ;; esac
    refused "$1" "$2"
    rm -f m.db m.db-*
}

(limits && exec "$BIN/translate" -m "$MODEL" 'The cat sat.') >good 2>said || complain "the good model: $(cat said)"

endless='WITH RECURSIVE c(x) AS (SELECT 0 UNION ALL SELECT x + 1 FROM c)'

# Shapes
sql 'wide+' "but this model's is" "UPDATE config SET value = '4096' WHERE key IN ('hidden', 'embedding')"
sql 'too wide+' 'is not in 2 .. 4096' "UPDATE config SET value = '2000000000' WHERE key = 'hidden'"
sql 'negative width+' 'is not in 2 .. 4096' "UPDATE config SET value = '-8' WHERE key = 'hidden'"
sql 'deep+' 'is missing' "UPDATE config SET value = (SELECT 4) WHERE key = 'encoder-layers'"
sql 'rows+' '1000000000 x' "UPDATE tensor SET rows = 1000000000 WHERE name = 'combine.bias'"
sql 'rows below 0+' '-1 x' "UPDATE tensor SET rows = -1 WHERE name = 'combine.bias'"
sql 'rows beyond 64 bits+' 'x 9223372036854775807' \
    "UPDATE tensor SET cols = 9223372036854775807 WHERE name = 'combine.bias'"
sql 'no bytes+' 'has 0 bytes instead of' "UPDATE tensor SET value = x'' WHERE name = 'combine.bias'"
sql 'a great blob+' 'has 150000000 bytes instead of' \
    "UPDATE tensor SET value = zeroblob(150000000) WHERE name = 'combine.bias'"
sql 'NaN+' 'holds a number that is not finite' \
    "UPDATE tensor SET value = CAST(x'007E' || substr(value, 3) AS BLOB) WHERE name = 'combine.bias'"
sql 'infinity+' 'holds a number that is not finite' \
    "UPDATE tensor SET value = CAST(x'007C' || substr(value, 3) AS BLOB) WHERE name = 'combine.bias'"
sql 'type+' "has type 'int4'" "UPDATE tensor SET type = 'int4'"

# Rows
sql 'no tensors+' 'is missing' 'DELETE FROM tensor'
sql 'no settings+' 'is missing' 'DELETE FROM config'
sql 'no pieces+' 'vocabulary' 'DELETE FROM piece; DELETE FROM merge'
sql 'no digests' 'the digest of its digests does not agree' 'DELETE FROM digest'
sql 'a million pieces+' 'more than 60000 pieces' "INSERT INTO piece(id, text, kind, count) $endless
    SELECT (SELECT max(id) FROM piece) + 1 + x, 'x' || x, 'character', 1 FROM c LIMIT 200000"
sql 'a million merges+' 'merge' "DELETE FROM merge; INSERT INTO merge $endless SELECT x, 300, 300 FROM c LIMIT 1200000"
sql 'a piece of a megabyte+' 'longer than any row' "UPDATE piece SET text = hex(zeroblob(500000)) WHERE id = 300"
sql 'a piece twice+' 'vocabulary' "UPDATE piece SET text = (SELECT text FROM piece WHERE id = 300) WHERE id = 301"
sql 'a merge of itself+' 'vocabulary' "UPDATE merge SET left = (SELECT max(id) FROM piece) WHERE rank = 0"
sql 'a merge of nothing+' 'vocabulary' "UPDATE merge SET left = -5 WHERE rank = 0"
sql 'a setting of a megabyte+' 'longer than any row' \
    "UPDATE config SET value = hex(zeroblob(500000)) WHERE key = 'seed'"
sql 'escapes+' 'no such setting' "INSERT INTO config VALUES(char(27) || '[2J' || char(10), '1')"

# The schema
sql 'a view that never ends' 'merge is a view' "DROP TABLE merge; CREATE VIEW merge(rank, left, right) AS $endless
    SELECT x, 1, 2 FROM c"
sql 'settings that never end' 'config is a view' "DROP TABLE config; CREATE VIEW config(key, value) AS $endless
    SELECT 'hidden', x FROM c"
sql 'a trigger' 'trigger t is not part' 'CREATE TRIGGER t AFTER INSERT ON config BEGIN DELETE FROM piece; END'
sql 'a virtual table' 'is not part of a model' 'CREATE VIRTUAL TABLE f USING fts5(x)'
sql 'a generated column' 'not declared as in a model' \
    "PRAGMA writable_schema=1; UPDATE sqlite_schema SET sql = 'CREATE TABLE config(key TEXT PRIMARY KEY,
    value TEXT AS (hex(zeroblob(400000000)))) STRICT, WITHOUT ROWID' WHERE name = 'config'"
sql 'a default that is dear' 'not declared as in a model' \
    "ALTER TABLE piece ADD COLUMN more TEXT DEFAULT 'x'"
sql 'a hundred thousand views' "schema is larger than a model's" \
    "PRAGMA writable_schema=1; INSERT INTO sqlite_schema $endless SELECT 'view', 'v' || x, 'v' || x, 0,
    'CREATE VIEW v' || x || ' AS SELECT 1' FROM c LIMIT 100000"
sql 'another format' 'is of model format 2' 'PRAGMA user_version=2'
sql 'another program' 'not a model (application_id 00000007)' 'PRAGMA application_id=7'
sql 'a table more' 'table t is not part' 'CREATE TABLE t AS SELECT name, sql FROM sqlite_schema'

# Ten gigabytes: claimed by the header of a small file; by a file of holes that is a tensor's page; nothing else.
cp "$MODEL" m.db
printf '\000\012\000\000' | dd of=m.db bs=1 seek=28 conv=notrunc 2>/dev/null
refused 'ten gigabytes claimed' 'damaged'
rm -f m.db
if truncate -s 10G m.db 2>/dev/null; then
    refused 'ten gigabytes of nothing' 'not an SQLite database'
    rm -f m.db
    cp "$MODEL" m.db
    printf '\000\012\000\000' | dd of=m.db bs=1 seek=28 conv=notrunc 2>/dev/null
    truncate -s 10G m.db
    (limits && exec "$BIN/translate" -m m.db 'The cat sat.') >found 2>said
    status=$?
    tried=$((tried + 1))
    [ $status -eq 0 ] && cmp -s good found ||
        complain "ten gigabytes of holes behind a good model: status $status: $(cat said)"
    rm -f m.db
else
    echo "hostile.sh: skipped: this file system has no file of 10 GB" >&2
fi
# Not hostile but old: from before there were these settings.
cp "$MODEL" m.db
sqlite3 -batch m.db "DELETE FROM config WHERE key IN ('bare', 'capitals', 'guide', 'lower')"
"$BIN/fault/sign" m.db
(limits && exec "$BIN/translate" -m m.db 'The cat sat.') >found 2>said
status=$?
tried=$((tried + 1))
[ $status -eq 0 ] && cmp -s good found || complain "an old model: status $status: $(cat said)"
rm -f m.db

mkfifo m.db && refused 'a pipe' 'not a regular file' && rm -f m.db
ln -s m.db m.db && refused 'a link to itself' 'Too many levels of symbolic links' && rm -f m.db
ln -s /dev/zero m.db && refused 'an endless device' 'not a regular file' && rm -f m.db

echo "hostile.sh: $tried models, $failed not refused as they should be"
[ $failed -eq 0 ]
