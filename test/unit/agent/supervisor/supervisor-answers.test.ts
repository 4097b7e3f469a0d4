import { describe, expect, it } from 'vitest';
import {
  failureReason,
  parseRefusal,
  parseReread,
  parseStatus,
  parseUpdated,
} from '../../../../packages/agent/src/supervisor/supervisor-answers.ts';

describe('what supervisorctl prints', () => {
  it('status: every state, with the pid where there is one', () => {
    expect(
      parseStatus(
        `a                                RUNNING   pid 12983, uptime 0:00:03
b                                BACKOFF   can't find command '/nope'
c                                STARTING  
mp:d_00                          STOPPED   Not started
a-name-that-is-longer-than-thirty-three-characters   EXITED    Jan 01 12:00 AM
`,
      ),
    ).toEqual([
      { name: 'a', group: 'a', state: 'RUNNING', pid: 12983, description: 'pid 12983, uptime 0:00:03' },
      { name: 'b', group: 'b', state: 'BACKOFF', pid: 0, description: "can't find command '/nope'" },
      { name: 'c', group: 'c', state: 'STARTING', pid: 0, description: '' },
      { name: 'mp:d_00', group: 'mp', state: 'STOPPED', pid: 0, description: 'Not started' },
      {
        name: 'a-name-that-is-longer-than-thirty-three-characters',
        group: 'a-name-that-is-longer-than-thirty-three-characters',
        state: 'EXITED',
        pid: 0,
        description: 'Jan 01 12:00 AM',
      },
    ]);
  });

  it.each([
    'unix:///tmp/s.sock no such file\n',
    "error: <class 'xmlrpc.client.Fault'>, <Fault 6: 'SHUTDOWN_STATE'>: file: /usr/lib/python3.11/xmlrpc/client.py line: 668\n",
    'Server requires authentication\n',
  ])('status: %j is no answer', (text) => {
    expect(parseStatus(text)).toBeUndefined();
  });

  it('reread: the changes, none, or no answer', () => {
    expect(parseReread('a: available\nb: changed\nc: disappeared\n')).toEqual(
      new Map([
        ['a', 'available'],
        ['b', 'changed'],
        ['c', 'disappeared'],
      ]),
    );
    expect(parseReread('No config updates to processes\n')).toEqual(new Map());
    expect(parseReread('ERROR: CANT_REREAD: x\n')).toBeUndefined();
    expect(parseReread('')).toBeUndefined();
  });

  it('update: the groups that it has loaded', () => {
    expect(
      parseUpdated('a: stopped\na: updated process group\nb: added process group\nERROR: no such group: c\n'),
    ).toEqual(new Set(['a', 'b']));
  });

  it('a refusal keeps supervisor’s words, without the names of every variable it has', () => {
    const words =
      "Format string 'x %(ENV_NO)s' for 'program:z.command' contains names ('ENV_NO') which cannot be expanded. Available names: ENV_HOME, ENV_SECRET, here in section 'program:z' (file: '/z.conf')";
    const kept =
      "Format string 'x %(ENV_NO)s' for 'program:z.command' contains names ('ENV_NO') which cannot be expanded. in section 'program:z' (file: '/z.conf')";
    expect(parseRefusal(`ERROR: CANT_REREAD: ${words}\n`)).toBe(kept);
    expect(
      parseRefusal(
        `error: <class 'xmlrpc.client.Fault'>, <Fault 92: "CANT_REREAD: ${words}">: file: /usr/x.py line: 1\n`,
      ),
    ).toBe(kept);
    expect(parseRefusal('a: added process group\n')).toBeUndefined();
  });

  it('a failure is told without Python’s trimmings', () => {
    expect(
      failureReason(
        "error: <class 'http.client.RemoteDisconnected'>, Remote end closed connection without response: file: /x.py line: 287\n",
      ),
    ).toBe('Remote end closed connection without response (RemoteDisconnected)');
    expect(failureReason('unix:///tmp/s.sock refused connection\n')).toBe('unix:///tmp/s.sock refused connection');
    expect(failureReason('')).toBe('');
  });
});
