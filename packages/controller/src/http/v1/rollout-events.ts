import { setImmediate as nextTurn } from 'node:timers/promises';
import type { WebSocket } from 'ws';
import { z } from 'zod';
import type { RolloutEvents } from '../../rollout/rollout-events.ts';
import type { ControllerApp } from '../controller-app.ts';
import * as fields from './fields.ts';
import { findRollout, rolloutId } from './one-rollout.ts';
import { CLOSE, SENDER_LIMITS, type SenderLimits, SocketSender } from './socket-sender.ts';
import { type V1Services, v1Access } from './v1-services.ts';

const PAGE = 200;
/** A client is let go of when what follows could not be read for so long. */
const UNREADABLE_MS = 60_000;
const AFTER = 'the number of an event';

const query = z.strictObject({
  after: fields.queryNumber(AFTER, { min: 0 }).default(0),
});

/**
 * `GET /v1/rollouts/{id}/events`: over a WebSocket everything since `?after=`, then what happens, one message an event, until the
 * rollout has ended. Without an upgrade: a page of what there is.
 */
export function rolloutEventsRoute(app: ControllerApp, { desk, eventsOf }: V1Services, limits = SENDER_LIMITS): void {
  app.route({
    method: 'GET',
    url: '/rollouts/:id/events',
    config: v1Access('read', 'found'),
    schema: {
      summary: 'What happens in a rollout, live over a WebSocket',
      description:
        'Each message is one event as JSON, numbered by seq; ?after= goes on behind a number. A client that reads too slowly is dropped (4008), and goes on with ?after=. Without an upgrade the answer is a page of events.',
      params: rolloutId,
      querystring: query,
    },
    preHandler: async (request) => {
      const { id } = request.params as z.output<typeof rolloutId>;
      await findRollout(desk, request, id);
    },
    handler: async (request) => {
      const stream = eventsOf(request.params.id);
      const hasEnded = await stream.hasEnded();
      const page = await stream.read(request.query.after, PAGE);
      return { events: page, next: page.at(-1)?.seq ?? request.query.after, ended: hasEnded && page.length < PAGE };
    },
    wsHandler: (socket, request) => {
      const { id } = request.params as z.output<typeof rolloutId>;
      const { after } = request.query as z.output<typeof query>;
      void sendEvents(socket, { stream: eventsOf(id), after, limits }).catch((error: unknown) => {
        request.log.error({ err: error }, 'events could not be sent');
        socket.close(CLOSE.failed, 'internal error');
      });
    },
  });
}

/** Everything after a number, then what follows; resolves when all is sent, or the client is gone. */
export async function sendEvents(
  socket: WebSocket,
  { stream, after, limits }: { stream: RolloutEvents; after: number; limits: SenderLimits },
): Promise<void> {
  const sender = new SocketSender(socket, limits);
  const follower = stream.follow();
  let seq = after;
  let readAtMs = performance.now();
  const sendPage = async () => {
    const page = await stream.read(seq, PAGE);
    for (const event of page) await sender.send(event);
    seq = page.at(-1)?.seq ?? seq;
    // A database in this process answers without letting others have their turn.
    await nextTurn();
    return page.length;
  };
  /** What there is. Resolves to whether nothing will follow. */
  const sendAll = async (): Promise<boolean> => {
    try {
      while ((await sendPage()) > 0);
      const hasEnded = await stream.hasEnded();
      readAtMs = performance.now();
      // What came between the last look and the end is read yet.
      return hasEnded && (await sendPage()) === 0;
    } catch (error) {
      // A database that is restarted is back in a moment.
      if (sender.gone.aborted || performance.now() - readAtMs > UNREADABLE_MS) throw error;
      return false;
    }
  };
  try {
    while (!(await sendAll())) await follower.next(sender.gone);
    sender.close(CLOSE.done, 'the rollout has ended');
  } catch (error) {
    if (!sender.gone.aborted) throw error;
  } finally {
    follower.close();
  }
}
