import type { Others } from '@homeport/client';
import { expect, it } from 'vitest';
import { collaboratorsOf, participantsOf, type Shown } from './people.js';

const PERSON: Shown = {
  name: 'Ada',
  hue: 3,
  pointer: { x: 1, y: 2, tool: 'pointer' },
  button: 'up',
  selected: ['a'],
  editing: null,
};

function participants(...states: unknown[]) {
  return participantsOf(new Map(states.map((state, i) => [`s${i}`, { user: `user-${i}`, state }])) as Others<Shown>);
}

it('shows what others show', () => {
  expect(participants(PERSON)).toEqual([{ ...PERSON, session: 's0', user: 'user-0' }]);
});

it('believes nobody’s word', () => {
  const odd = {
    name: ' '.repeat(99),
    hue: 1e9,
    pointer: { x: 'left', y: 0 },
    button: 7,
    selected: [1, 'b'],
    editing: {},
  };
  expect(participants({}, odd)).toMatchObject([
    { name: 'user-0', hue: 0, pointer: null, button: 'up', selected: [], editing: null },
    { name: 'user-1', hue: 0, pointer: null, button: 'up', selected: ['b'], editing: null },
  ]);
});

it('a cursor says who it is, and who is typing', () => {
  const drawn = [...collaboratorsOf(participants(PERSON, { ...PERSON, editing: 't' })).values()];
  expect(drawn.map(({ username }) => username)).toEqual(['Ada', 'Ada is typing…']);
  expect(drawn[1]!.selectedElementIds).toEqual({ a: true, t: true });
});
