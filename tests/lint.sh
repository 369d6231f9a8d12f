#!/bin/sh
# lint.sh - the rules of this project that a compiler does not know. Prints "file:line: message" for each
# breach and ends with status 1 when there is one. Run it anywhere: it finds the top of the tree itself.
#
#     tests/lint.sh            the whole tree
#     tests/lint.sh DIRECTORY  another tree of the same form
set -eu
LC_ALL=C
export LC_ALL
cd "${1:-$(dirname "$0")/..}"

if [ ! -d src ]; then
    echo "lint: no directory src in $(pwd)" >&2
    exit 1
fi

# C: who may include whom, functions that are not to be called, lengths of files and functions.
lint_c() {
    find src tests -name '*.[ch]' | sort | xargs awk '
        function say(line, message)
        {
            printf "%s:%d: %s\n", file, line, message
            bad = 1
        }

        function has(list, word)
        {
            return index(" " list " ", " " word " ") > 0
        }

        # The module of "model/store_read.c" is store.
        function module(path)
        {
            sub(/.*\//, "", path)
            sub(/[_.].*/, "", path)
            return path
        }

        # The line without comments and without what stands in quotes.
        function code(line,    out, token)
        {
            out = ""
            while (line != "") {
                if (comment) {
                    if (!index(line, "*/"))
                        return out
                    line = substr(line, index(line, "*/") + 2)
                    comment = 0
                } else if (match(line, /"([^"\\]|\\.)*"|\047([^\047\\]|\\.)*\047|\/\*|\/\//)) {
                    token = substr(line, RSTART, 2)
                    out = out substr(line, 1, RSTART - 1) " "
                    line = substr(line, RSTART + RLENGTH)
                    if (token == "//")
                        return out
                    comment = token == "/*"
                } else {
                    return out line
                }
            }
            return out
        }

        function check_include(name,    to)
        {
            if (name == "sqlite3.h" && room != "tests" &&
                file !~ /^src\/(model\/store.*\.c|model\/store_.*\.h|view\/log\.c)$/)
                say(FNR, "sqlite3.h belongs to model/store*.c and view/log.c alone")
            if (!index($0, "\"") || room == "tests")
                return
            to = name
            if (!sub(/\/.*/, "", to) || !(to in rooms)) {
                say(FNR, "\"" name "\": an include path starts at src")
                return
            }
            if (room != "program" && !has(rooms[room], to))
                say(FNR, "src/" room " may not include " name)
            else if (room == "model" && to == "model" && has(never[module(file)], module(name)))
                say(FNR, "model/" module(file) " may not include " name)
        }

        function end_file()
        {
            if (file ~ /^src\// && lines > 450)
                say(lines, "a file of " lines " lines: 450 at most")
        }

        BEGIN {
            rooms["base"] = "base"
            rooms["math"] = "base math"
            rooms["text"] = "base text"
            rooms["view"] = "base view"
            rooms["model"] = "base math text model"
            rooms["cli"] = "base math text model view cli"
            never["config"] = "layer model checkpoint store search trainer"
            never["layer"] = "model checkpoint store search trainer"
            never["model"] = "checkpoint store search trainer"
            never["checkpoint"] = "layer model store search trainer"
            never["store"] = "search trainer"
            never["search"] = "store trainer"
            never["trainer"] = "store"
        }

        FNR == 1 {
            end_file()
            file = FILENAME
            comment = start = 0
            room = file
            if (!sub(/^src\//, "", room))
                room = "tests"
            else if (!sub(/\/.*/, "", room))
                room = "program"
        }
        { lines = FNR }
        !comment && /^[ ]*#[ ]*include/ {
            name = $0
            sub(/^[ ]*#[ ]*include[ ]*["<]/, "", name)
            sub(/[">].*/, "", name)
            check_include(name)
        }
        {
            text = " " code($0)
            if (match(text, /[^A-Za-z0-9_](strcpy|strcat|v?sprintf|ato[fil]|strtok|gets|s?rand)[ ]*\(/)) {
                name = substr(text, RSTART + 1, RLENGTH - 1)
                sub(/[ ]*\(/, "", name)
                say(FNR, name " is not to be called")
            }
        }
        /^[{]/ { start = FNR }
        /^[}]/ {
            if (start && FNR - start + 1 > 70)
                say(start, "a function of " FNR - start + 1 " lines: 70 at most")
            start = 0
        }
        END {
            end_file()
            exit bad
        }'
}

# Every file that people write. The patterns are spelled so that this file does not match itself.
lint_text() {
    {
        find src tests .ci -type f \( -name '*.[ch]' -o -name '*.sh' -o -name '*.md' -o -name '*.py' -o -path '.ci/*' \)
        find README.md Makefile models vocab -type f \( -name '*.md' -o -name Makefile \) 2>/dev/null || :
    } | sort | xargs awk '
        function say(message)
        {
            printf "%s:%d: %s\n", FILENAME, FNR, message
            bad = 1
        }
        /\t/ && FILENAME != "Makefile" { say("a tab") }
        /[ \t\r]$/ { say("space at the end of the line") }
        /(^|[^A-Za-z0-9_])(TO[D]O|FIX[M]E|XX[X])([^A-Za-z0-9_]|$)/ { say("left open: finish it or open an issue") }
        /([.][.]|\/work)\/share[d]/ { say("names a place outside the project") }
        FILENAME !~ /\.md$/ {
            line = $0
            gsub(/[\200-\277]/, "", line) # count characters, not bytes
            if (length(line) > 120)
                say("a line of " length(line) " characters: 120 at most")
        }
        END { exit bad }'
}

status=0
lint_c || status=1
lint_text || status=1
exit $status
