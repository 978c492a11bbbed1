#!/bin/sh
# Runs the tests that this user can run and closes with one line: `N passed, N failed`.
# Without root the lab is skipped, and said to be; with CI=true that is a failure.
set -u
cd "$(dirname "$0")/.."

projects="--project unit"
skipped=
if [ "$(id -u)" = 0 ]; then
	projects="$projects --project lab"
else
	skipped="lab: skipped: it needs root (sudo make test)"
fi
report=$(mktemp)
trap 'rm -f "$report"' EXIT
npx vitest run $projects --reporter=default --reporter=json --outputFile.json="$report"
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
if [ -n "$skipped" ]; then
	echo "$skipped"
	[ "${CI:-}" = true ] && status=1
fi
echo "$counts"
exit $status
