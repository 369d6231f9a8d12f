#!/bin/sh
# run.sh - opens the page of heatmap.h in a real browser, from disk and with the network off, and uses it: a pointer
# over words, keys, words and pieces, saving. Speaks WebDriver (W3C) to chromedriver with curl.
#
#     run.sh DRAW                  DRAW FILE.html writes the page
#     KEEP=DIRECTORY run.sh DRAW   keeps pictures of what was seen
set -eu

draw=$1
work=$(mktemp -d)
driver=
session=

finish() {
    [ -z "$session" ] || curl -s --max-time 20 -X DELETE "$session" >"$work/deleted" || :
    [ -z "$driver" ] || kill -9 "$driver" 2>/dev/null || :
    rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

fail() {
    echo "browser: $*" >&2
    exit 1
}

# Sends BODY to PATH of the session and prints the answer, on one line.
post() { # path body
    printf '%s' "$2" >"$work/body"
    curl -s --max-time 60 -H 'Content-Type: application/json' --data-binary "@$work/body" "$session/$1" | tr -d '\n'
}

# The value of an expression in the page. It holds no " and no \.
value() { # expression
    post execute/sync "{\"script\":\"return ($1)\",\"args\":[]}" | sed 's/^{"value":\(.*\)}$/\1/'
}

checks=0
expect() { # what expression value
    checks=$((checks + 1))
    found=$(value "$2")
    [ "$found" = "$3" ] || fail "$1: expected $3, found $found"
}

# The same, waiting up to ten seconds for it.
await() { # what expression value
    tries=0
    while [ "$(value "$2")" != "$3" ] && [ $tries -lt 50 ]; do
        tries=$((tries + 1))
        sleep 0.2
    done
    expect "$@"
}

element() { # selector
    post element "{\"using\":\"css selector\",\"value\":\"$1\"}" | sed -n 's/.*"element-[^"]*":"\([^"]*\)".*/\1/p'
}

hover() { # selector
    it=$(element "$1")
    [ -n "$it" ] || fail "nothing is $1"
    post actions "{\"actions\":[{\"type\":\"pointer\",\"id\":\"mouse\",\"parameters\":{\"pointerType\":\"mouse\"},
        \"actions\":[{\"type\":\"pointerMove\",\"duration\":0,\"x\":0,\"y\":0,
        \"origin\":{\"element-6066-11e4-a52e-4f735466cecf\":\"$it\"}}]}]}" >"$work/answer"
    if grep -q '"error"' "$work/answer"; then
        fail "cannot point at $1: $(cat "$work/answer")"
    fi
}

click() { # selector
    it=$(element "$1")
    [ -n "$it" ] || fail "nothing is $1"
    post "element/$it/click" '{}' >"$work/answer"
}

# A key to whatever has the focus; keys are named by their code in WebDriver, section 17.4.2.
press() { # code
    post actions "{\"actions\":[{\"type\":\"key\",\"id\":\"keyboard\",\"actions\":[
        {\"type\":\"keyDown\",\"value\":\"\\u$1\"},{\"type\":\"keyUp\",\"value\":\"\\u$1\"}]}]}" >"$work/answer"
}

keep() { # name
    [ -n "${KEEP:-}" ] || return 0
    curl -s "$session/screenshot" | sed 's/.*"value":"\([^"]*\)".*/\1/' | base64 -d >"$KEEP/$1.png"
}

start_driver() {
    : >"$work/driver"
    chromedriver --port=0 >"$work/driver" 2>&1 &
    driver=$!
    for tries in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30; do
        port=$(sed -n 's/.*started successfully on port \([0-9]*\).*/\1/p' "$work/driver")
        [ -z "$port" ] || break
        sleep 0.5
    done
    [ -n "$port" ] || fail "chromedriver does not start: $(cat "$work/driver")"
    session="http://127.0.0.1:$port/session"
}

# The sandbox of the browser needs rights that root and containers lack; the page is ours.
start_browser() {
    curl -s --max-time 120 -H 'Content-Type: application/json' "$session" -o "$work/answer" --data-binary @- <<END
{"capabilities":{"alwaysMatch":{
  "goog:loggingPrefs":{"browser":"ALL"},
  "goog:chromeOptions":{
    "prefs":{"download.default_directory":"$work","download.prompt_for_download":false},
    "args":["--headless=new","--no-sandbox","--disable-gpu","--disable-quic","--disable-dev-shm-usage",
      "--no-first-run","--disable-background-networking","--disable-component-update","--disable-sync",
      "--user-data-dir=$work/profile","--window-size=1250,1000","--host-resolver-rules=MAP * ~NOTFOUND"]}}}}
END
    id=$(tr -d '\n' <"$work/answer" | sed -n 's/.*"sessionId":"\([^"]*\)".*/\1/p')
    [ -n "$id" ] || { session=; fail "no session: $(cat "$work/answer")"; }
    session="$session/$id"
    post chromium/network_conditions '{"network_conditions":
        {"offline":true,"latency":0,"download_throughput":0,"upload_throughput":0}}' >"$work/answer"
}

"$draw" "$work/page.html"
start_driver
start_browser
post url "{\"url\":\"file://$work/page.html\"}" >"$work/answer"

expect 'the title' 'document.title' '"What the translation looked at"'
expect 'sentences' "document.querySelectorAll('.sentence').length" 5
expect 'scripts that run' "document.querySelectorAll('script:not([type])').length" 1
expect 'elements out of words' "document.querySelectorAll('img, b, iframe, object').length" 0
expect 'resources from elsewhere' "performance.getEntriesByType('resource').length" 0

# A pointer over a target word: its sources are shaded, its row is framed, its numbers stand in the panel.
expect 'nothing is lit' "document.querySelectorAll('.chosen, .band').length" 0
hover ".word[data-t='1']"
await 'the word under the pointer' "document.querySelector('.chosen').textContent" '"gato"'
expect 'its strongest source' "document.querySelector('.line .strong').textContent" '"cat"'
expect 'how strong' "document.querySelector('.strong').style.getPropertyValue('--w')" '"0.97"'
expect 'the tooltip' "document.querySelector('.strong').title" '"gato ← cat: 0.97"'
expect 'the frame' "document.querySelectorAll('.band').length" 1
expect 'the panel' "document.querySelector('.details h3').textContent" '"gato"'
expect 'its first row' "document.querySelector('.details tbody tr').innerText.trim().split(/[^a-z0-9.]+/).join(' ')" \
    '"cat 0.97"'
expect 'step by step' "document.querySelector('.steps').hidden" false
expect 'its tables' "document.querySelectorAll('.steps table').length" 2
expect 'its pieces' "document.querySelectorAll('.steps table')[0].tBodies[0].rows.length" 9
keep hover

hover ".word[data-s='6']"
await 'a source word' "document.querySelector('.chosen').textContent" '"."'
expect 'its strongest target' "document.querySelector('.line .strong').textContent" '"."'
expect 'no steps for it' "document.querySelector('.steps').hidden" true
hover 'h1'
await 'let go' "document.querySelectorAll('.chosen, .band').length" 0

# A cell of the matrix.
hover ".matrix rect[data-t='2'][data-s='3']"
await 'the row of a cell' "document.querySelector('.chosen').textContent" '"se"'
expect 'its row and column' "document.querySelectorAll('.band').length" 2

# Keys. Tab reaches the first word; the arrows go along it; down goes to the strongest counterpart.
hover 'h1'
click '#units input'
press E004
await 'tab goes on' "document.activeElement.dataset.save || '-'" '"svg"'
press E004
press E004
await 'tab reaches a word' "document.activeElement.textContent" '"The"'
press E014
await 'right' "document.activeElement.textContent" '"cat"'
expect 'it is lit' "document.querySelector('.chosen').textContent" '"cat"'
press E015
await 'down' "document.activeElement.textContent" '"gato"'
press E010
await 'end' "document.activeElement.textContent" '"(end)"'
press E011
await 'home' "document.activeElement.textContent" '"El"'
press E007
await 'kept' "document.querySelector('.chosen').getAttribute('aria-pressed')" '"true"'
press E00C
await 'escape' "document.querySelectorAll('.chosen').length" 0

# Pieces.
click "input[value='pieces']"
await 'pieces' "document.querySelector('.unit:not([hidden]) .word').textContent" '"^"'
expect 'where there are none, words' "document.querySelectorAll('.words:not([hidden])').length" 3
hover ".pieces .word[data-t='2']"
await 'a piece' "document.querySelector('.chosen').textContent" '"▁gat"'
keep pieces
click "input[value='words']"

# Saving.
click "button[data-save='png']"
await 'the PNG' "(document.querySelector('a.saved').href || '').slice(0, 33)" '"data:image/png;base64,iVBORw0KGgo"'
expect 'its name' "document.querySelector('a.saved').download" '"attention-1.png"'
value "document.querySelector('a.saved').href.split(',')[1]" | tr -d '"' | base64 -d >"$work/picture.png"
signature=$(od -A n -t x1 -N 8 "$work/picture.png" | tr -d ' \n')
[ "$signature" = 89504e470d0a1a0a ] || fail "the PNG begins with $signature"
[ "$(wc -c <"$work/picture.png")" -gt 10000 ] || fail "the PNG has only $(wc -c <"$work/picture.png") bytes"
[ -z "${KEEP:-}" ] || cp "$work/picture.png" "$KEEP/saved.png"
for tries in 1 2 3 4 5 6 7 8 9 10; do
    [ ! -f "$work/attention-1.png" ] || break
    sleep 0.5
done
cmp "$work/picture.png" "$work/attention-1.png" || fail 'the PNG was not saved as it is'
click "button[data-save='svg']"
await 'the SVG' "document.querySelector('a.saved').download" '"attention-1.svg"'
expect 'the SVG is well-formed' "new DOMParser().parseFromString(decodeURIComponent(
    document.querySelector('a.saved').href.split(',').slice(1).join(',')), 'image/svg+xml')
    .documentElement.querySelectorAll('rect[data-t]').length" 72

# Hostile words.
hover "[data-index='1'] .word[data-s='0']"
await 'a tag is a word' "document.querySelector('.chosen').textContent === '<script>alert(1)</script>'" true
expect 'scripts that run' "document.querySelectorAll('script:not([type])').length" 1
expect 'elements out of words' "document.querySelectorAll('img, b, iframe, object').length" 0
curl -s "$session/alert/text" | grep -q 'no such alert' || fail 'a dialog opened'
keep hostile

# Nothing was complained of, nothing was fetched.
expect 'resources from elsewhere' \
    "performance.getEntriesByType('resource').filter(it => !it.name.startsWith('data:')).length" 0
log=$(post se/log '{"type":"browser"}')
[ "$log" = '{"value":[]}' ] || fail "the console says: $log"
echo "browser: $checks checks passed"
