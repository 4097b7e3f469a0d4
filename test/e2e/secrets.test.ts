import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { tarball } from '../helpers/archives.ts';
import { startOrigin } from '../helpers/origin.ts';
import { hostToJoin, startJoined, startSite } from '../helpers/start-site.ts';

const SIGNATURE = 'X-Amz-Signature=5eba11c0ffee5eba11c0ffee';
const PASSWORD = 'hunter2hunter2';

it('no token, key or signed query of a whole run stands anywhere but where it belongs', async () => {
  const site = await startSite({ log_level: 'trace' });
  const host = hostToJoin();
  const joinToken = await site.joinToken('--host', '127.0.0.1');
  expect((await host.join(site.controller.url, joinToken)).code).toBe(0);
  const agent = await startJoined(host, 0, { log_level: 'trace' });
  const ci = (await site.command('token', 'create', '--name', 'ci', '--scope', 'deploy,read')).stdout;
  const answers: string[] = [];
  const call: typeof site.call = async (path, request) => {
    const answer = await site.call(path, request);
    answers.push(JSON.stringify(answer));
    return answer;
  };

  const origin = await startOrigin();
  onTestFinished(() => origin.close());
  origin.serve('/shop-1.tar.gz', { body: tarball({ 'index.php': '1' }) });
  origin.serve('/shop-2.tar.gz', { status: 403 });
  origin.serve('/shop-3.tar.gz', { body: 'no archive' });
  const order = (version: number, url = origin.url) => ({
    project_name: 'shop',
    link_name: 'shop',
    language: 'php',
    server_list: [agent.host],
    filename: `shop-${version}.tar.gz`,
    file_url: `${url}/shop-${version}.tar.gz?${SIGNATURE}`,
  });
  expect((await call('/deploy', { body: order(1), token: ci })).body).toMatchObject({ status_code: 200 });
  for (const version of [2, 3]) {
    expect((await call('/deploy', { body: order(version), token: ci })).body).toMatchObject({ status_code: 501 });
  }
  const withPassword = origin.url.replace('//', `//deployer:${PASSWORD}@`);
  await call('/deploy', { body: order(1, withPassword), token: ci });
  await call('/deploy', { body: { ...order(1), filename: '..' }, token: ci });
  const wrong = `${ci.slice(0, -4)}aaaa`;
  expect((await call('/deploy', { body: order(1), token: wrong })).status).toBe(401);
  await call(`/get_current_version?token=${ci}&server_list=${agent.host}`, { token: '' });
  expect((await hostToJoin().join(site.controller.url, joinToken)).stderr).toContain('the token has been used');
  await site.command('token', 'revoke', 'ci');
  const audit = (await site.command('audit', '--json')).stdout;
  expect(audit).toContain('"ci"');

  const keys = [
    readFileSync(join(site.dir, 'identity', 'authority.pem'), 'utf8'),
    readFileSync(join(site.dir, 'identity', 'controller.pem'), 'utf8'),
    readFileSync(join(host.identityDir, 'agent.key'), 'utf8'),
  ].map((pem) => pem.split('\n')[1] ?? '');
  const secretOfJoin = joinToken.split('_')[2] ?? '';
  const secrets = [site.admin, ci, wrong, secretOfJoin, SIGNATURE, '5eba11c0ffee', PASSWORD, ...keys];
  for (const secret of secrets) expect(secret.length).toBeGreaterThan(10);

  const places = () => ({
    'the log of the controller': textOf(site.controller),
    'the log of the agent': textOf(agent),
    answers: answers.join('\n'),
    audit,
    ...filesBelow(site.dir, 'identity'),
    ...filesBelow(host.root, 'identity'),
  });
  const found = () =>
    Object.entries(places()).flatMap(([place, text]) =>
      secrets.filter((secret) => text.includes(secret)).map((secret) => `${secret} in ${place}`),
    );
  expect(Object.keys(places()).filter((place) => /sampan\.db$|journal/.test(place))).not.toEqual([]);
  // The URL of a deploy stands in the database until it has ended, and is forgotten just after.
  await expect.poll(found).toEqual([]);
  await site.controller.stop();
  await agent.stop();
  expect(found()).toEqual([]);
});

function textOf({ log, text }: { log: unknown[]; text: string[] }): string {
  return [...log.map((line) => JSON.stringify(line)), ...text].join('\n');
}

/** Every file below a directory as text, but for one folder. */
function filesBelow(dir: string, except: string): Record<string, string> {
  const files = readdirSync(dir, { recursive: true, withFileTypes: true });
  const paths = files.filter((file) => file.isFile()).map((file) => join(file.parentPath, file.name));
  const kept = paths.filter((path) => !path.startsWith(`${join(dir, except)}/`));
  return Object.fromEntries(kept.map((path) => [path, readFileSync(path, 'latin1')]));
}
