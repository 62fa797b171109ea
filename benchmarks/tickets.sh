#!/usr/bin/env bash
# The scorecard on somebody else's data: the English rows of tickets_multilang.csv (not part of this project).
# Usage: benchmarks/tickets.sh [FOLDER]    TAILORBIRD_DATA names the folder with the file.
set -euo pipefail
cd "$(dirname "$0")/.."
data=${TAILORBIRD_DATA:-../shared/data}/tickets_multilang.csv
work=${1:-$(mktemp -d)/tickets}
run() { .venv/bin/tailorbird "$@" -w "$work"; }

[ -f "$data" ] || { echo "no $data: set TAILORBIRD_DATA" >&2; exit 1; }
[ -f "$work/tailorbird.yaml" ] || .venv/bin/tailorbird init "$work" --name "Ticket desk"
run import "$data" --map body=question,answer=answer,queue=tag,priority=tag,language=tag --where language=en
for stage in audit plan train evaluate; do run "$stage"; done
