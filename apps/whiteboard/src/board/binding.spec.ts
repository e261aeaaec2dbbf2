import { HomeportError } from '@homeport/client';
import { jsonBytes, LIMITS, type Json } from '@homeport/protocol';
import { beforeEach, describe, expect, it } from 'vitest';
import { FakeServer, type FakeDocument } from '../../test/fake-document.js';
import { FakeScene, shape, type Drawn } from '../../test/fake-scene.js';
import { Binding, type Problem } from './binding.js';
import { recordOf } from './records.js';

/** A page: a scene bound to a document. `frame` is the next frame of the screen. */
class Page {
  readonly document: FakeDocument;
  readonly scene: FakeScene;
  readonly binding: Binding;
  readonly problems: Problem[] = [];
  skipped = 0;
  #task: (() => void) | undefined;
  #nonce = 1_000_000;

  constructor(server: FakeServer) {
    this.document = server.open();
    this.scene = new FakeScene(() => this.binding.sceneChanged());
    this.binding = new Binding({
      document: this.document,
      scene: this.scene,
      // Fills in what is missing, as Excalidraw does.
      restore: (element) => [{ ...element, boundElements: element.boundElements ?? [] }],
      limits: () => LIMITS,
      nextFrame: (task) => (this.#task = task),
      nonce: () => this.#nonce++,
      report: (problem) => this.problems.push(problem),
      skipped: (count) => (this.skipped = count),
    });
    this.binding.start();
  }

  async frame(): Promise<void> {
    // The SDK's promises, and what they schedule, first.
    await Promise.resolve();
    await Promise.resolve();
    const task = this.#task;
    this.#task = undefined;
    task?.();
    await Promise.resolve();
  }

  record(id: string): { readonly [field: string]: Json } {
    return this.document.get(`element:${id}`) as { readonly [field: string]: Json };
  }

  get lastOps() {
    return this.document.pushes.at(-1);
  }
}

let server: FakeServer;
let ada: Page;
let bob: Page;

beforeEach(() => {
  server = new FakeServer();
  ada = new Page(server);
  bob = new Page(server);
});

async function settle(): Promise<void> {
  for (let round = 0; round < 3; round++) {
    await ada.frame();
    await bob.frame();
    server.deliver();
  }
  await ada.frame();
  await bob.frame();
}

/** What both must show, whatever happened. */
function expectSame(): void {
  const scene = ({ scene }: Page) => scene.elements.filter(({ isDeleted }) => !isDeleted);
  const content = (page: Page) =>
    scene(page).map((element) => ({ ...recordOf(element), index: '', boundElements: element.boundElements ?? [] }));
  expect(scene(bob).map(({ id }) => id)).toEqual(scene(ada).map(({ id }) => id));
  expect(content(bob)).toEqual(content(ada));
}

/** Frames may pass, and nobody says anything more. */
async function expectQuiet(): Promise<void> {
  const before = ada.document.pushes.length + bob.document.pushes.length;
  await settle();
  expect(ada.document.pushes.length + bob.document.pushes.length).toBe(before);
}

describe('what a person does', () => {
  it('a new element is put whole, without what is local to a page', async () => {
    ada.scene.draw({ id: 's', lastCommittedPoint: [1, 1] });
    await settle();
    expect(ada.document.pushes).toEqual([[{ op: 'put', key: 'element:s', value: recordOf(ada.scene.get('s')) }]]);
    for (const local of ['id', 'version', 'versionNonce', 'updated', 'isDeleted', 'lastCommittedPoint']) {
      expect(ada.record('s')).not.toHaveProperty(local);
    }
    expectSame();
    await expectQuiet();
  });

  it('a shape without extent, or a text without letters, is not sent before there is something to see', async () => {
    ada.scene.draw({ id: 's', width: 0, height: 0 });
    ada.scene.draw({ id: 't', ...text('') });
    await settle();
    expect(ada.document.pushes).toEqual([]);
    ada.scene.change('s', { width: 5 });
    ada.scene.change('t', { text: 'a', originalText: 'a' });
    await settle();
    expect(bob.scene.shown).toEqual(['s', 't']);
  });

  it('elements are mutated in place during a drag, and only the fields that differ are sent, once per frame', async () => {
    ada.scene.draw({ id: 's' });
    await settle();
    for (let x = 1; x <= 5; x++) ada.scene.change('s', { x });
    await ada.frame();
    expect(ada.document.pushes).toHaveLength(2);
    expect(ada.lastOps).toEqual([{ op: 'patch', key: 'element:s', set: { x: 5 }, unset: [] }]);
  });

  it('a version bump without a change of content sends nothing', async () => {
    ada.scene.draw({ id: 's' });
    await settle();
    ada.scene.change('s', {});
    await expectQuiet();
  });

  it('a growing stroke is sent as appends', async () => {
    const stroke = { id: 's', type: 'freedraw', simulatePressure: false };
    ada.scene.enter({
      newElement: ada.scene.draw({
        ...stroke,
        points: [
          [0, 0],
          [1, 1],
        ],
        pressures: [0.5, 0.5],
      }),
    });
    await settle();
    const element = () => ada.scene.get('s') as unknown as { points: Json[]; pressures: Json[] };
    for (let i = 2; i < 6; i++) {
      ada.scene.change('s', { points: [...element().points, [i, i]], pressures: [...element().pressures, 0.4] });
      await ada.frame();
    }
    for (const ops of ada.document.pushes.slice(1)) {
      expect(ops.map(({ op }) => op)).toEqual(['append', 'append']);
    }
    ada.scene.enter({ newElement: null });
    await settle();
    expect(ada.record('s')['points']).toHaveLength(6);
    expectSame();
  });

  it('delete is a delete; the tombstone stays for undo', async () => {
    ada.scene.draw({ id: 's' });
    await settle();
    ada.scene.erase('s');
    await settle();
    expect(ada.lastOps).toEqual([{ op: 'delete', key: 'element:s' }]);
    expect(ada.scene.get('s').isDeleted).toBe(true);
    expect(bob.scene.shown).toEqual([]);
    await expectQuiet();
  });

  it('undo of a delete puts the whole element again', async () => {
    ada.scene.draw({ id: 's', x: 3 });
    await settle();
    ada.scene.erase('s');
    await settle();
    ada.scene.change('s', { isDeleted: false });
    await settle();
    expect(ada.lastOps).toEqual([{ op: 'put', key: 'element:s', value: recordOf(ada.scene.get('s')) }]);
    expect(bob.scene.shown).toEqual(['s']);
    expectSame();
  });

  it('redo that revives an element which somebody else deleted puts it whole, so that everybody has it', async () => {
    ada.scene.draw({ id: 's' });
    await settle();
    bob.scene.erase('s');
    await settle();
    expect(ada.scene.get('s').isDeleted).toBe(true);
    ada.scene.change('s', { isDeleted: false, x: 9 });
    await settle();
    expect(ada.lastOps?.map(({ op }) => op)).toEqual(['put']);
    expect(bob.scene.get('s')).toMatchObject({ isDeleted: false, x: 9 });
    expectSame();
  });

  it('a shape and its bound arrow go in one push', async () => {
    ada.scene.draw({ id: 's', boundElements: [{ id: 'a', type: 'arrow' }] });
    ada.scene.draw({ id: 'a', ...arrow('s') });
    await settle();
    ada.scene.change('s', { x: 50 });
    ada.scene.change('a', { x: 51 });
    await ada.frame();
    expect(ada.document.pushes).toHaveLength(2);
    expect(ada.lastOps?.map(({ key }) => key)).toEqual(['element:s', 'element:a']);
  });

  it('the background colour is a record; the rest of the state stays here', async () => {
    ada.scene.enter({ viewBackgroundColor: '#fff0f0' });
    await settle();
    expect(ada.document.pushes).toEqual([[{ op: 'put', key: 'background', value: { color: '#fff0f0' } }]]);
    expect(bob.scene.state.viewBackgroundColor).toBe('#fff0f0');
    await expectQuiet();
  });

  it('a shape that was drawn to no size and left the scene is deleted', async () => {
    ada.scene.enter({ newElement: ada.scene.draw({ id: 's' }) });
    await settle();
    ada.scene.drop('s');
    ada.scene.enter({ newElement: null });
    await settle();
    expect(ada.lastOps).toEqual([{ op: 'delete', key: 'element:s' }]);
    expect(bob.scene.shown).toEqual([]);
  });

  it('a scene that was reset deletes nothing and is shown again', async () => {
    ada.scene.draw({ id: 's' });
    ada.scene.draw({ id: 't' });
    await settle();
    ada.scene.updateScene({ elements: [], captureUpdate: 'NEVER' });
    await expectQuiet();
    expect(ada.scene.shown).toEqual(['s', 't']);
  });

  it('what is not shared is taken back, and said', async () => {
    ada.scene.draw({ id: 'p', type: 'image' });
    await settle();
    expect(ada.problems).toEqual([{ is: 'not-shared', kind: 'image' }]);
    expect(ada.document.pushes).toEqual([]);
    expect(ada.scene.shown).toEqual([]);
  });
});

describe('what others do', () => {
  it('a remote change enters with the local version + 1 and is not sent back', async () => {
    ada.scene.draw({ id: 's' });
    await settle();
    const { version } = bob.scene.get('s');
    ada.scene.change('s', { x: 7 });
    await settle();
    expect(bob.scene.get('s')).toMatchObject({ x: 7, version: version + 1 });
    expect(bob.document.pushes).toEqual([]);
    await expectQuiet();
  });

  it('the confirmation of what a person did does not touch the scene', async () => {
    const element = ada.scene.draw({ id: 's' });
    await settle();
    ada.scene.change('s', { x: 4 });
    await settle();
    expect(ada.scene.updates).toBe(0);
    expect(ada.scene.get('s')).toBe(element);
  });

  it('an update that says what is shown already touches nothing', async () => {
    ada.scene.draw({ id: 's' });
    await settle();
    const { updates } = ada.scene;
    server.log.push({ from: bob.document, ops: [{ op: 'patch', key: 'element:s', set: { x: 0 }, unset: [] }] });
    await settle();
    expect(ada.scene.updates).toBe(updates);
  });

  it('two people who change different properties of one shape both win, in the middle of a drag', async () => {
    ada.scene.draw({ id: 's' });
    await settle();
    ada.scene.change('s', { x: 40 });
    bob.scene.change('s', { strokeColor: '#ff0000' });
    await settle();
    ada.scene.change('s', { x: 60 });
    await settle();
    expect(ada.scene.get('s')).toMatchObject({ x: 60, strokeColor: '#ff0000' });
    expectSame();
  });

  it('the same property: the order of the document decides, not the higher version', async () => {
    ada.scene.draw({ id: 's' });
    await settle();
    for (let x = 1; x < 9; x++) ada.scene.change('s', { x });
    bob.scene.change('s', { x: 100 });
    await ada.frame();
    await bob.frame();
    server.take(ada.document);
    await settle();
    expect(ada.scene.get('s').x).toBe(100);
    expectSame();
  });

  it('a late drag does not revive what somebody deleted', async () => {
    ada.scene.draw({ id: 's' });
    await settle();
    bob.scene.erase('s');
    await bob.frame();
    server.take(bob.document);
    ada.scene.change('s', { x: 5 });
    await ada.frame();
    ada.scene.change('s', { x: 6 });
    server.deliver();
    ada.scene.change('s', { x: 7 });
    await settle();
    expect(ada.scene.shown).toEqual([]);
    expectSame();
    await expectQuiet();
  });

  it('after concurrent inserts at one place both have one order, and two idle pages push nothing', async () => {
    ada.scene.draw({ id: 'base' });
    await settle();
    ada.scene.draw({ id: 'n2' });
    bob.scene.draw({ id: 'n1' });
    await settle();
    expect(ada.record('n1')['index']).toBe(ada.record('n2')['index']);
    expect(ada.scene.shown).toEqual(['base', 'n1', 'n2']);
    expect(ada.document.pushes.length + bob.document.pushes.length).toBe(3);
    expectSame();
    await expectQuiet();
  });

  it('an element that is moved between two with one index takes the rewritten index along', async () => {
    ada.scene.draw({ id: 'base' });
    await settle();
    ada.scene.draw({ id: 'n2' });
    bob.scene.draw({ id: 'n1' });
    await settle();
    ada.scene.moveBetween('base', 'n1');
    expect(ada.scene.shown).toEqual(['n1', 'base', 'n2']);
    await settle();
    expect(ada.scene.shown).toEqual(['n1', 'base', 'n2']);
    expectSame();
    await expectQuiet();
  });

  it('the element that is being made is not replaced under the pen', async () => {
    const stroke = { id: 's', type: 'freedraw', simulatePressure: true, pressures: [] };
    const element = ada.scene.draw({
      ...stroke,
      points: [
        [0, 0],
        [1, 1],
      ],
    });
    ada.scene.enter({ newElement: element });
    await settle();
    bob.scene.change('s', { strokeColor: '#00ff00' });
    await settle();
    expect(ada.scene.get('s')).toBe(element);
    ada.scene.change('s', {
      points: [
        [0, 0],
        [1, 1],
        [2, 2],
      ],
    });
    await settle();
    ada.scene.enter({ newElement: null });
    await settle();
    expect(ada.scene.get('s').strokeColor).toBe('#00ff00');
    expect(ada.record('s')['points']).toHaveLength(3);
    expectSame();
  });

  it('text under edit keeps the local text, and the last writer wins', async () => {
    ada.scene.draw({ id: 't', ...text('hello') });
    await settle();
    ada.scene.enter({ editingTextElement: ada.scene.get('t') });
    bob.scene.change('t', { text: 'bob', originalText: 'bob' });
    await settle();
    expect(ada.scene.get('t')).toMatchObject({ text: 'hello' });
    ada.scene.change('t', { text: 'hello ada', originalText: 'hello ada' });
    ada.scene.enter({ editingTextElement: null });
    await settle();
    expect(bob.scene.get('t')).toMatchObject({ text: 'hello ada' });
    expectSame();
  });

  it('text that was opened and left as it was shows what others wrote meanwhile', async () => {
    ada.scene.draw({ id: 't', ...text('hello') });
    await settle();
    ada.scene.enter({ editingTextElement: ada.scene.get('t') });
    bob.scene.change('t', { text: 'bob', originalText: 'bob' });
    await settle();
    ada.scene.change('t', {});
    ada.scene.enter({ editingTextElement: null });
    await settle();
    expect(ada.scene.get('t')).toMatchObject({ text: 'bob' });
    expect(ada.document.pushes).toHaveLength(1);
    expectSame();
  });

  it('text that was deleted while it is typed in comes back whole with what is typed', async () => {
    ada.scene.draw({ id: 't', ...text('hello') });
    await settle();
    ada.scene.enter({ editingTextElement: ada.scene.get('t') });
    bob.scene.erase('t');
    await settle();
    ada.scene.change('t', { text: 'hello!', originalText: 'hello!' });
    await settle();
    expect(ada.lastOps?.map(({ op }) => op)).toEqual(['put']);
    ada.scene.enter({ editingTextElement: null });
    await settle();
    expect(bob.scene.get('t')).toMatchObject({ text: 'hello!', isDeleted: false });
    expectSame();
  });

  it('text that was emptied under edit hides elsewhere and comes back with its first letter', async () => {
    ada.scene.draw({ id: 't', ...text('hello') });
    await settle();
    ada.scene.enter({ editingTextElement: ada.scene.get('t') });
    ada.scene.change('t', { text: '', originalText: '' });
    await settle();
    expect(bob.scene.shown).toEqual([]);
    expect(bob.skipped).toBe(0);
    ada.scene.change('t', { text: 'x', originalText: 'x' });
    await settle();
    expect(bob.scene.shown).toEqual(['t']);
    await expectQuiet();
  });

  it('a field that somebody removed does not stay', async () => {
    ada.scene.draw({ id: 't', ...text('hello'), autoResize: false });
    await settle();
    server.log.push({ from: bob.document, ops: [{ op: 'patch', key: 'element:t', set: {}, unset: ['autoResize'] }] });
    await settle();
    expect(ada.scene.get('t')).not.toHaveProperty('autoResize');
    await expectQuiet();
  });
});

describe('bad input', () => {
  const hostile = (id: string, value: Json) =>
    server.log.push({ from: bob.document, ops: [{ op: 'put', key: `element:${id}`, value }] });

  it('records that can not be drawn are skipped and counted; the others are shown', async () => {
    ada.scene.draw({ id: 's' });
    await settle();
    hostile('x1', 'a text');
    hostile('x2', { type: 'freedraw', x: 0, y: 0, index: 'a5' });
    hostile('x3', { ...recordOf(shape({})), strokeWidth: 1e-9 });
    hostile('x4', { ...recordOf(shape({})), index: 'no key' });
    hostile('x5', { type: 'iframe', x: 0, y: 0, index: 'a5', width: 10, height: 10 });
    await settle();
    expect(ada.skipped).toBe(5);
    expect(ada.scene.shown).toEqual(['s']);
    await expectQuiet();
  });

  it('an element whose record was broken is not shown, not deleted, and back when it is mended', async () => {
    ada.scene.draw({ id: 's' });
    await settle();
    const record = ada.record('s');
    hostile('s', { ...record, x: 1e300 });
    await settle();
    expect([ada.scene.shown, ada.skipped]).toEqual([[], 1]);
    await expectQuiet();
    hostile('s', record);
    await settle();
    expect([ada.scene.shown, ada.skipped]).toEqual([['s'], 0]);
  });

  it('text with half a character or a NUL is sent with a mark in its place', async () => {
    ada.scene.draw({ id: 't', ...text('a\ud83d\0b') });
    await settle();
    expect(ada.record('t')['text']).toBe('a\ufffd\ufffdb');
    await expectQuiet();
  });

  it('a paste of many elements is split into pushes within the limits, and what is bound stays together', async () => {
    for (let i = 0; i < 700; i++) {
      ada.scene.draw({ id: `s${i}`, index: key(2 * i), boundElements: [{ id: `a${i}`, type: 'arrow' }] });
      ada.scene.draw({ id: `a${i}`, index: key(2 * i + 1), ...arrow(`s${i}`) });
    }
    await settle();
    expect(ada.document.pushes.length).toBeGreaterThan(1);
    for (const ops of ada.document.pushes) {
      expect(ops.length).toBeLessThanOrEqual(LIMITS.opsPerPush);
      expect(jsonBytes(ops as unknown as Json)).toBeLessThan(LIMITS.messageBytes);
      const keys = new Set(ops.map((op) => op.key));
      for (const op of keys) expect(keys.has(op.replace(':s', ':a'))).toBe(true);
    }
    expect(bob.scene.shown).toHaveLength(1_400);
    expectSame();
  });

  it('what is too large is refused by name, goes back, and holds nothing else up', async () => {
    ada.scene.draw({ id: 'big', ...text('x'.repeat(LIMITS.recordBytes)) });
    ada.scene.draw({ id: 's' });
    await settle();
    expect(ada.problems).toEqual([
      { is: 'too-large', kind: 'text', bytes: expect.any(Number), bytesMax: LIMITS.recordBytes },
    ]);
    expect(bob.scene.shown).toEqual(['s']);
    expect(ada.scene.shown).toEqual(['s']);
    await expectQuiet();
  });

  it('a write that was refused puts the scene back to the document and is said once', async () => {
    ada.scene.draw({ id: 's' });
    ada.scene.draw({ id: 't' });
    await settle();
    ada.document.refusing = new HomeportError('forbidden', 'read only');
    ada.scene.change('s', { x: 9 });
    ada.scene.erase('t');
    await settle();
    expect(ada.scene.get('s').x).toBe(0);
    expect(ada.scene.shown).toEqual(['s', 't']);
    expect(ada.problems).toEqual([{ is: 'refused', error: ada.document.refusing }]);
    await expectQuiet();
  });
});

describe('any order of events', () => {
  it('many edits from both sides, delivered at odd moments, end in one scene', async () => {
    for (let seed = 1; seed <= 60; seed++) {
      server = new FakeServer();
      [ada, bob] = [new Page(server), new Page(server)];
      const random = sequence(seed);
      for (let step = 0; step < 60; step++) await somebodyDoesSomething(random, `${seed}-${step}`);
      for (const { scene } of [ada, bob]) scene.enter({ editingTextElement: null, newElement: null });
      await settle();
      expectSame();
      await expectQuiet();
    }
  });

  async function somebodyDoesSomething(random: (below: number) => number, id: string): Promise<void> {
    const page = random(2) === 0 ? ada : bob;
    const { scene } = page;
    const ids = scene.shown;
    const one = ids[random(ids.length)];
    const [kind, value] = [random(9), random(50)];
    if (kind === 0 || one === undefined) scene.draw({ id: `${page === ada ? 'a' : 'b'}${id}` });
    else if (kind === 1) scene.erase(one);
    else if (kind === 2) scene.change(one, { strokeColor: `#0000${10 + value}` });
    else if (kind === 3) scene.moveBetween(one, ids[(ids.indexOf(one) + 1) % ids.length]!);
    else if (kind === 4) scene.enter({ editingTextElement: scene.get(one) });
    else if (kind === 5) scene.enter({ editingTextElement: null });
    else scene.change(one, { x: value });
    if (random(3) > 0) await page.frame();
    if (random(4) === 0) server.take(page.document);
    if (random(4) === 0) page.document.receive(server.log);
  }
});

function text(words: string): Drawn {
  return { type: 'text', text: words, originalText: words, fontSize: 20, fontFamily: 5, autoResize: true };
}

function arrow(from: string): Drawn {
  const startBinding = { elementId: from, focus: 0, gap: 1 };
  return {
    type: 'arrow',
    points: [
      [0, 0],
      [10, 10],
    ],
    startBinding,
    endBinding: null,
  };
}

function key(n: number): string {
  return `d${String(n).padStart(4, '0')}`;
}

/** Numbers that look like chance and are the same for the same seed. */
function sequence(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return below === 0 ? 0 : Math.floor((state / 2 ** 32) * below);
  };
}
