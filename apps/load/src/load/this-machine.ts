const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** Why an address is not loaded before somebody said that it is theirs: it may be another machine's. */
export function objection(url: string): string | undefined {
  if (LOOPBACK.test(new URL(url).hostname)) return undefined;
  return `${url} is not on this machine: if it is yours to load, say --i-own-this-system`;
}
