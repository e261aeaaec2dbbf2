/** Serves the built page as a node does, and says of the cluster what the test wants. */
import { createReadStream, existsSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, resolve } from 'node:path';
import type { ClusterView } from '@homeport/core';

const BUILT = resolve('dist/apps');
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};

export class StagedNode {
  view: ClusterView | undefined;
  /** Set: only who shows it is told. */
  adminToken: string | undefined;

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async start(): Promise<StagedNode> {
    if (!existsSync(join(BUILT, 'cluster/index.html'))) throw new Error('the cluster page is not built: npm run build');
    const server = createServer();
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const node = new StagedNode(server, `http://localhost:${(server.address() as AddressInfo).port}`);
    server.on('request', (request: IncomingMessage, response: ServerResponse) => node.#answer(request, response));
    return node;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((closed) => this.server.close(closed));
  }

  #answer({ url, headers }: IncomingMessage, response: ServerResponse): void {
    const { pathname } = new URL(url!, this.url);
    response.setHeader('Access-Control-Allow-Origin', '*');
    if (pathname === '/v1/cluster') this.#tell(headers.authorization, response);
    else {
      const path = { '/cluster': 'cluster/index.html', '/favicon.svg': 'whiteboard/favicon.svg' }[pathname];
      response.setHeader('Content-Type', TYPES[extname(path ?? pathname)] ?? 'text/plain');
      createReadStream(join(BUILT, path ?? pathname)).pipe(response);
    }
  }

  #tell(authorization: string | undefined, response: ServerResponse): void {
    if (this.adminToken !== undefined && authorization !== `Bearer ${this.adminToken}`) response.statusCode = 401;
    response.end(JSON.stringify(response.statusCode === 401 ? { ok: false } : this.view));
  }
}
