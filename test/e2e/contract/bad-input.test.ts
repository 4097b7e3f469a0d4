import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FakeAgent, startFakeAgent } from '../../helpers/fake-agent.ts';
import { sendRequest } from '../../helpers/send-request.ts';
import { type StartedController, startController } from '../../helpers/start-controller.ts';

let controller: StartedController;
beforeAll(async () => {
  controller = await startController();
});
afterAll(async () => {
  await controller.stop();
});

const HOST = '10.0.0.1';
const valid = {
  '/deploy': {
    project_name: 'shop',
    link_name: 'web',
    server_list: [HOST],
    file_url: 'http://origin/web-1.tar.gz',
    filename: 'web-1.tar.gz',
    language: 'java',
  },
  '/rollback': {
    project_name: 'shop',
    link_name: 'web',
    server_list: [HOST],
    filename: 'web-1.tar.gz',
    language: 'java',
  },
  '/init_deploy': { project_name: 'shop', server_list: [HOST], language: 'java', superconf_content: '[program:shop]' },
  '/get_current_version': { project_name: 'shop', link_name: 'web', server_list: [HOST], language: 'java' },
  '/get_latest_log': { project_name: 'shop', server_list: [HOST], logname: 'info.log', language: 'java', line: 12 },
};
type Path = keyof typeof valid;
const paths = Object.keys(valid) as Path[];
const methodOf = (path: Path) => (path.startsWith('/get') ? 'GET' : 'POST');

const NAME = '以字母或数字开头, 只含字母、数字和 . _ -, 不含 "..", 最长 128 个字符';
const ARTIFACT = `以 .tar.gz .tgz .tar .jar .war 结尾的文件名, ${NAME}`;
const LANGUAGES = 'php、java、golang 之一';
const HOSTS = '1 到 10000 台主机的列表';
const ONE_HOST = 'IP、主机名、主机:端口 或 [IPv6]:端口';
const FILE_URL = 'http:// 或 https:// 地址, 最长 8192 个字符';
const SHA256 = '64 个十六进制字符';
const FLAG = 'true 或 false';
const LOG_NAME = 'info.log、warning.log、error.log 之一';
const LINE = '1 到 999 的整数';
const OS = 'centos 或 ubuntu';
const CONFIG = '不为空且不超过 65536 字节的文本';
const OBJECT = 'JSON 对象';

/** What is sent in a field (`undefined`: the field is left out), and what the answer says of it. */
type Row = [sent: unknown, found: string];

const long = 'a'.repeat(129);
const names: Row[] = [
  [undefined, ''],
  [null, 'null'],
  [12, '12'],
  [true, 'true'],
  [['web'], '列表'],
  [{ a: 1 }, '对象'],
  ['', '""'],
  ['.', '"."'],
  ['..', '".."'],
  ['a..b', '"a..b"'],
  ['a/b', '"a/b"'],
  ['a%2fb', '"a%2fb"'],
  ['../x', '"../x"'],
  ['-rf', '"-rf"'],
  ['a b', '"a b"'],
  [' a', '" a"'],
  ['a\nb', '"a\\nb"'],
  ['a\0b', '"a\\u0000b"'],
  ['web\u202egpj', '"web\\u202egpj"'],
  ['项目', '"项目"'],
  [long, `"${'a'.repeat(80)}…"`],
];

