#!/usr/bin/env bash
# Starts the built server on a free port with a data directory of its own, runs the console's
# end-to-end tests against it, and stops it. The tests get FREEHOLD_URL, FREEHOLD_SETUP_URL (the
# link that makes the first platform admin), FREEHOLD_MAIL_DIR, the embedded database's
# FREEHOLD_DATABASE_DIR, and for its commands FREEHOLD_BINARY.
#   tests/e2e.sh <server binary> [arguments for Playwright]
set -euo pipefail
cd "$(dirname "$0")/.."
server="$1"
shift

# Nothing of the caller's settings reaches the server under test.
for name in $(compgen -e | grep -E '^(FREEHOLD|DATABASE)_' || true); do unset "$name"; done

work="$(mktemp -d "${TMPDIR:-/tmp}/freehold-e2e.XXXXXX")"
# PostgreSQL's unprivileged user passes through when we are root.
chmod 711 "$work"
pid=
tests=

finish() {
    local status=$?
    trap - EXIT INT TERM
    [ -z "$tests" ] || kill -TERM "$tests" 2>/dev/null || true
    if [ -n "$pid" ]; then
        kill -TERM "$pid" 2>/dev/null || true
        wait "$pid" || { echo "e2e: the server ended with status $?" >&2; [ "$status" != 0 ] || status=1; }
    fi
    if [ "$status" != 0 ]; then
        echo "e2e: the end of the server's log:" >&2
        tail -n 60 "$work/server.log" >&2 || true
    fi
    rm -rf "$work"
    exit "$status"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

port="$(node -e 'const s = require("net").createServer(); s.listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })')"
# At a name, because browsers have no passkeys at an address.
# A short window, so that the tests needn't wait long until the password is asked for again. The tests
# click faster than people, all from one address: what anybody may call in a minute is not for them.
FREEHOLD_PROFILE=development FREEHOLD_DATA_DIR="$work/data" FREEHOLD_HTTP_LISTEN="127.0.0.1:$port" \
    FREEHOLD_HTTP_PUBLIC_URL="http://localhost:$port" \
    FREEHOLD_TOKENS_REAUTHENTICATION_WINDOW=20s FREEHOLD_LIMITS_ACCOUNT_QUOTA=10000 \
    FREEHOLD_LIMITS_ANONYMOUS_READ_QUOTA=10000 FREEHOLD_LIMITS_ANONYMOUS_WRITE_QUOTA=10000 \
    "$server" serve >"$work/server.log" 2>&1 </dev/null &
pid=$!

setup=
for _ in $(seq 600); do
    setup="$(grep -Eo 'https?://[^[:space:]"]+/setup#token=[^[:space:]"]+' "$work/server.log" | head -n 1 || true)"
    [ -z "$setup" ] || break
    kill -0 "$pid" 2>/dev/null || { echo "e2e: the server ended before it was ready" >&2; exit 1; }
    sleep 0.2
done
[ -n "$setup" ] || { echo "e2e: no setup link after two minutes" >&2; exit 1; }

export FREEHOLD_URL="${setup%%/setup#*}" FREEHOLD_SETUP_URL="$setup" FREEHOLD_MAIL_DIR="$work/data/mail"
export FREEHOLD_DATABASE_DIR="$work/data/postgres" FREEHOLD_BINARY
FREEHOLD_BINARY="$(realpath "$server")"
echo "e2e: the server listens at $FREEHOLD_URL"
npm --prefix console run test:e2e -- "$@" </dev/null &
tests=$!
status=0
wait "$tests" || status=$?
tests=
exit "$status"
