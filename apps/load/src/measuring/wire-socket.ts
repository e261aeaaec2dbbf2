/**
 * A Socket.IO connection as light as it can be: the packets of engine.io 4 and socket.io 5 written out over one
 * WebSocket. The generator shares its machine with what it measures, so every microsecond here is one that the server
 * does not get. All systems under comparison are driven through it alike.
 *
 * Packets are text: the first character is engine.io's (0 open, 2 ping, 3 pong, 4 message), in a message the second is
 * socket.io's (0 connect, 2 event, 3 acknowledgement, 4 refused), then perhaps an id, then JSON.
 */
import { WebSocket } from 'ws';

type Answered = (replyText: string) => void;
type Heard = (payloadText: string) => void;

const ZERO = 48;
const NINE = 57;

export class WireSocket {
  readonly #socket: WebSocket;
  readonly #answers = new Map<number, Answered>();
  readonly #asked = new Set<(error: Error) => void>();
  readonly #listeners = new Map<string, Heard>();
  #nextId = 0;
  #ended: string | undefined;
  /** Called when the server let the socket in. */
  onIn: () => void = () => {};
  /** Called when it did not, with what it said, as JSON text. */
  onRefused: (whyText: string) => void = () => {};
  /** Called once, when the connection ends without `close`. */
  onEnd: (why: string) => void = () => {};

  /** Dials. Whoever must miss no event says what it listens to before the next tick. `query`: as `node=…`. */
  constructor(url: string, auth: object, query?: string) {
    const more = query === undefined ? '' : `&${query}`;
    const address = `${url.replace(/^http/, 'ws')}/socket.io/?EIO=4&transport=websocket${more}`;
    this.#socket = new WebSocket(address, { perMessageDeflate: false, maxPayload: 64 * 1024 * 1024 });
    this.#socket.on('error', (error) => this.#end(error.message));
    this.#socket.on('close', () => this.#end(`${url} closed the connection`));
    this.#socket.on('message', (data: Buffer) => {
      const text = data.toString();
      switch (text.slice(0, 2)) {
        case '42':
          return this.#event(text);
        case '43':
          return this.#answer(text);
        case '40':
          return this.onIn();
        case '44':
          return this.onRefused(text.slice(2));
      }
      if (text[0] === '0') this.#socket.send(`40${JSON.stringify(auth)}`);
      else if (text[0] === '2') this.#socket.send('3');
    });
  }

  /** Resolves when the server let the socket in. */
  static connect(url: string, auth: object): Promise<WireSocket> {
    const wire = new WireSocket(url, auth);
    return new Promise((resolve, reject) => {
      wire.onIn = () => resolve(wire);
      wire.onRefused = (why) => reject(new Error(`${url} refused the socket: ${why}`));
      wire.onEnd = (why) => reject(new Error(why));
    });
  }

  /** `heard` gets the payload of every such event, as JSON text. */
  on(event: string, heard: Heard): void {
    this.#listeners.set(event, heard);
  }

  /** Sends an event whose payload is JSON text already; `answered` gets the acknowledgement, as JSON text. */
  request(event: string, payloadText: string, answered: Answered): void {
    const id = this.#nextId++;
    this.#answers.set(id, answered);
    this.#socket.send(`42${id}["${event}",${payloadText}]`);
  }

  /** Sends an event that is not acknowledged. */
  tell(event: string, payloadText: string): void {
    this.#socket.send(`42["${event}",${payloadText}]`);
  }

  async ask<Reply>(event: string, payload: object): Promise<Reply> {
    return JSON.parse(await this.askText(event, JSON.stringify(payload))) as Reply;
  }

  /** The answer as it came. Rejects when the connection ends before it does. */
  askText(event: string, payloadText: string): Promise<string> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) return reject(new Error(this.#ended));
      this.#asked.add(reject);
      this.request(event, payloadText, (text) => {
        this.#asked.delete(reject);
        resolve(text);
      });
    });
  }

  close(): void {
    this.onEnd = () => {};
    this.#socket.close();
  }

  /** Closes the connection under Socket.IO, as a bad network does: it ends like one that was lost. */
  break(): void {
    this.#socket.close();
  }

  /** Takes nothing from the network any more, until `resume`. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  #event(text: string): void {
    const nameEnd = text.indexOf('"', 4);
    this.#listeners.get(text.slice(4, nameEnd))?.(text.slice(nameEnd + 2, -1));
  }

  #answer(text: string): void {
    let at = 2;
    let id = 0;
    for (let char = text.charCodeAt(at); char >= ZERO && char <= NINE; char = text.charCodeAt(++at))
      id = id * 10 + (char - ZERO);
    const answered = this.#answers.get(id);
    this.#answers.delete(id);
    answered?.(text.slice(at + 1, -1));
  }

  #end(why: string): void {
    if (this.#ended !== undefined) return;
    this.#ended = why;
    for (const reject of this.#asked) reject(new Error(why));
    this.onEnd(why);
  }
}
