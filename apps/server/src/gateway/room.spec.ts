import { expect, it } from 'vitest';
import { roomOf } from './room.js';

it('gives each document a room of its own whose name is never as long as a socket id', () => {
  const ids = Array.from({ length: 128 }, (_, i) => 'x'.repeat(i + 1));
  const rooms = ids.map(roomOf);
  expect(new Set(rooms).size).toBe(ids.length);
  expect(rooms.filter((room) => room.length === 20)).toEqual([]);
});
