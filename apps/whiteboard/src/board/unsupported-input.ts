/**
 * Keeps out what would change the board in ways that are not shared: pictures, and files that replace the scene. It
 * listens before Excalidraw does. The board stays as it was; the person is told.
 */
const PICTURES = 'Pictures are not supported yet. The board stays as it was.';
const FILES = 'Files can not be opened here yet. The board stays as it was.';

export function watchUnsupportedInput(tell: (message: string) => void): () => void {
  const controller = new AbortController();
  const options = { capture: true, signal: controller.signal };
  const stop = (event: Event, message: string): void => {
    event.preventDefault();
    event.stopImmediatePropagation();
    tell(message);
  };
  addEventListener(
    'paste',
    (event) => event.clipboardData && hasPicture(event.clipboardData) && stop(event, PICTURES),
    options,
  );
  addEventListener(
    'drop',
    (event) => {
      const files = [...(event.dataTransfer?.files ?? [])];
      if (files.length > 0) stop(event, files.some(({ type }) => type.startsWith('image/')) ? PICTURES : FILES);
    },
    options,
  );
  return () => controller.abort();
}

/** True if pasted elements are, or hold, pictures. */
export function holdsPictures(elements: readonly { readonly type: string }[] | undefined): boolean {
  return elements?.some(({ type }) => type === 'image') ?? false;
}

export function tellPictures(tell: (message: string) => void): void {
  tell(PICTURES);
}

function hasPicture(data: DataTransfer): boolean {
  if ([...data.files].some(({ type }) => type.startsWith('image/'))) return true;
  const text = data.getData('text/plain').trim();
  if (text.startsWith('<svg') && text.endsWith('</svg>')) return true;
  return text === '' && /<img\b/i.test(data.getData('text/html'));
}
