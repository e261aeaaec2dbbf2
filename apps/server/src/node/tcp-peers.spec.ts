import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { NodeInfo } from '@homeport/core';
import { freePort, nodeNamed, until } from '@homeport/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TcpPeers } from './tcp-peers.js';

const LIMIT_MS = 20_000;
const MACHINE = 'machine-1';

describe('TcpPeers', () => {
  let server: Server;
  let connections: number;
  let node: NodeInfo;
  let broken: number;
  let peers: TcpPeers;
  const cancels: (() => void)[] = [];

  beforeEach(async () => {
    connections = 0;
    broken = 0;
    peers = new TcpPeers(MACHINE);
    // As a server of Node does with who connects and says nothing; only sooner.
    server = createServer({ headersTimeout: 50, requestTimeout: 50, connectionsCheckingInterval: 20 });
    server.on('connection', () => connections++);
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    node = nodeAt((server.address() as AddressInfo).port);
  });
  afterEach(async () => {
    for (const cancel of cancels.splice(0)) cancel();
    if (server.listening) await end();
  });

  const watch = (whom: NodeInfo): void => void cancels.push(peers.watch(whom, () => broken++));

  it('O6: a watch outlives the server’s patience with who says nothing, and notices the end of the process', async () => {
    watch(node);
    await until(LIMIT_MS, 'many connections, one after the other', () => connections > 7);
    await end();
    const before = broken;
    await until(LIMIT_MS, 'the end to be told', () => broken > before);
    expect(await peers.refuses(node)).toBe(true);
  }, 60_000);

  it('O5: an address that refuses proves nothing where it was never open', async () => {
    const never = nodeAt(await freePort());
    watch(never);
    watch(node);
    await until(LIMIT_MS, 'the other to be met', () => connections > 0);
    expect(await peers.refuses(never)).toBe(false);
  });

  it('O5: an address that accepts, or that nobody watched, does not refuse', async () => {
    expect(await peers.refuses(node)).toBe(false);
    watch(node);
    await until(LIMIT_MS, 'it to be met', () => connections > 0);
    expect(await peers.refuses(node)).toBe(false);
  });

  it('a loopback address of another machine is not dialled: here it is another’s', async () => {
    watch({ ...node, machineId: 'machine-2' });
    watch(node);
    await until(LIMIT_MS, 'the other to be met', () => connections > 0);
    expect(connections).toBe(1);
  });

  async function end(): Promise<void> {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  }
});

function nodeAt(port: number): NodeInfo {
  return { ...nodeNamed('a'), id: `a.${port}`, host: '127.0.0.1', port, machineId: MACHINE };
}
