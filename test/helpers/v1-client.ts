import { WebSocket } from 'ws';
import { type Answer, sendRequest } from './send-request.ts';

/** An event of a rollout as it comes. */
export interface SeenEvent {
  seq: number;
  kind: string;
  host?: string;
  state?: string;
  wave?: number;
  [field: string]: unknown;
}

/** A rollout as `/v1` shows it. */
export interface SeenRollout {
  id: string;
  state: string;
  counts: Record<string, number>;
  hosts: Record<string, { state: string; version?: string; error?: { code: string; detail: string } }>;
  [field: string]: unknown;
}

/** A caller of `/v1`. */
export class V1Client {
  readonly url: string;

  constructor(url: string) {
    this.url = url;
  }

  post(path: string, body?: object, headers: Record<string, string> = {}): Promise<Answer> {
    return sendRequest(`${this.url}/v1${path}`, { method: 'POST', headers, ...(body ? { body } : {}) });
  }

  get(path: string): Promise<Answer> {
    return sendRequest(`${this.url}/v1${path}`);
  }

  /** Begins a rollout; throws what the API says where it does not. */
  async begin(body: object): Promise<string> {
    const { status, text, body: answer } = await this.post('/rollouts', body);
    if (status !== 202) throw new Error(`${status} ${text}`);
    return (answer as { id: string }).id;
  }

  async rollout(id: string): Promise<SeenRollout> {
    return (await this.get(`/rollouts/${id}`)).body as SeenRollout;
  }

  watch(id: string, after = 0): EventWatch {
    return new EventWatch(`${this.url.replace('http', 'ws')}/v1/rollouts/${id}/events?after=${after}`);
  }

  /** All events that the database has. */
  async storedEvents(id: string): Promise<SeenEvent[]> {
    const all: SeenEvent[] = [];
    for (;;) {
      const { body } = await this.get(`/rollouts/${id}/events?after=${all.at(-1)?.seq ?? 0}`);
      const { events } = body as { events: SeenEvent[] };
      if (events.length === 0) return all;
      all.push(...events);
    }
  }
}

/** The events of a rollout as they come over a WebSocket. */
export class EventWatch {
  readonly events: SeenEvent[] = [];
  /** When each came, in milliseconds. */
  readonly cameAtMs: number[] = [];
  readonly socket: WebSocket;
  /** Resolves with the close code. */
  readonly closed: Promise<number>;
  readonly #waiting = new Set<() => void>();

  constructor(url: string) {
    this.socket = new WebSocket(url);
    this.closed = new Promise((resolve, reject) => {
      this.socket.on('close', (code) => {
        resolve(code);
        this.#look();
      });
      this.socket.on('error', reject);
    });
    this.closed.catch(() => undefined);
    this.socket.on('message', (data: Buffer) => {
      this.events.push(JSON.parse(data.toString('utf8')) as SeenEvent);
      this.cameAtMs.push(performance.now());
      this.#look();
    });
  }

  /** Resolves with the first event that matches, past or to come. */
  until(matches: (event: SeenEvent) => boolean): Promise<SeenEvent> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const found = this.events.find(matches);
        if (!found && this.socket.readyState !== WebSocket.CLOSED) return;
        this.#waiting.delete(look);
        if (found) resolve(found);
        else
          reject(
            new Error(`it did not come: ${JSON.stringify(this.events.filter(({ kind }) => kind !== 'progress'))}`),
          );
      };
      this.#waiting.add(look);
      look();
    });
  }

  /** Where the rollout has been: `staging, activating 0, baking 0, …`. */
  course(): string {
    return this.events
      .filter(({ kind }) => kind === 'rollout')
      .map(({ state, wave }) => (wave === undefined ? state : `${state} ${wave}`))
      .join(', ');
  }

  /** Where one host has been. */
  hostCourse(host: string): string {
    return this.events
      .filter((event) => event.kind === 'host' && event.host === host)
      .map(({ state }) => state)
      .join(', ');
  }

  #look(): void {
    for (const look of this.#waiting) look();
  }
}
