import type { ControllerApp } from '@sampan/controller/http/controller-app.ts';
import { requireDeclaredAccess } from '@sampan/controller/http/route-access.ts';
import fastify from 'fastify';
import { describe, expect, it } from 'vitest';

function app(): ControllerApp {
  const made = fastify() as unknown as ControllerApp;
  requireDeclaredAccess(made);
  return made;
}

describe('an application', () => {
  it('does not start with a route that does not say who may call it', async () => {
    const made = app();
    made.get('/open', { config: { access: 'public' } }, () => 'open');
    made.register((plugin, _options, done) => {
      plugin.delete('/forgotten', () => 'gone');
      plugin.get('/other', { config: {} }, () => 'other');
      done();
    });
    await expect(made.ready()).rejects.toThrow(
      'routes that do not declare their access: DELETE /forgotten, GET /other',
    );
  });

  it('starts when all of them say so', async () => {
    const made = app();
    made.get('/open', { config: { access: 'public' } }, () => 'open');
    made.get('/read', { config: { access: { scope: 'read', documented: false, project: 'none' } } }, () => 'read');
    await made.ready();
    await made.close();
  });
});
