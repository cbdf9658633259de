#!/bin/sh
# Makes Alertmanager's configuration: alertmanager.sh TEMPLATE GIVEN SECRETS OUTPUT
#
# GIVEN is a folder with `settings`, lines NAME=value of the SMTP_* and WEBHOOK_* settings, and perhaps the files
# SMTP_PASSWORD, WEBHOOK_URL and WEBHOOK_TOKEN, which win. Secrets go into the folder SECRETS, never into OUTPUT. What
# is not set leaves a receiver without that way; with nothing set OUTPUT is TEMPLATE. Needs a POSIX shell and sed.
set -eu
template=$1 given=$2 secrets=$3 output=$4

setting() { # NAME [DEFAULT]: as given
  value=$(sed -n "s/^$1=//p" "$given/settings" | tail -n 1)
  printf %s "${value:-${2:-}}"
}
secret() { # NAME FILE: keeps it, and says whether there is one
  value=
  [ ! -s "$given/$1" ] || value=$(cat "$given/$1")
  [ -n "$value" ] || value=$(setting "$1")
  rm -f "$secrets/$2"
  [ -n "$value" ] || return 1
  printf %s "$value" >"$secrets/$2"
  chmod 444 "$secrets/$2" # Alertmanager runs as another user; nobody else mounts the folder
}
quoted() { # TEXT: as a YAML string
  printf "'%s'" "$(printf %s "$1" | sed "s/'/''/g")"
}

mail=$output.mail webhook=$output.webhook
: >"$mail"
: >"$webhook"
server=$(setting SMTP_SERVER)
password=no
secret SMTP_PASSWORD smtp_password && password=yes
if [ -n "$server" ]; then
  to=$(setting SMTP_TO_EMAILS)
  [ -n "$to" ] || {
    echo "alertmanager.sh: SMTP_SERVER is set and SMTP_TO_EMAILS is not: nobody to write to" >&2
    exit 1
  }
  from=$(setting SMTP_FROM_EMAIL "${to%%,*}")
  tls=$(setting SMTP_USE_TLS true)
  case $tls in 1 | [Tt]* | [Yy]* | [Oo][Nn]) tls=true ;; *) tls=false ;; esac
  user=$(setting SMTP_USERNAME)
  {
    echo "    email_configs:"
    echo "      - to: $(quoted "$to")"
    echo "        from: $(quoted "$from")"
    echo "        smarthost: $(quoted "$server:$(setting SMTP_PORT 587)")"
    echo "        require_tls: $tls"
    [ -z "$user" ] || echo "        auth_username: $(quoted "$user")"
    [ "$password" = no ] || echo "        auth_password_file: $(quoted "$secrets/smtp_password")"
    echo "        send_resolved: true"
    echo "        threading: {enabled: true, thread_by_date: none}"
  } >"$mail"
fi
token=no
secret WEBHOOK_TOKEN webhook_token && token=yes
if secret WEBHOOK_URL webhook_url; then
  {
    echo "    webhook_configs:"
    echo "      - url_file: $(quoted "$secrets/webhook_url")"
    echo "        send_resolved: true"
    echo "        timeout: 10s"
    echo "        http_config:"
    echo "          follow_redirects: false"
    [ "$token" = no ] || echo "          authorization: {credentials_file: $(quoted "$secrets/webhook_token")}"
  } >"$webhook"
fi

# Who has no mail gets by webhook what can wait, too.
[ -s "$mail" ] && quiet=$mail || quiet=$webhook
sed -e "/^  - name: mail-and-webhook\$/r $mail" -e "/^  - name: mail-and-webhook\$/r $webhook" \
  -e "/^  - name: mail\$/r $quiet" "$template" >"$output.new"
chmod 444 "$output.new"
mv "$output.new" "$output"
rm -f "$mail" "$webhook"
