/** Where Chromium is on this machine: CHROMIUM_PATH, else on the PATH, else where Playwright puts its own. */
import { chromium } from 'playwright-core';
import { findExecutable, isExecutable } from './executable.mjs';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];

/** The path of an executable, or undefined. */
export function findChromium() {
  if (process.env.CHROMIUM_PATH) return process.env.CHROMIUM_PATH;
  return findExecutable(NAMES) ?? [chromium.executablePath()].find(isExecutable);
}
