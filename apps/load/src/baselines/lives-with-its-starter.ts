/**
 * Whoever started this process holds the other end of its input: it never outlives that one. A Ctrl-C reaches all
 * processes of a terminal; this one leaves the answer to its starter.
 */
export function livesWithItsStarter(): void {
  process.stdin.on('end', () => process.exit(0)).resume();
  process.on('SIGINT', () => {});
}
