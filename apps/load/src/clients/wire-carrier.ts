/**
 * The light carrier: packets written out over a bare WebSocket.
 *
 * All sessions of a process that have a document open get the same frame, as the same text. It is parsed once, for the
 * first of them, so that a process can be many people.
 */
import { WireSocket } from '../measuring/wire-socket.js';
import type { Carry } from './carrier.js';

/** Frames of so many documents are still on their way to somebody. */
const KEPT_MAX = 512;
/** Enough of a text to tell frames apart: the document and the seqs stand there. */
const HEAD_CHARS = 200;

export class FrameTexts {
  readonly #kept = new Map<string, { readonly text: string; readonly frame: unknown }>();

  /** What the text says; the same object for the same text. */
  read<Frame>(text: string): Frame {
    const head = text.slice(0, HEAD_CHARS);
    const kept = this.#kept.get(head);
    if (kept?.text === text) return kept.frame as Frame;
    const frame = JSON.parse(text) as Frame;
    this.#kept.delete(head);
    this.#kept.set(head, { text, frame });
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > KEPT_MAX) this.#kept.delete(oldest!);
    return frame;
  }
}

export function byWire(texts = new FrameTexts()): Carry {
  return (target, auth, ear) => {
    const query = target.node === undefined ? undefined : `node=${target.node}`;
    const wire = new WireSocket(target.url, auth, query);
    for (const event of ['entries', 'presence'] as const)
      wire.on(event, (text) => {
        ear.heard();
        ear[event](texts.read(text));
      });
    for (const event of ['hello', 'head', 'moved', 'resume'] as const)
      wire.on(event, (text) => {
        ear.heard();
        ear[event](JSON.parse(text) as never);
      });
    wire.onRefused = (text) => {
      const { data } = JSON.parse(text) as { data?: { code?: string; message?: string } };
      ear.refused(data ?? {});
    };
    wire.onEnd = () => ear.lost();
    return {
      send: (event, request, answered) => {
        const text = JSON.stringify(request);
        if (answered === undefined) wire.tell(event, text);
        else wire.request(event, text, (reply) => answered(JSON.parse(reply) as never));
      },
      close: () => wire.close(),
      break: () => wire.break(),
      pause: () => wire.pause(),
      resume: () => wire.resume(),
    };
  };
}
