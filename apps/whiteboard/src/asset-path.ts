/** Imported first: Excalidraw reads it while it loads, and would ask a public server for its fonts otherwise. */
declare global {
  interface Window {
    EXCALIDRAW_ASSET_PATH?: string;
  }
}

window.EXCALIDRAW_ASSET_PATH = '/';

export {};
