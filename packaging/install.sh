#!/bin/sh
# Installs @PROGRAM@ on this host, or another version over it; safe to run again.
#
#   install.sh                       installs or upgrades; a configuration that is there stays as it is
#   install.sh --uninstall           removes the program; keeps configuration, identity and data
#   install.sh --uninstall --purge   removes those too
#
# /opt/@PROGRAM@/<version>         the program, with its own Node
# /opt/@PROGRAM@/current           a link, replaced by rename
# /etc/systemd/system/@PROGRAM@.service
set -eu

program=@PROGRAM@
home=/opt/$program
config=/etc/sampan/${program#sampan-}.yaml
unit=/etc/systemd/system/$program.service
package=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)

say() { printf '%s: %s\n' "$program" "$*"; }
fail() {
  printf '%s: %s\n' "$program" "$*" >&2
  exit 1
}

main() {
  [ "$(id -u)" = 0 ] || fail 'this takes root'
  case "$*" in
    '') install_program ;;
    --uninstall) uninstall ;;
    '--uninstall --purge' | '--purge --uninstall') uninstall && purge ;;
    *) fail "unknown arguments: $*; expected none, --uninstall, or --uninstall --purge" ;;
  esac
}

install_program() {
  previous=$(readlink "$home/current" || true)
  check_host
  prepare_own
  place_release
  write_config
  write_unit
  flip
  ln -sfn "$home/current/bin/$program" "/usr/local/bin/$program"
  start
}

# Fails before anything is touched.
check_host() {
  [ "$(uname -s) $(uname -m)" = 'Linux x86_64' ] || fail "this package is for Linux on x86_64, not $(uname -s) on $(uname -m)"
  [ -d /run/systemd/system ] || fail 'this host does not run systemd'
  (cd "$package" && sha256sum --quiet -c SHA256SUMS) || fail 'this package is damaged'
  "$package/bin/node" --version >/dev/null 2>&1 ||
    fail "its Node does not start here: $("$package/bin/node" --version 2>&1 | head -n 1). It needs glibc 2.28 and libstdc++ (EL 8, Debian 10, Ubuntu 20.04)"
}

# A directory that runs is never written to: other content of the same version gets a name of its own.
place_release() {
  version=$(cat "$package/VERSION")
  release=$version
  copy=2
  while [ -e "$home/$release" ] && ! cmp -s "$package/SHA256SUMS" "$home/$release/SHA256SUMS"; do
    release=$version~$copy
    copy=$((copy + 1))
  done
  mkdir -p "$home"
  rm -rf "$home"/.incoming.*
  if [ ! -e "$home/$release" ]; then
    incoming=$home/.incoming.$$
    cp -R "$package" "$incoming"
    chown -R 0:0 "$incoming"
    chmod -R u=rwX,go=rX "$incoming"
    sync -f "$incoming"
    mv -T "$incoming" "$home/$release"
  fi
}

# What somebody has written is never overwritten. The installed release holds the example of its own version.
write_config() {
  mkdir -p /etc/sampan
  if [ -e "$config" ]; then
    say "$config stays as it is"
  else
    replace "$config" "$package/${config##*/}" 0640
  fi
  own_config
}

write_unit() {
  replace "$unit" "$package/$program.service" 0644
  mkdir -p "$unit.d"
  paths=$(mktemp)
  "$home/$release/bin/node" "$home/$release/lib/unit-paths.mjs" "$config" >"$paths" || {
    rm -f "$paths"
    fail "$config cannot be used by version $version; nothing was changed that runs"
  }
  replace "$unit.d/10-paths.conf" "$paths" 0644
  rm -f "$paths"
}

# replace TARGET SOURCE MODE: whole or not at all, and only what is different.
replace() {
  cmp -s "$2" "$1" && return
  cp "$2" "$1.new"
  chmod "$3" "$1.new"
  mv -f "$1.new" "$1"
}

flip() {
  ln -sfn "$release" "$home/.current.$$"
  mv -T "$home/.current.$$" "$home/current"
  say "version $release is installed"
  keep_some
}

# The release before stays, to go back to; those before it go, unless something still runs from them.
keep_some() {
  for old in $(ls -1t "$home" | tail -n +4); do
    [ "$old" = current ] || [ "$old" = "$release" ] || in_use "$home/$old" || rm -rf "${home:?}/$old"
  done
}

in_use() {
  for exe in /proc/[0-9]*/exe; do
    case "$(readlink "$exe" 2>/dev/null)" in "$1"/*) return 0 ;; esac
  done
  return 1
}

# An agent that runs what is installed is left alone.
start() {
  changed=$(systemctl show -p NeedDaemonReload "$program" | sed 's/.*=//')
  systemctl daemon-reload
  systemctl enable --quiet "$program"
  if why=$(not_yet); then
    say "not started: $why"
  elif [ "$changed" = no ] && systemctl is-active --quiet "$program" && runs_from "$home/$release"; then
    say 'runs already'
  elif comes_up; then
    say active
  else
    go_back
  fi
}

# Ready, and still the same process a moment later: one that dies of its first work has not come up.
comes_up() {
  systemctl restart "$program" || return 1
  [ -n "$previous" ] && [ "$previous" != "$release" ] || return 0
  pid=$(main_pid)
  sleep 3
  [ "$(main_pid)" = "$pid" ] && systemctl is-active --quiet "$program"
}

main_pid() { systemctl show -p MainPID "$program" | sed 's/.*=//'; }

# What ran before runs again, with the unit that it came with.
go_back() {
  failed=$version
  [ -n "$previous" ] && [ "$previous" != "$release" ] && [ -e "$home/$previous" ] ||
    fail "version $failed does not start; journalctl -u $program tells why"
  say "version $failed does not start: $(journalctl --no-pager -o cat -n 3 -u "$program" 2>/dev/null | tail -n 3 | tr '\n' ' ')"
  release=$previous
  package=$home/$previous
  version=$(cat "$package/VERSION")
  write_unit
  flip
  systemctl daemon-reload
  systemctl restart "$program" || fail "neither version $failed nor $version starts; journalctl -u $program tells why"
  fail "version $failed does not start; $version runs again"
}

runs_from() {
  case "$(readlink "/proc/$(main_pid)/exe")" in "$1"/*) return 0 ;; esac
  return 1
}

uninstall() {
  systemctl disable --quiet --now "$program" 2>/dev/null || true
  rm -rf "$unit" "$unit.d" "/usr/local/bin/$program" "${home:?}"
  systemctl daemon-reload
  say "removed; $config and what is below /var/lib/$program stay"
}

purge() {
  rm -rf "$config" "/var/lib/$program"
  rmdir /etc/sampan 2>/dev/null || true
  purge_own
  say 'its configuration and data are removed too; releases that it deployed stay'
}

@OWN@

main "$@"