/** For each field: the paths that have it, what is expected, and what is sent instead. */
const fields: { field: string; on: Path[]; expected: string; rows: Row[]; with?: object }[] = [
  { field: 'project_name', on: paths, expected: NAME, rows: names },
  { field: 'link_name', on: ['/deploy', '/rollback', '/get_current_version'], expected: NAME, rows: names },
  { field: 'filename', on: ['/rollback'], expected: NAME, rows: names },
  {
    field: 'filename',
    on: ['/deploy'],
    expected: ARTIFACT,
    rows: [
      ...names,
      ['web', '"web"'],
      ['web.zip', '"web.zip"'],
      ['.tar.gz', '".tar.gz"'],
      ['web.tar.gz/', '"web.tar.gz/"'],
      ['../web.tar.gz', '"../web.tar.gz"'],
      ['web.TAR.GZ', '"web.TAR.GZ"'],
    ],
  },
  { field: 'filename_delete', on: ['/deploy'], expected: NAME, rows: names.filter(([sent]) => sent && sent !== '') },
  {
    field: 'language',
    on: ['/deploy', '/rollback', '/get_current_version', '/get_latest_log'],
    expected: LANGUAGES,
    rows: [
      [undefined, ''],
      [null, 'null'],
      ['', '""'],
      ['ruby', '"ruby"'],
      ['php ', '"php "'],
      ['__proto__', '"__proto__"'],
      [['php'], '列表'],
    ],
  },
  {
    field: 'language',
    on: ['/init_deploy'],
    expected: 'java、golang 之一',
    rows: [
      [undefined, ''],
      ['php', '"php"'],
      ['ruby', '"ruby"'],
    ],
  },
  {
    field: 'server_list',
    on: ['/deploy', '/rollback', '/init_deploy'],
    expected: HOSTS,
    rows: [
      [undefined, ''],
      [null, 'null'],
      [HOST, `"${HOST}"`],
      [{ 0: HOST }, '对象'],
      [[], '空列表'],
      [Array.from({ length: 10_001 }, () => HOST), '10001 台主机'],
    ],
  },
  {
    field: 'server_list',
    on: ['/get_current_version', '/get_latest_log'],
    expected: HOSTS,
    rows: [
      [undefined, ''],
      [null, 'null'],
      [12, '12'],
      [{ 0: HOST }, '对象'],
      [[], '空列表'],
      [`${HOST},`.repeat(10_001).slice(0, -1), '10001 台主机'],
    ],
  },
  {
    field: 'file_url',
    on: ['/deploy'],
    expected: FILE_URL,
    rows: [
      [undefined, ''],
      [null, 'null'],
      [12, '12'],
      ['', '无法解析的地址'],
      ['origin/web.tar.gz', '无法解析的地址'],
      ['http://', '无法解析的地址'],
      ['http://user:s3cr3t@[bad/web.tar.gz', '无法解析的地址'],
      ['file:///etc/passwd', 'file:///etc/passwd'],
      ['ftp://user:s3cr3t@origin/web.tar.gz?sign=s3cr3t', 'ftp://origin/web.tar.gz?[redacted]'],
      ['javascript:alert(1)', 'javascript://alert(1)'],
      [`http://origin/${'a'.repeat(8192)}`, `http://origin/${'a'.repeat(186)}`],
    ],
  },
  {
    field: 'sha256',
    on: ['/deploy'],
    expected: SHA256,
    rows: [
      ['', '""'],
      ['abc', '"abc"'],
      ['g'.repeat(64), `"${'g'.repeat(64)}"`],
      ['a'.repeat(65), `"${'a'.repeat(65)}"`],
      [12, '12'],
    ],
  },
  {
    field: 'is_restart',
    on: ['/deploy', '/rollback'],
    expected: FLAG,
    rows: [
      ['yes', '"yes"'],
      ['', '""'],
      [2, '2'],
      [[true], '列表'],
    ],
  },
  { field: 'auto_rollback', on: ['/deploy', '/rollback'], expected: FLAG, rows: [['maybe', '"maybe"']] },
  {
    field: 'deploy_dir',
    on: ['/deploy', '/rollback', '/get_current_version'],
    with: { language: 'golang' },
    expected: NAME,
    rows: names,
  },
  {
    field: 'logname',
    on: ['/get_latest_log'],
    expected: LOG_NAME,
    rows: [
      [undefined, ''],
      [null, 'null'],
      ['debug.log', '"debug.log"'],
      ['INFO.LOG', '"INFO.LOG"'],
      ['../info.log', '"../info.log"'],
      [['info.log'], '列表'],
    ],
  },
  {
    field: 'line',
    on: ['/get_latest_log'],
    expected: LINE,
    rows: [
      [undefined, ''],
      [null, 'null'],
      [0, '0'],
      [1000, '1000'],
      [-1, '-1'],
      [1.5, '1.5'],
      ['', '""'],
      ['all', '"all"'],
      ['1e2', '"1e2"'],
      ['1000', '"1000"'],
      [[12], '列表'],
    ],
  },
  {
    field: 'os_system',
    on: ['/init_deploy'],
    expected: OS,
    rows: [
      ['debian', '"debian"'],
      [7, '7'],
    ],
  },
  {
    field: 'superconf_content',
    on: ['/init_deploy'],
    expected: CONFIG,
    rows: [
      [undefined, ''],
      [null, 'null'],
      [12, '12'],
      ['', '空文本'],
      [' \n\t', '空文本'],
      ['字'.repeat(21_846), '65538 字节'],
    ],
  },
];

const table = fields.flatMap(({ on, rows, ...about }) =>
  on.flatMap((path) => rows.map(([sent, found]) => ({ ...about, path, sent, found }))),
);

