/**
 * The fonts of an exported SVG. The build puts these functions where Excalidraw would load 1.8 MB of WebAssembly to cut
 * fonts down, with glue that it compiles from text, which the page's security policy refuses; and where it would ask
 * the server for the files. Here they are embedded whole (10 to 90 KB each), from memory: a font that is shown has been
 * fetched by then, so an export works without a server too. The browser's cache does not do: it holds what a style
 * sheet asked for apart from what a script asks for.
 */
const FONT = /\/fonts\/[^?#]+\.woff2$/;
const kept = new Map<string, Promise<Response>>();

/** Fetches and keeps each font that comes into use. */
export function keepFonts(): () => void {
  const observer = new PerformanceObserver((list) => {
    for (const { name } of list.getEntries()) if (FONT.test(name)) fetchFont(name).catch(() => undefined);
  });
  observer.observe({ type: 'resource', buffered: true });
  return () => observer.disconnect();
}

export async function fetchFont(url: string | URL): Promise<Response> {
  const name = String(url);
  const response = kept.get(name) ?? fetch(name, { cache: 'force-cache' });
  kept.set(name, response);
  try {
    return (await response).clone();
  } catch (error) {
    kept.delete(name);
    throw error;
  }
}

export const Commands = { Subset: 'SUBSET' } as const;

export async function subsetToBase64(font: ArrayBuffer): Promise<string> {
  return toBase64(font);
}

export async function toBase64(font: ArrayBuffer): Promise<string> {
  let binary = '';
  for (const byte of new Uint8Array(font)) binary += String.fromCharCode(byte);
  return `data:font/woff2;base64,${btoa(binary)}`;
}
