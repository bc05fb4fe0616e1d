# Words that test scripts are written with. Sourced.

fail() { echo "failed: $*"; exit 1; }
skip() { echo "SKIP $*"; exit 77; }
is() { [ "$1" = "$2" ] || fail "$3: is '$1', want '$2'"; }
until_true() { local n=0; until "$@"; do n=$((n + 1)); [ $n -lt 200 ] || fail "never: $*"; sleep 0.1; done; }