describe('bad input', () => {
  it.each(table)('$path: $field = $sent', async ({ path, field, sent, found, expected, with: more }) => {
    const body = { ...valid[path], ...more, [field]: sent };
    const { status, body: answer } = await sendRequest(controller.url + path, { method: methodOf(path), body });
    const data =
      found === '' ? `参数错误: 缺少 ${field}, 应为 ${expected}` : `参数错误: ${field} 收到 ${found}, 应为 ${expected}`;
    expect({ status, answer }).toEqual({ status: 400, answer: { status_code: 400, data } });
  });

  it.each([
    [[HOST, 'a b'], 1, '"a b"'],
    [[HOST, HOST, ''], 2, '""'],
    [['http://10.0.0.1'], 0, '"http://10.0.0.1"'],
    [['10.0.0.1:99999'], 0, '"10.0.0.1:99999"'],
    [['10.0.0.256'], 0, '"10.0.0.256"'],
    [['[::1'], 0, '"[::1"'],
    [[12], 0, '12'],
    [[null], 0, 'null'],
    [[[HOST]], 0, '列表'],
  ])('the host that is none is named by its place: %j', async (server_list, index, found) => {
    for (const path of paths) {
      const body = { ...valid[path], server_list };
      const { status, body: answer } = await sendRequest(controller.url + path, { method: methodOf(path), body });
      const data = `参数错误: server_list[${index}] 收到 ${found}, 应为 ${ONE_HOST}`;
      expect({ path, status, answer }).toEqual({ path, status: 400, answer: { status_code: 400, data } });
    }
  });

  it.each([
    ['no body', '', `参数错误: 缺少 project_name, 应为 ${NAME}`],
    ['an empty object', '{}', `参数错误: 缺少 project_name, 应为 ${NAME}`],
    ['a list', '[1]', `参数错误: 请求体 收到 列表, 应为 ${OBJECT}`],
    ['a text', '"x"', `参数错误: 请求体 收到 "x", 应为 ${OBJECT}`],
    ['null', 'null', `参数错误: 请求体 收到 null, 应为 ${OBJECT}`],
    [
      'what Python prints',
      "{'project_name': 'shop'}",
      `参数错误: 请求体 收到 不是 JSON 的内容 (Expected property name or '}' in JSON at position 1 (line 1 column 2)), 应为 ${OBJECT}`,
    ],
    ['100,000 levels', '['.repeat(100_000), `参数错误: 请求体 收到 超过 64 层的嵌套, 应为 ${OBJECT}`],
    [
      '100,000 levels in a field that nobody knows',
      `{"x":${'{"x":'.repeat(100_000)}1${'}'.repeat(100_000)}}`,
      `参数错误: 请求体 收到 超过 64 层的嵌套, 应为 ${OBJECT}`,
    ],
  ])('%s is refused by every endpoint', async (_what, body, data) => {
    for (const path of paths) {
      const { status, body: answer } = await sendRequest(controller.url + path, { method: methodOf(path), body });
      expect({ path, status, answer }).toEqual({ path, status: 400, answer: { status_code: 400, data } });
    }
  });

  it('in an address is told like that in a body', async () => {
    const { body } = await sendRequest(
      `${controller.url}/get_latest_log?project_name=shop&language=java&server_list=a,,b`,
    );
    expect(body).toEqual({ status_code: 400, data: `参数错误: server_list[1] 收到 "", 应为 ${ONE_HOST}` });
    const twice = await sendRequest(`${controller.url}/get_current_version?project_name=a&project_name=b`);
    expect(twice.body).toEqual({ status_code: 400, data: `参数错误: project_name 收到 列表, 应为 ${NAME}` });
  });

  it('in an address as long as 10,001 hosts make it', async () => {
    const hosts = Array.from({ length: 10_001 }, () => '10.200.100.100:7410').join(',');
    const { status, body } = await sendRequest(
      `${controller.url}/get_current_version?project_name=shop&link_name=web&language=php&server_list=${hosts}`,
    );
    expect({ status, body }).toEqual({
      status: 400,
      body: { status_code: 400, data: `参数错误: server_list 收到 10001 台主机, 应为 ${HOSTS}` },
    });
  });

  it('reaches no agent', async () => {
    const agent = await startFakeAgent();
    for (const path of paths) {
      const body = { ...valid[path], server_list: [agent.host], project_name: '../x' };
      expect((await sendRequest(controller.url + path, { method: methodOf(path), body })).status).toBe(400);
    }
    expect(agent.calls).toEqual([]);
  });
});

