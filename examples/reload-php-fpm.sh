#!/bin/sh
# Reloads php-fpm and returns only when the processes that still have the old code are gone.
# A plain `systemctl reload` returns before: for some milliseconds requests would still get the old release.
# agent.yaml:  languages: { php: { reload: [/usr/local/sbin/reload-php-fpm.sh, /run/php/php8.2-fpm.pid] } }
# php-fpm.conf needs `process_control_timeout = 10s`, or a reload kills the requests that run.
set -eu
master=$(cat "$1")
before=$(cat "/proc/$master/task/$master/children")
kill -USR2 "$master"
for worker in $before; do
  while [ -d "/proc/$worker" ]; do sleep 0.02; done
done
