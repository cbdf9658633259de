#!/bin/sh
# First service of the compose stack: makes what the others need before they start, and nothing twice. Random secrets
# go into volumes that only their reader mounts, so none is in the repository, in an environment or in `docker inspect`;
# empty volumes get the owner that their server runs as (a new named volume belongs to root).
set -eu
cd /volumes

secret() { # FILE: 32 random bytes as hex, unless it is there
  [ -s "$1" ] || {
    head -c "${2:-32}" /dev/urandom | od -An -v -tx1 | tr -d ' \n' >"$1.new"
    mv "$1.new" "$1"
  }
  chmod 444 "$1"
}

chown 0:0 influxdb-secrets grafana-secrets server-secrets collector-secrets
secret influxdb-secrets/admin_token
secret influxdb-secrets/admin_password
secret grafana-secrets/admin_password
secret server-secrets/sandbox_key 16

# The key for Libraries.io: from the environment, else from a file, else the server asks the sandbox.
key=$(sed -n 's/^LIBRARIES_IO_API_KEY=//p' /run/given/key)
[ -n "$key" ] || key=$(cat /run/given/key_file)
if [ -n "$key" ]; then
  url=https://libraries.io/api
else
  key=$(cat server-secrets/sandbox_key)
  url=http://sandbox:8081/api
fi
rm -f server-secrets/libraries_io_*
printf %s "$key" >server-secrets/libraries_io_api_key

# What the server reads as its `.env`, and so does `doctor` beside it: where to ask, and which secrets there are.
settings=server-secrets/.env
echo "LIBRARIES_IO_BASE_URL=$url" >$settings.new
setting() { # NAME FILE: the server finds NAME in FILE
  echo "$1_FILE=/run/server-secrets/$2" >>$settings.new
}
setting LIBRARIES_IO_API_KEY libraries_io_api_key

# Who is told of alerts: the same for Alertmanager and for the server, which tells people while Alertmanager is away.
told=/run/alertmanager-secrets
sh /alertmanager.sh /alertmanager.yml /run/given "$told" /volumes/alertmanager-config/alertmanager.yml
for name in SMTP_PASSWORD WEBHOOK_URL WEBHOOK_TOKEN; do
  file=$(echo $name | tr A-Z a-z)
  rm -f server-secrets/$file
  [ ! -s $told/$file ] || {
    cat $told/$file >server-secrets/$file
    setting $name $file
  }
done
chmod 444 server-secrets/* $settings.new
mv $settings.new $settings

cp /bin/busybox tools/busybox.new # for the health checks of images without a shell
chmod 755 tools/busybox.new
mv tools/busybox.new tools/busybox

rm -f prometheus-replicas/*.yml # the profile `replicas` brings it again

chown 1000:1000 collector-secrets grafana-secrets # influxdb-setup adds its tokens
chown 1000:1000 influxdb influxdb-config
chown 10001:10001 collector-queues collector-logs jaeger
chown 65534:65534 prometheus prometheus-replicas alertmanager
chown 999:1000 valkey
chown 472:0 grafana
echo "the server will ask $url"
