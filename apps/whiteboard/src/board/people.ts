/**
 * What people show of themselves, and what is made of what others show. It is the other page's word, so every field is
 * looked at; only `user` is the server's.
 */
import type { Collaborator, SocketId } from '@excalidraw/excalidraw/types';
import type { Others, PresenceFields } from '@homeport/client';
import { isObject, type Json, type JsonObject } from '@homeport/protocol';
import { cleanName, HUES } from '../person.js';

const SELECTED_MAX = 60;

export interface Shown extends PresenceFields {
  readonly name: string;
  readonly hue: number;
  /** Where the pointer is, in the scene. */
  readonly pointer: { readonly x: number; readonly y: number; readonly tool: 'pointer' | 'laser' } | null;
  readonly button: 'up' | 'down';
  readonly selected: readonly string[];
  /** The text that is being typed in. */
  readonly editing: string | null;
}

export interface Participant extends Shown {
  readonly session: string;
  readonly user: string;
}

export function selectionOf(ids: { readonly [id: string]: boolean }): string[] {
  return Object.keys(ids).slice(0, SELECTED_MAX);
}

export function participantsOf(others: Others<Shown>): Participant[] {
  return [...others].map(([session, { user, state }]) => ({ session, user, ...checked(state, user) }));
}

function checked(state: JsonObject, user: string): Shown {
  const { name, hue, pointer, button, selected, editing } = state;
  return {
    name: cleanName(typeof name === 'string' ? name : '') || cleanName(user),
    hue: typeof hue === 'number' && Number.isInteger(hue) && hue >= 0 && hue < HUES ? hue : 0,
    pointer: pointerOf(pointer),
    button: button === 'down' ? 'down' : 'up',
    selected: Array.isArray(selected) ? selected.filter(isText).slice(0, SELECTED_MAX) : [],
    editing: isText(editing) ? editing : null,
  };
}

function pointerOf(pointer: Json | undefined): Shown['pointer'] {
  if (pointer === undefined || !isObject(pointer)) return null;
  const { x, y, tool } = pointer;
  if (!isCoordinate(x) || !isCoordinate(y)) return null;
  return { x, y, tool: tool === 'laser' ? 'laser' : 'pointer' };
}

/** As Excalidraw draws them: a cursor with a name, a frame around what is selected or typed in. */
export function collaboratorsOf(participants: readonly Participant[]): Map<SocketId, Collaborator> {
  return new Map(
    participants.map(({ session, name, hue, pointer, button, selected, editing }) => [
      session as SocketId,
      {
        id: idOfHue(hue),
        username: editing === null ? name : `${name} is typing…`,
        button,
        ...(pointer && { pointer }),
        selectedElementIds: Object.fromEntries(
          [...selected, ...(editing === null ? [] : [editing])].map((id) => [id, true]),
        ),
      },
    ]),
  );
}

/** Excalidraw makes the colour of a cursor from a hash of this id; one character is its own hash. */
function idOfHue(hue: number): string {
  return String.fromCharCode(2 * HUES + hue);
}

function isText(value: Json | undefined): value is string {
  return typeof value === 'string' && value.length <= 128;
}

function isCoordinate(value: Json | undefined): value is number {
  return typeof value === 'number' && Math.abs(value) <= 1e7;
}
