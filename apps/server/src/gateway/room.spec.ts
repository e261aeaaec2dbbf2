import { expect, it } from 'vitest';
import { isRelayRoom, relayRoomOf, roomOf } from './room.js';

it('gives each document rooms of its own whose names are never as long as a socket id', () => {
  const ids = Array.from({ length: 128 }, (_, i) => 'x'.repeat(i + 1));
  const rooms = [...ids.map(roomOf), ...ids.map(relayRoomOf)];
  expect(new Set(rooms).size).toBe(2 * ids.length);
  expect(rooms.filter((room) => room.length === 20)).toEqual([]);
  expect(rooms.filter(isRelayRoom)).toEqual(ids.map(relayRoomOf));
});

it('a document named like a room, or like a socket, gets neither', () => {
  const names = ['d:board', 'r:board', 'abcdefghij_klmnopqrs', 'abcdefghij_klmnopqr'];
  const rooms = [...names, 'board'].flatMap((name) => [roomOf(name), relayRoomOf(name)]);
  expect(new Set(rooms).size).toBe(rooms.length);
  expect(rooms.filter((room) => names.includes(room))).toEqual([]);
});
