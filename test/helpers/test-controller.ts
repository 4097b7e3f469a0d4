import { onTestFinished } from 'vitest';
import { type StartedController, startController } from './start-controller.ts';

/** A controller process of one test, at whose end it is killed. */
export async function testController(settings: Record<string, unknown> = {}): Promise<StartedController> {
  const controller = await startController(settings);
  onTestFinished(async () => {
    await controller.stop('SIGKILL');
  });
  return controller;
}
