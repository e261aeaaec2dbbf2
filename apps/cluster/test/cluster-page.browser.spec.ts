import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, it, vi } from 'vitest';
import type { Page } from 'playwright-core';
import { Studio } from '../../whiteboard/test/studio.js';
import { StagedNode } from './staged-node.js';
import { idOf, stagedView } from './staged-view.js';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const ADMIN_TOKEN = 'an-admin-token-of-the-test';
const SOON = { timeout: 30_000 };

let studio: Studio;

beforeAll(async () => {
  studio = await Studio.open({ env: { ADMIN_TOKEN } });
});
afterAll(() => studio?.close());

describe('of a server', () => {
  it('Q4: asks for the ADMIN_TOKEN, keeps it for the tab, and shows the one node with all the slots', async () => {
    const { page } = await studio.person('Ada');
    await page.goto(`${studio.server.url}/cluster`);
    await page.getByLabel('ADMIN_TOKEN').fill('another-token-of-somebody');
    await page.getByRole('button', { name: 'Enter' }).click();
    await page.getByText('does not take this token').waitFor(SOON);
    await page.getByLabel('ADMIN_TOKEN').fill(ADMIN_TOKEN);
    await page.getByRole('button', { name: 'Enter' }).click();
    await page.getByRole('heading', { name: 'One node, every home.' }).waitFor(SOON);
    await page.reload();
    const card = page.locator('.node');
    await card.waitFor(SOON);
    expect((await card.innerText()).replace(/\s+/g, ' ')).toMatch(/ up localhost:\d+ .* 1,024 slots 100 %/);
    expect(await page.locator('.slot').count()).toBe(1_024);
    const health = (await page.locator('.health').innerText()).split('\n');
    expect(health).toEqual([expect.stringMatching(/^Postgres is up, lease renewed in [\d.]+ ms$/), 'Without Redis']);
    expect(await page.locator('.event').innerText()).toMatch(/ joined/);
    await page.context().close();
  });

  it('shows a session that comes, and a server that ends and comes back', async () => {
    const ada = await studio.person('Ada');
    const { page } = ada;
    await page.goto(`${studio.server.url}/cluster`);
    await page.getByLabel('ADMIN_TOKEN').fill(ADMIN_TOKEN);
    await page.getByRole('button', { name: 'Enter' }).click();
    const sessions = page.locator('.node dd').first();
    await expect.poll(() => sessions.innerText(), SOON).toBe('0');
    const other = await studio.person('Grace');
    await other.open('board-cluster-page');
    await expect.poll(() => sessions.innerText(), SOON).toBe('1');
    await studio.server.kill();
    await page.getByRole('heading', { name: 'No node answers.' }).waitFor(SOON);
    await studio.server.restart();
    await page.getByRole('heading', { name: 'One node, every home.' }).waitFor(SOON);
    await other.page.context().close();
    await page.context().close();
  });

  it('nothing was requested from elsewhere, and no page had a fault', () => {
    expect(studio.foreign).toEqual([]);
    expect(studio.faults).toEqual([]);
  });
});

describe('of a cluster', () => {
  let nodes: StagedNode[];
  let page: Page;

  beforeEach(async () => {
    nodes = await Promise.all([StagedNode.start(), StagedNode.start(), StagedNode.start()]);
    page = await studio.browser.newPage({ viewport: { width: 1280, height: 1_000 } });
  });
  afterEach(async () => {
    await page.close();
    await Promise.all(nodes.map((node) => node.stop()));
  });

  const rows = (...states: ('up' | 'draining' | 'dead')[]) =>
    nodes.map(({ url }, index) => ({ name: `node-${index + 1}`, url, state: states[index] ?? ('up' as const) }));
  const colourOf = (locator: string) =>
    page.locator(locator).evaluate((element) => getComputedStyle(element).backgroundColor);
  const look = async (): Promise<void> => {
    await page.goto(`${nodes[0]!.url}/cluster`);
    await page.locator('.slot').first().waitFor(SOON);
  };

  it('each slot has the colour of its owner, and takes the colour of another when it moves there', async () => {
    const view = stagedView(rows());
    nodes[0]!.view = view;
    await look();
    await page.getByRole('heading', { name: '3 nodes, every slot at home.' }).waitFor(SOON);
    const dots = await Promise.all([1, 2, 3].map((nth) => colourOf(`.node:nth-child(${nth}) .node__dot`)));
    expect(new Set(dots).size).toBe(3);
    for (const slot of [0, 1, 2, 511, 1_023])
      expect(await colourOf(`.slot:nth-child(${slot + 1})`)).toBe(dots[view.slots[slot]!]);
    const to = (view.slots[5]! + 1) % 3;
    nodes[0]!.view = { ...view, slots: view.slots.with(5, to).with(6, -1), version: 8 };
    await page.getByRole('heading', { name: '1 slot without a home.' }).waitFor(SOON);
    await expect.poll(() => colourOf('.slot:nth-child(6)'), SOON).toBe(dots[to]);
    expect(await page.locator('.slot:nth-child(6)').getAttribute('title')).toBe(`slot 5 · node-${to + 1}`);
    expect(await page.locator('.slot--homeless').count()).toBe(1);
    expect(await page.locator('.slots__caption').innerText()).toBe('2 slots moved just now');
  });

  it('a node that died says so, has no load, and what was taken over is told with how long it took, newest first', async () => {
    const at = Date.now();
    nodes[0]!.view = stagedView(rows('up', 'up', 'dead'), {
      timeline: [
        { kind: 'joined', node: 'node-3', at: at - 60_000 },
        { kind: 'died', node: 'node-3', at: at - 20 },
        { kind: 'taken_over', node: idOf('node-1'), from: idOf('node-3'), slots: 171, tookMs: 18.4, at },
      ],
      postgres: { state: 'away', renewalMs: undefined },
      redis: { state: 'away' },
    });
    await look();
    const dead = page.locator('.node', { hasText: 'node-3' });
    expect((await dead.innerText()).replace(/\s+/g, ' ')).toMatch(/^node-3 dead .* – .* 0 slots 0 %$/);
    const events = await page.locator('.event__what').allInnerTexts();
    expect(events.map((event) => event.trim())).toEqual([
      'node-1 took over 171 slots of node-3 in 18 ms',
      'node-3 died',
      'node-3 joined',
    ]);
    expect((await page.locator('.health').innerText()).split('\n')).toEqual([
      'Postgres does not answer',
      'Redis does not answer',
    ]);
  });

  it('when the node that served the page is gone, the others are asked, and when all are gone it says so', async () => {
    for (const [index, node] of nodes.entries()) node.view = stagedView(rows(), { me: idOf(`node-${index + 1}`) });
    await look();
    await page.getByText('As node-1 sees it').waitFor(SOON);
    await nodes[0]!.stop();
    await page.getByText('As node-2 sees it').waitFor(SOON);
    await page.getByText(/^node-1 \(localhost:\d+\) does not answer: another node is asked\./).waitFor(SOON);
    await Promise.all(nodes.slice(1).map((node) => node.stop()));
    await page.getByRole('heading', { name: 'No node answers.' }).waitFor(SOON);
    await page.getByText(/^Nobody answers, neither node-1/).waitFor(SOON);
    expect(await page.locator('.node').count()).toBe(3);
  });

  it('on a phone everything is within the screen', async () => {
    nodes[0]!.view = stagedView(rows());
    await page.setViewportSize({ width: 360, height: 740 });
    await look();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
    const box = (await page.locator('.slots__picture').boundingBox())!;
    expect(box.x + box.width).toBeLessThanOrEqual(360);
  });
});
