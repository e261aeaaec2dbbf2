import { createServer, type AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { Config } from '../config.js';
import { claimAddress } from './address.js';

it('finds a free port and says where it is reached and from which pages', async () => {
  const { port, url, origins } = await claimAddress(Config.read({ PORT: '0' }));
  expect(port).toBeGreaterThan(0);
  expect(url).toBe(`http://localhost:${port}`);
  expect([...origins].sort()).toEqual([`http://127.0.0.1:${port}`, `http://[::1]:${port}`, `http://localhost:${port}`]);
});

it('is reached where PUBLIC_URL says, and takes ALLOWED_ORIGINS instead of its own', async () => {
  const settings = { PORT: '0', PUBLIC_URL: 'https://boards.example.com/' };
  const address = await claimAddress(Config.read(settings));
  expect(address.url).toBe('https://boards.example.com');
  expect(address.origins.has('https://boards.example.com')).toBe(true);
  const strict = await claimAddress(Config.read({ ...settings, ALLOWED_ORIGINS: 'https://app.example.com' }));
  expect([...strict.origins]).toEqual(['https://app.example.com']);
});

it('says that the port is taken', async () => {
  const other = createServer();
  await new Promise<void>((listening) => other.listen(0, '127.0.0.1', listening));
  const { port } = other.address() as AddressInfo;
  await expect(claimAddress(Config.read({ PORT: String(port) }))).rejects.toThrow(new RegExp(`^PORT ${port} is taken`));
  await new Promise((closed) => other.close(closed));
});

it('says that the host is not of this machine', async () => {
  const config = Config.read({ PORT: '0', HOST: '192.0.2.1', ALLOW_OPEN: 'true' });
  await expect(claimAddress(config)).rejects.toThrow(/^HOST 192\.0\.2\.1 is not an address of this machine/);
});
