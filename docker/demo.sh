#!/bin/sh
# What the container runs, in its folder with sql/examples and demo/data:
#
#   docker compose up                           install the engine, load the first drop
#   docker compose run --rm sluice corrections  load the second drop; 24 of its records are broken
#   docker compose run --rm sluice COMMAND...   any command of sluice
#
# All of it may be run again: what is loaded already is not loaded twice.
set -eu

case "${1:-first}" in
  first) ;;
  # -p: the file was not written just now, so there is no need to wait for it to settle
  corrections) cp -p demo/data/corrections/* demo/data/flights/ ;;
  *) exec sluice "$@" ;;
esac

sluice migrate
sluice apply sql/examples
sluice run airlines airports flights
sluice status
if [ "${1:-first}" = corrections ]; then
  sluice quarantine flights --by-error
fi
