import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { Peers, type Cancel, type NodeInfo } from '@homeport/core';
import { isLoopback } from '../config.js';

const DIAL_MS = 300;
const DIALS = 3;
const DIAL_AGAIN_MS = 500;
/** A node that refuses and yet lives is not suspected for ever. */
const REFUSALS_TOLD_MAX = 5;

/**
 * Other nodes by the address on which they listen, never by the one that clients use: that may be a load balancer's.
 *
 * An address that refuses proves something only where it was open to us before: a firewall refuses too, a node that is
 * still starting does not listen yet, and what is an address there may be another machine's here.
 */
export class TcpPeers extends Peers {
  /** Nodes that have accepted a connection. */
  readonly #met = new Set<string>();

  constructor(private readonly machineId: string) {
    super();
  }

  override watch(node: NodeInfo, broken: () => void): Cancel {
    if (!this.#isDialable(node)) return () => {};
    let isOver = false;
    let refusals = 0;
    let stop: () => void = () => {};
    const dial = (): void => {
      const socket = connect(node.port, node.host);
      socket.on('connect', () => {
        this.#met.add(node.id);
        refusals = 0;
      });
      socket.on('error', () => {});
      // What is never read keeps the end of the connection from being seen.
      socket.resume();
      socket.on('close', () => {
        if (isOver) return;
        if (this.#met.has(node.id) && refusals++ < REFUSALS_TOLD_MAX) broken();
        const timer = setTimeout(dial, DIAL_AGAIN_MS);
        stop = () => clearTimeout(timer);
      });
      socket.unref();
      stop = () => socket.destroy();
    };
    dial();
    return () => {
      isOver = true;
      this.#met.delete(node.id);
      stop();
    };
  }

  override async refuses(node: NodeInfo): Promise<boolean> {
    if (!this.#met.has(node.id)) return false;
    for (let dials = 0; dials < DIALS; dials++) if (!(await refused(node))) return false;
    return true;
  }

  /** A loopback address of another machine is this machine's own. */
  #isDialable({ host, machineId }: NodeInfo): boolean {
    return machineId === this.machineId || !isLoopback(host);
  }
}

/** Where other nodes reach a server that listens on `host`: one that listens everywhere has a name, or an address, of its own. */
export function ownAddress(host: string): string {
  if (host !== '0.0.0.0' && host !== '::') return host;
  const addresses = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  return addresses.find(({ internal, family }) => !internal && family === 'IPv4')?.address ?? '127.0.0.1';
}

function refused({ host, port }: NodeInfo): Promise<boolean> {
  return new Promise((tell) => {
    const socket = connect(port, host);
    const end = (isRefused: boolean): void => {
      socket.destroy();
      tell(isRefused);
    };
    socket.setTimeout(DIAL_MS, () => end(false));
    socket.once('connect', () => end(false));
    socket.once('error', (error: NodeJS.ErrnoException) => end(error.code === 'ECONNREFUSED'));
  });
}
