"""A release on many hosts as services did it before: a login on each, then wget, tar and ln, one after the other.

Reads one JSON object a line: the hosts with the directory of each, the URL and the release's name; writes a line when all have it.
Arguments: port, user, key, known hosts.
"""
import json
import sys
from concurrent.futures import ThreadPoolExecutor

import paramiko

port, user, key, known_hosts = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]


def run(client, command):
    _, stdout, stderr = client.exec_command(command)
    if stdout.channel.recv_exit_status() != 0:
        raise RuntimeError(command + ": " + stderr.read().decode())


def deploy(host, directory, url, name):
    client = paramiko.SSHClient()
    client.load_host_keys(known_hosts)
    client.connect(host, port=port, username=user, key_filename=key, allow_agent=False, look_for_keys=False)
    try:
        run(client, f"mkdir -p {directory}/.deploy && wget -q -O {directory}/.deploy/{name}.tar.gz {url}")
        run(client, f"tar -xzf {directory}/.deploy/{name}.tar.gz -C {directory}/.deploy")
        run(client, f"ln -sfn .deploy/{name} {directory}/bench")
    finally:
        client.close()


print(json.dumps({"ready": True}), flush=True)
for line in sys.stdin:
    order = json.loads(line)
    with ThreadPoolExecutor(max_workers=len(order["hosts"])) as pool:
        for done in [pool.submit(deploy, h, d, order["url"], order["name"]) for h, d in order["hosts"].items()]:
            done.result()
    print(json.dumps({"done": True}), flush=True)
