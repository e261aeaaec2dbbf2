/** The boards that were opened in this browser, the latest first, each with a small picture of how it was left. */
const KEY = 'homeport.boards';
const BOARDS_MAX = 24;
const PICTURE_CHARS_MAX = 40_000;

export interface RecentBoard {
  readonly id: string;
  /** Wall clock, ms since 1970. */
  readonly openedAt: number;
  readonly picture?: string;
}

export function readRecentBoards(): readonly RecentBoard[] {
  try {
    const boards: unknown = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    return Array.isArray(boards) ? boards.filter(isRecentBoard) : [];
  } catch {
    return [];
  }
}

export function noteOpened(id: string): void {
  const board = readRecentBoards().find((one) => one.id === id);
  write([{ ...board, id, openedAt: Date.now() }, ...readRecentBoards().filter((one) => one.id !== id)]);
}

export function notePicture(id: string, picture: string): void {
  if (picture.length > PICTURE_CHARS_MAX) return;
  write(readRecentBoards().map((board) => (board.id === id ? { ...board, picture } : board)));
}

export function forgetBoard(id: string): void {
  write(readRecentBoards().filter((board) => board.id !== id));
}

function write(boards: readonly RecentBoard[]): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(boards.slice(0, BOARDS_MAX)));
  } catch {
    // The browser's storage is full: the list is worth more than its pictures.
    localStorage.setItem(
      KEY,
      JSON.stringify(boards.slice(0, BOARDS_MAX).map(({ id, openedAt }) => ({ id, openedAt }))),
    );
  }
}

function isRecentBoard(value: unknown): value is RecentBoard {
  if (typeof value !== 'object' || value === null) return false;
  const { id, openedAt, picture } = value as Record<string, unknown>;
  const pictured = picture === undefined || (typeof picture === 'string' && picture.startsWith('data:image/'));
  return typeof id === 'string' && typeof openedAt === 'number' && pictured;
}
