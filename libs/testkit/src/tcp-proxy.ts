/**
 * A link that can go bad: everything that connects to its port is led to another, over bytes that can be late, wait, get
 * lost or be cut off.
 */
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

interface Pair {
  readonly ends: readonly [Socket, Socket];
  /** Nothing passes any more, and neither end is told. */
  isSilent: boolean;
}

export class TcpProxy {
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  #isCut = false;
  #paused: (() => void)[] | undefined;
  #accepted = 0;
  /** How late bytes arrive, in both directions. They stay in order. */
  delayMs = 0;

  private constructor(private readonly target: number | string) {
    // `allowHalfOpen`: the end of one direction is passed on as such.
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accept(socket));
  }

  /** A link to a port of this machine, or to a Unix socket. */
  static async to(target: number | string): Promise<TcpProxy> {
    const proxy = new TcpProxy(target);
    await new Promise<void>((listening) => proxy.#server.listen(0, '127.0.0.1', listening));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** How many connections were made, those included that were refused because the link was cut. */
  get accepted(): number {
    return this.#accepted;
  }

  /** How many there are at present. */
  get connections(): number {
    return this.#pairs.size;
  }

  /** Nothing passes until `resume`, then everything that waited. Connections stay, new ones wait, too. */
  pause(): void {
    this.#paused ??= [];
  }

  resume(): void {
    const waiting = this.#paused ?? [];
    this.#paused = undefined;
    for (const go of waiting) go();
  }

  /** Every connection is reset, and new ones are, too, until `mend`. */
  cut(): void {
    this.#isCut = true;
    for (const pair of this.#pairs) this.#reset(pair);
  }

  mend(): void {
    this.#isCut = false;
  }

  /** Half open: the present connections carry nothing any more and look alive from both ends; new ones are good. */
  silence(): void {
    for (const pair of this.#pairs) pair.isSilent = true;
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((closed) => this.#server.close(closed));
  }

  #accept(near: Socket): void {
    this.#accepted++;
    if (this.#isCut) {
      near.on('error', () => {});
      near.resetAndDestroy();
      return;
    }
    const place = typeof this.target === 'string' ? { path: this.target } : { port: this.target, host: '127.0.0.1' };
    const far = connect({ ...place, allowHalfOpen: true, noDelay: true });
    const pair: Pair = { ends: [near, far], isSilent: false };
    this.#pairs.add(pair);
    this.#carry(pair, near, far);
    this.#carry(pair, far, near);
  }

  #carry(pair: Pair, from: Socket, to: Socket): void {
    const late: (() => void)[] = [];
    const pass = (what: () => void): void => {
      const go = (): void => {
        if (this.#paused) this.#paused.push(go);
        else if (!pair.isSilent && !to.destroyed) what();
      };
      if (this.delayMs === 0 && late.length === 0) return go();
      late.push(go);
      // Whichever timer fires first, what was sent first arrives first.
      setTimeout(() => late.shift()!(), this.delayMs);
    };
    from.on('data', (bytes) => pass(() => to.write(bytes)));
    from.on('end', () => pass(() => to.end()));
    from.on('error', () => pair.isSilent || this.#reset(pair));
    from.on('close', () => pair.ends.every(({ destroyed }) => destroyed) && this.#pairs.delete(pair));
  }

  #reset(pair: Pair): void {
    this.#pairs.delete(pair);
    const [near, far] = pair.ends;
    near.resetAndDestroy();
    // A Unix socket knows no reset.
    if (typeof this.target === 'string') far.destroy();
    else far.resetAndDestroy();
  }
}
