import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/**
 * Names the place in which a port can be bound once: this boot of this machine and, on Linux, this network namespace.
 * Two processes with the same answer, host and port can not both listen, so a bind that succeeds proves the other gone.
 */
export function machineId(): string {
  const parts = [
    hostname(),
    ...['/etc/machine-id', '/proc/sys/kernel/random/boot_id'].map((file) => attempt(() => readFileSync(file, 'utf8'))),
    attempt(() => readlinkSync('/proc/self/ns/net')),
  ];
  return createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 32);
}

/** Not every system has every file. */
function attempt(read: () => string): string {
  try {
    return read().trim();
  } catch {
    return '';
  }
}
