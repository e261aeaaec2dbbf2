import { refuse, type Position, type Seq } from '@homeport/protocol';
import { Refused } from './refused.js';

export const POSITION_HEADER = 'Homeport-Position';
export const MIN_POSITION_HEADER = 'Homeport-Min-Position';

/** `<timeline>.<seq>`; a timeline may hold points itself. */
export function formatPosition({ timeline, seq }: Position): string {
  return `${timeline}.${seq}`;
}

export function parsePosition(text: string | undefined): Position | undefined {
  if (text === undefined) return undefined;
  const [, timeline, digits] = /^([\x21-\x7e]{1,128})\.(\d{1,15})$/.exec(text) ?? [];
  if (timeline === undefined)
    throw new Refused(
      refuse.invalid(MIN_POSITION_HEADER, `${MIN_POSITION_HEADER} must be <timeline>.<seq>, as in ${POSITION_HEADER}`),
    );
  return { timeline, seq: Number(digits) as Seq };
}
