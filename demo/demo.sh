#!/bin/sh
# The article's hunts over a real API server's log: 29 quiet minutes, then 11 with attacks.
set -eu
cd "$(dirname "$0")"
rm -rf store report.html
ATTACK="--since 2026-11-23T21:00:00Z --baseline 30m"

echo "== 1. Ship a real audit log into an embedded store"
k8sidx ship audit.ndjson.zst --store store --cluster demo

echo
echo "== 2. Who did what in the last eleven minutes, against the half hour before: the urgent part"
# shellcheck disable=SC2086 - two options each
k8sidx hunt --all --level high --group actor --store store $ATTACK -o table

echo
echo "== 3. The article's tables"
k8sidx hunt topn_user_agent topn_source_ip topn_user_by_agent topn_user_by_ip \
    topn_status_code topn_forbidden_user topn_forbidden_list_resource --store store -o table

echo
echo "== 4. The whole library as one page"
# shellcheck disable=SC2086
k8sidx report --store store $ATTACK -o report.html
echo "Open demo/report.html in a browser, or ask on:  k8sidx hunt pod_exec --store demo/store"
