# What only the agent needs.
prepare_own() { :; }
own_config() { :; }
purge_own() { :; }

# Without an identity nobody may reach it: it joins first, and whoever joins it starts it.
not_yet() {
  identity=$(sed -n 's/^identity_dir: *\([^ #]*\).*/\1/p' "$config")
  [ -n "$identity" ] && [ "$identity" != null ] && [ ! -e "$identity/agent.pem" ] &&
    echo "this host has no identity yet; sampan-agent --config $config join --controller URL --token TOKEN, then systemctl start $program"
}