describe('input that is as good', () => {
  const { '/deploy': deploy } = valid;

  /** The Stage and Activate requests that an agent gets for a deploy with these fields. */
  async function reached(more: object): Promise<Record<string, unknown>> {
    const agent = await startFakeAgent();
    const body = { ...deploy, server_list: [agent.host], ...more };
    const { text } = await sendRequest(`${controller.url}/deploy`, { method: 'POST', body });
    expect(text).toBe('{"status_code":200,"data":"部署成功!"}');
    return Object.assign({}, ...agent.calls.map(({ request }) => request)) as Record<string, unknown>;
  }

  const target = { projectName: 'shop', linkName: 'web', language: 'java', deployDir: '' };

  it.each([
    ['PHP', 'php'],
    ['Java', 'java'],
    ['GoLang', 'golang'],
    ['go', 'golang'],
    ['GO', 'golang'],
  ])('language %s means %s', async (language, meant) => {
    const deployDir = meant === 'golang' ? 'profile' : '';
    expect((await reached({ language, deploy_dir: 'profile' })).target).toEqual({
      ...target,
      language: meant,
      deployDir,
    });
  });

  it.each([true, 'true', 'True', 'TRUE', 1, '1'])(
    'is_restart %j restarts java and golang, and not php',
    async (is_restart) => {
      expect(await reached({ is_restart })).toMatchObject({ willRestart: true, restart: true });
      const golang = { language: 'golang', deploy_dir: 'profile' };
      expect(await reached({ is_restart, ...golang })).toMatchObject({ willRestart: true, restart: true });
      expect(await reached({ is_restart, language: 'php' })).toMatchObject({ willRestart: false, restart: false });
    },
  );

  it.each([false, 'false', 'False', 0, '0', null, undefined])('is_restart %j does not', async (is_restart) => {
    expect(await reached({ is_restart })).toMatchObject({ willRestart: false, restart: false });
  });

  it.each([
    [undefined, true],
    [null, true],
    ['False', false],
  ])('auto_rollback %j means %j', async (auto_rollback, meant) => {
    expect(await reached({ auto_rollback })).toMatchObject({ autoRollback: meant });
  });

  it('an optional field that is null was not sent', async () => {
    const nothing = { filename_delete: null, is_restart: null, deploy_dir: null, sha256: null, auto_rollback: null };
    expect(await reached(nothing)).toEqual({
      ...(await reached({})),
      operationId: expect.any(String),
      deadlineMs: expect.any(Number),
      fence: expect.any(Object),
    });
  });

  it('deploy_dir is not looked at for php and java', async () => {
    for (const deploy_dir of ['../x', 12, ['x'], '']) {
      expect((await reached({ deploy_dir })).target).toEqual(target);
    }
  });

  it('fields that nobody knows are ignored, whatever they are called', async () => {
    const body = `${JSON.stringify({ ...deploy, server_list: ['127.0.0.1:1'] }).slice(0, -1)},"__proto__":{"language":"ruby"},"constructor":1,"x":[[]]}`;
    const { body: answer } = await sendRequest(`${controller.url}/deploy`, { method: 'POST', body });
    expect(answer).toEqual({ status_code: 501, data: { '127.0.0.1:1': 'Agent连接失败: ECONNREFUSED 127.0.0.1:1' } });
  });

  it('sha256 in capitals is passed on in small letters, filename_delete as it is, the URL without spaces around', async () => {
    const more = { sha256: 'A'.repeat(64), filename_delete: 'web-0.tar.gz', file_url: '  http://origin/a.tar.gz?x=1 ' };
    expect(await reached(more)).toMatchObject({
      sha256: 'a'.repeat(64),
      filenameDelete: 'web-0.tar.gz',
      fileUrl: 'http://origin/a.tar.gz?x=1',
      filename: 'web-1.tar.gz',
    });
  });

  it('a rollback takes the file name as it was deployed, or the version as it is told', async () => {
    for (const filename of ['web-1.tar.gz', 'web-1']) {
      const agent = await startFakeAgent();
      const body = { ...valid['/rollback'], server_list: [agent.host], filename };
      const { text } = await sendRequest(`${controller.url}/rollback`, { method: 'POST', body });
      expect(text).toBe('{"status_code":200,"data":"回滚成功!"}');
      expect(agent.calls[0]?.request).toMatchObject({ version: 'web-1' });
    }
  });

  async function lines(more: object): Promise<FakeAgent['calls'][number]['request'] | undefined> {
    const agent = await startFakeAgent();
    const body = { ...valid['/get_latest_log'], server_list: [agent.host], ...more };
    await sendRequest(`${controller.url}/get_latest_log`, { body });
    return agent.calls[0]?.request;
  }

  it.each([1, 999, '1', '999', ' 12 '])('line %j', async (line) => {
    expect(await lines({ line })).toMatchObject({ lines: Number(line), logname: 'info.log', projectName: 'shop' });
  });

  it.each([
    ['CentOS', 'centos'],
    ['ubuntu', 'ubuntu'],
    ['', ''],
    [null, ''],
    [undefined, ''],
  ])('os_system %j', async (os_system, meant) => {
    const agent = await startFakeAgent();
    const body = { ...valid['/init_deploy'], server_list: [agent.host], os_system };
    const { text } = await sendRequest(`${controller.url}/init_deploy`, { method: 'POST', body });
    expect(text).toBe('{"status_code":200,"data":"初始化成功!"}');
    expect(agent.calls[0]?.request).toEqual({
      projectName: 'shop',
      language: 'java',
      osSystem: meant,
      text: '[program:shop]',
    });
  });
});
