#!/bin/sh
# Sets InfluxDB up before anything is sent to it: organisation, buckets `metrics` and `logs`, and one token each for who
# writes (the Collector: write both buckets, nothing else) and who reads (Grafana: read both, nothing else). Run again,
# it makes only what is missing. The Collector's exporter drops what a missing bucket or token refuses, so it starts
# after this has ended well.
#
# INFLUX_HOST                      address of the server
# INFLUXDB_ORG, INFLUXDB_RETENTION libraries-io-mcp, 30d
# INFLUXDB_ADMIN_PASSWORD_FILE, INFLUXDB_ADMIN_TOKEN_FILE          read
# INFLUXDB_COLLECTOR_TOKEN_FILE, INFLUXDB_GRAFANA_TOKEN_FILE       written
set -eu
org=${INFLUXDB_ORG:-libraries-io-mcp}
retention=${INFLUXDB_RETENTION:-30d}
INFLUX_CONFIGS_PATH=$(mktemp)
trap 'rm -f "$INFLUX_CONFIGS_PATH"' EXIT
INFLUX_TOKEN=$(cat "$INFLUXDB_ADMIN_TOKEN_FILE")
export INFLUX_HOST INFLUX_TOKEN INFLUX_CONFIGS_PATH

until influx ping >/dev/null 2>&1; do sleep 1; done

if ! influx org list --name "$org" >/dev/null 2>&1; then
  rm -f "$INFLUX_CONFIGS_PATH" # set-up insists on making it
  influx setup --force --username admin --password "$(cat "$INFLUXDB_ADMIN_PASSWORD_FILE")" --token "$INFLUX_TOKEN" \
    --org "$org" --bucket metrics --retention "$retention" >/dev/null
fi

bucket_id() { influx bucket list --org "$org" --hide-headers | awk -v name="$1" '$2 == name { print $1 }'; }

for name in metrics logs; do
  [ -n "$(bucket_id "$name")" ] || influx bucket create --org "$org" --name "$name" --retention "$retention" >/dev/null
done
metrics=$(bucket_id metrics)
logs=$(bucket_id logs)

token() { # FILE DESCRIPTION PERMISSIONS...: a new token into the file, unless it holds one
  file=$1 description=$2
  shift 2
  [ ! -s "$file" ] || return 0
  influx auth create --org "$org" --description "$description" "$@" --hide-headers | cut -f3 | tr -d '\n' >"$file.new"
  [ -s "$file.new" ]
  chmod 444 "$file.new" # only its reader mounts the folder
  mv "$file.new" "$file"
}

token "$INFLUXDB_COLLECTOR_TOKEN_FILE" "Collector: writes" --write-bucket "$metrics" --write-bucket "$logs"
token "$INFLUXDB_GRAFANA_TOKEN_FILE" "Grafana: reads" --read-bucket "$metrics" --read-bucket "$logs"
echo "InfluxDB is set up: organisation $org, buckets metrics and logs, kept for $retention"
