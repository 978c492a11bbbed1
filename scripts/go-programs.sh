# Sourced by guests.sh and speakers.sh, in the repository's directory, with $set (a folder of .lab) and fail: builds programs
# of Go modules into .lab/$set. The Go toolchain fetches the modules. The second run is instant: stamps hold versions and
# tags. Prints one line per step.
# shellcheck shell=sh disable=SC2154

say() { echo "$set: $*"; }
fail() {
	echo "$set: failed: $*" >&2
	exit 1
}
go=$(command -v go || echo /usr/local/go/bin/go)
[ -x "$go" ] || fail "the Go toolchain (1.26 or newer) is missing"

mkdir -p ".lab/$set"
directory=$PWD/.lab/$set
log=$PWD/.lab/$set-build.log
exec 9>".lab/$set.lock"
flock 9
: >"$log"

# build NAME PROGRAM MODULE VERSION TAGS: a program of a module as .lab/$set/NAME; a program that ends in .go is the
# lab's own and uses the module.
build() {
	stamp="$2@$4 $5 $("$go" env GOVERSION)"
	own=
	case $2 in *.go)
		own=$(cat "$2")
		stamp="$stamp $(sha256sum "$2" | cut -d ' ' -f 1)"
		;;
	esac
	if [ -x "$directory/$1" ] && [ "$(cat "$directory/$1.stamp" 2>/dev/null || true)" = "$stamp" ]; then
		say "$1 ($3 $4) is up to date"
		return
	fi
	say "building $1 ($3 $4); this takes minutes when Go's cache is cold"
	began=$(date +%s)
	# A module of its own for each, so that it gets the versions it was released with. `go install` would do, but it asks
	# for the list of all versions, which a proxy need not have. What comes is checked against Go's checksum database.
	rm -rf "$directory/$1.module"
	mkdir -p "$directory/$1.module"
	printf 'module lab\n\ngo 1.26\n\nrequire %s %s\n' "$3" "$4" >"$directory/$1.module/go.mod"
	program=$2
	if [ -n "$own" ]; then
		cp "$2" "$directory/$1.module/main.go"
		program=.
	fi
	# Static, as the packages' are: the lab's root filesystem is another distribution than this machine's, perhaps.
	(
		cd "$directory/$1.module"
		CGO_ENABLED=0 GOFLAGS=-mod=mod "$go" build -trimpath -ldflags '-s -w' -tags "$5" -o "../$1.new" "$program"
	) >>"$log" 2>&1 || fail "$1 $4: $(tail -n 1 "$log") (all of it: $log)"
	mv "$directory/$1.new" "$directory/$1"
	echo "$stamp" >"$directory/$1.stamp"
	say "$1 ($3 $4) is built ($(($(date +%s) - began)) s, $(du -m "$directory/$1" | cut -f 1) MB)"
}
