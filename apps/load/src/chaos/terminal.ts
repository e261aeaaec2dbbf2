/** Lines that stay, and, on a terminal, one line that tells what is going on. */
import type { WriteStream } from 'node:tty';

export interface Screen {
  readonly tell: (line: string) => void;
  readonly status: (line: string) => void;
}

const CLEAR_LINE = '\r\x1b[2K';

export function terminal(out: NodeJS.WriteStream | WriteStream): Screen {
  if (!out.isTTY) return { tell: (line) => void out.write(`${line}\n`), status: () => {} };
  let now = '';
  return {
    tell: (line) => void out.write(`${CLEAR_LINE}${line}\n${now}`),
    status: (line) => {
      now = line.slice(0, out.columns - 1);
      out.write(`${CLEAR_LINE}${now}`);
    },
  };
}
