#!/bin/sh
# Usage: scripts/vitest.sh PROJECT… [-- FILE…]
# Runs these projects of the tests, or these files of theirs, and closes with one line: `N passed, N failed`.
set -u
cd "$(dirname "$0")/.."

report=$(mktemp)
trap 'rm -f "$report"' EXIT
projects=
while [ $# -gt 0 ]; do
	if [ "$1" = -- ]; then
		shift
		break
	fi
	projects="$projects --project $1"
	shift
done
# shellcheck disable=SC2086 # one option for each project
npx vitest run $projects --reporter=default --reporter=json --outputFile.json="$report" "$@"
status=$?
counts=$(node -e '
	const report = JSON.parse(require("node:fs").readFileSync(process.argv[1], "utf8"));
	const failed = report.numFailedTests + report.testResults.filter((file) => file.status === "failed" && file.assertionResults.length === 0).length;
	const skipped = report.numPendingTests + report.numTodoTests;
	console.log(`${report.numPassedTests} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
' "$report") || {
	echo "test: the test run left no report" >&2
	exit 1
}
echo "$counts"
exit $status
