/** The start can not go on for a reason that the person who starts can mend: its message is the one line to show. */
export class StartRefused extends Error {
  override readonly name = 'StartRefused';
}
