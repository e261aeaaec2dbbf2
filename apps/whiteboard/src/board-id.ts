/** Ids of boards that people can tell apart: `board-quiet-harbour-x4k9q2`. What makes one unique is its end. */
const FIRST = [
  'bright',
  'calm',
  'clear',
  'early',
  'golden',
  'high',
  'misty',
  'open',
  'quiet',
  'silver',
  'still',
  'wide',
];
const SECOND = [
  'anchor',
  'bay',
  'beacon',
  'coast',
  'cove',
  'harbour',
  'island',
  'lagoon',
  'pier',
  'reef',
  'sail',
  'tide',
];
const CHARS = 'abcdefghjkmnpqrstuvwxyz23456789';

export function newBoardId(): string {
  const random = crypto.getRandomValues(new Uint8Array(10));
  const [first, second, ...rest] = random;
  const end = rest.map((byte) => CHARS[byte % CHARS.length]).join('');
  return `board-${FIRST[first! % FIRST.length]}-${SECOND[second! % SECOND.length]}-${end}`;
}

/** What a person calls the board. */
export function titleOf(id: string): string {
  const words = /^board-([a-z]+)-([a-z]+)-[a-z0-9]{8}$/.exec(id);
  return words ? `${words[1]![0]!.toUpperCase()}${words[1]!.slice(1)} ${words[2]}` : id;
}

export function addressOf(id: string): string {
  return `${location.origin}/board/${encodeURIComponent(id)}`;
}
