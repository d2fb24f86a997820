#!/bin/sh
# Brings a fresh clone to life with nothing but Node >= 20 and npm: installs once, finds Node 26, runs one chore.
# Usage: sh scripts/bootstrap.sh CHORE [ARGUMENTS]; chores are the TypeScript files beside this one.
set -eu
cd "$(dirname "$0")/.."

stamp=node_modules/.eider-installed
if [ ! -f "$stamp" ] || [ package-lock.json -nt "$stamp" ]; then
  echo "Installing dependencies (once) ..." >&2
  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2
  touch "$stamp"
fi

node=$(sh bin/find-node)
chore=$1
shift
exec "$node" --disable-warning=ExperimentalWarning --conditions=source "scripts/$chore.ts" "$@"
