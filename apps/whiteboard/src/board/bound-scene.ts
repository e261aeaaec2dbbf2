/** The binding with the browser around it: frames, hidden and closing pages, messages, and the picture for the home page. */
import { exportToCanvas, restoreElements } from '@excalidraw/excalidraw';
import type { ExcalidrawImperativeAPI } from '@excalidraw/excalidraw/types';
import { LIMITS } from '@homeport/protocol';
import { notePicture } from '../recent-boards.js';
import { Binding, type Problem } from './binding.js';
import { keepFonts } from './export-fonts.js';
import type { SharedBoard } from './use-board.js';
import { wordsFor } from './use-board.js';

const PICTURE_AFTER_MS = 4_000;
const PICTURE_PIXELS_MAX = 360;

export interface Bound {
  readonly binding: Binding;
  close(): void;
}

interface BoundSceneOptions {
  readonly id: string;
  readonly board: SharedBoard;
  readonly api: ExcalidrawImperativeAPI;
  readonly tell: (message: string) => void;
  readonly skipped: (count: number) => void;
}

export function bind({ id, board, api, tell, skipped }: BoundSceneOptions): Bound {
  const binding = new Binding({
    document: board,
    scene: api,
    restore: (element) => restoreElements([element], null),
    limits: () => LIMITS,
    nextFrame: (task) => void requestAnimationFrame(task),
    nonce: () => Math.floor(Math.random() * 2 ** 31),
    report: (problem) => tell(told(problem)),
    skipped,
  });
  binding.start();
  if (api.getSceneElements().length > 0) api.scrollToContent(undefined, { fitToContent: true });

  const controller = new AbortController();
  const { signal } = controller;
  // A hidden page gets no frames: what was drawn just before would stay here.
  document.addEventListener('visibilitychange', () => binding.sync(), { signal });
  addEventListener('pagehide', () => binding.sync(), { signal });
  addEventListener(
    'beforeunload',
    (event) => {
      binding.sync();
      if (board.status.pending > 0) event.preventDefault();
    },
    { signal },
  );
  let picture: ReturnType<typeof setTimeout> | undefined;
  const pictureSoon = (): void => {
    clearTimeout(picture);
    picture = setTimeout(() => void keepPicture(id, api), PICTURE_AFTER_MS);
  };
  const stopPictures = board.subscribe(pictureSoon);
  const forgetFonts = keepFonts();
  pictureSoon();
  return {
    binding,
    close() {
      controller.abort();
      stopPictures();
      forgetFonts();
      clearTimeout(picture);
      binding.stop();
    },
  };
}

async function keepPicture(id: string, api: ExcalidrawImperativeAPI): Promise<void> {
  const elements = api.getSceneElements();
  if (elements.length === 0) return;
  const { viewBackgroundColor } = api.getAppState();
  const canvas = await exportToCanvas({
    elements,
    files: null,
    appState: { viewBackgroundColor, exportBackground: true, exportWithDarkMode: false },
    maxWidthOrHeight: PICTURE_PIXELS_MAX,
    skipInliningFonts: true,
  });
  notePicture(id, canvas.toDataURL('image/webp', 0.7));
}

const KIND_NAMES: { readonly [kind: string]: string } = {
  freedraw: 'stroke',
  image: 'picture',
  iframe: 'embedded page',
};

function told(problem: Problem): string {
  switch (problem.is) {
    case 'too-large': {
      const [kb, kbMax] = [problem.bytes, problem.bytesMax].map((bytes) => Math.ceil(bytes / 1024));
      const name = KIND_NAMES[problem.kind] ?? problem.kind;
      return `This ${name} is too large to be saved (${kb} KB; at most ${kbMax} KB). What was saved before stays.`;
    }
    case 'not-shared':
      return `A ${KIND_NAMES[problem.kind] ?? problem.kind} can not be shared yet. The board stays as it was.`;
    case 'refused':
      return `A change was not saved: ${wordsFor(problem.error)}. The board shows what is saved.`;
  }
}
