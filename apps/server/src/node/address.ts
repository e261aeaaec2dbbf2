import { createServer } from 'node:net';
import { StartRefused } from '@homeport/postgres';
import { isLoopback, type Config } from '../config.js';

/** Where this node listens and where it is reached. */
export interface Address {
  readonly host: string;
  readonly port: number;
  readonly url: string;
  /** The pages that may connect. */
  readonly origins: ReadonlySet<string>;
}

/**
 * Binds the address and lets go of it: a port that is taken is told before anything else was started, and a bind that
 * succeeds is the proof that an earlier process of this address is gone.
 */
export async function claimAddress(config: Config): Promise<Address> {
  const { host } = config;
  const port = await bind(host, config.port);
  const local = isLoopback(host) || host === '0.0.0.0' || host === '::';
  const url = config.publicUrl?.href.replace(/\/$/, '') ?? `http://${local ? 'localhost' : bracketed(host)}:${port}`;
  const own = ['localhost', '127.0.0.1', '[::1]'].map((name) => new URL(`http://${name}:${port}`).origin);
  return { host, port, url, origins: new Set(config.allowedOrigins ?? [new URL(url).origin, ...own]) };
}

function bind(host: string, port: number): Promise<number> {
  const server = createServer();
  return new Promise((bound, refused) => {
    server.once('error', (error: NodeJS.ErrnoException) => refused(new StartRefused(why(error, host, port))));
    server.listen(port, host, () => {
      const address = server.address();
      server.close(() => bound(typeof address === 'object' && address !== null ? address.port : port));
    });
  });
}

function why(error: NodeJS.ErrnoException, host: string, port: number): string {
  switch (error.code) {
    case 'EADDRINUSE':
      return `PORT ${port} is taken on ${host}: end what listens there, or set another PORT`;
    case 'EACCES':
      return `PORT ${port} may not be bound by this user: set a PORT above 1023`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `HOST ${host} is not an address of this machine`;
    default:
      return `HOST ${host}, PORT ${port}: ${error.message}`;
  }
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
