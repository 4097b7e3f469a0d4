# What only the controller needs: it does not run as root.
prepare_own() {
  getent passwd "$program" >/dev/null ||
    useradd --system --user-group --home-dir "/var/lib/$program" --no-create-home --shell "$(command -v nologin || echo /bin/false)" "$program"
}

# It may read its configuration, and nobody else.
own_config() { chgrp "$program" "$config"; }

purge_own() { userdel "$program" 2>/dev/null || true; }

not_yet() { return 1; }
