#!/bin/sh
# Hunts over the log of a real API server: 29 quiet minutes, then 11 minutes with attacks.
set -eu
cd "$(dirname "$0")"
rm -rf store report.html
ATTACK="--since 2026-11-23T21:00:00Z --baseline 30m"

echo "== 1. Ship a real audit log into an embedded store"
k8sidx ship audit.ndjson.zst --store store --cluster demo

echo
echo "== 2. Urgent findings of the last eleven minutes, compared with the half hour before"
# shellcheck disable=SC2086 - two options each
k8sidx hunt --all --level high --group actor --store store $ATTACK -o table

echo
echo "== 3. The article's tables"
k8sidx hunt topn_user_agent topn_source_ip topn_user_by_agent topn_user_by_ip \
    topn_status_code topn_forbidden_user topn_forbidden_list_resource --store store -o table

echo
echo "== 4. A report of the whole library"
# shellcheck disable=SC2086
k8sidx report --store store $ATTACK -o report.html
echo "Open demo/report.html in a browser, or continue with:  k8sidx hunt pod_exec --store demo/store"
