import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { runProgram } from '../../processes/run-program.ts';
import type { SshHosts } from './ssh-hosts.ts';
import type { Way } from './way.ts';

/** Ansible's own modules, with pipelining, and with all hosts at once. */
export async function ansibleWay(ssh: SshHosts, dir: string, signal: AbortSignal): Promise<Way> {
  const baseOf = (host: string) => join(dir, host);
  const path = (name: string) => join(dir, name);
  await mkdir(dir);
  await writeFile(path('ansible.cfg'), configuration(ssh, dir));
  await writeFile(path('playbook.yml'), stringify(PLAYBOOK));
  // All that it keeps goes below its own directory.
  const environment = [`ANSIBLE_CONFIG=${path('ansible.cfg')}`, `HOME=${dir}`];
  return {
    baseOf,
    isTidiedByUs: true,
    async ship({ hosts, url, name }) {
      const inventory = { all: { hosts: Object.fromEntries(hosts.map((host) => [host, { base: baseOf(host) }])) } };
      await writeFile(path('inventory.yml'), stringify(inventory));
      const args = ['-i', path('inventory.yml'), '-f', `${hosts.length}`, '-e', `url=${url}`, '-e', `release=${name}`];
      // It tells on stdout what went wrong.
      const loud = ['sh', '-c', 'exec "$@" >&2', 'sh'];
      await runProgram([...loud, 'env', ...environment, 'ansible-playbook', ...args, path('playbook.yml')], signal);
    },
  };
}

function configuration({ config, sockets, port, user, key }: SshHosts, dir: string): string {
  return `[defaults]
interpreter_python = /usr/bin/python3
remote_tmp = ${dir}/remote
local_tmp = ${dir}/local
remote_port = ${port}
remote_user = ${user}
private_key_file = ${key}
gathering = explicit
nocows = True

[ssh_connection]
pipelining = True
ssh_args = -F ${config} -o ControlMaster=auto -o ControlPersist=60s
control_path_dir = ${sockets}
control_path = %(directory)s/a-%%h
`;
}

const PLAYBOOK = [
  {
    hosts: 'all',
    gather_facts: false,
    tasks: [
      { name: 'a place', 'ansible.builtin.file': { path: '{{ base }}/.deploy', state: 'directory' } },
      {
        name: 'the archive',
        'ansible.builtin.get_url': { url: '{{ url }}', dest: '{{ base }}/.deploy/{{ release }}.tar.gz' },
      },
      {
        name: 'the release',
        'ansible.builtin.unarchive': {
          src: '{{ base }}/.deploy/{{ release }}.tar.gz',
          dest: '{{ base }}/.deploy',
          remote_src: true,
        },
      },
      {
        name: 'the link',
        'ansible.builtin.file': { src: '.deploy/{{ release }}', dest: '{{ base }}/bench', state: 'link', force: true },
      },
    ],
  },
];
