#!/bin/sh
# The article's hunts over a real API server's log: 29 quiet minutes, then 11 with attacks.
set -eu
cd "$(dirname "$0")"
rm -rf store report.html

echo "1. Ship a real audit log into an embedded store"
k8sidx ship audit.ndjson.zst --store store --cluster demo

echo
echo "2. Run the whole hunt library over the attack, against the quiet half hour before it"
k8sidx hunt --all --store store --since 2026-11-23T21:00:00Z --baseline 30m -o table

echo
echo "3. The same as one page"
k8sidx report --store store --since 2026-11-23T21:00:00Z --baseline 30m -o report.html
echo "demo/report.html"
