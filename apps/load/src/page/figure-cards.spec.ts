import { expect, it } from 'vitest';
import { figure } from '../load/measured.js';
import { figureCards } from './figure-cards.js';

it('a figure without a value says that there was nothing to measure, and that its target was missed', () => {
  const { text } = figureCards([figure('push p99', null, 'ms', { says: 'at most 10 ms', max: 10 })])!;
  expect(text).toMatch(/– <small>nothing to measure<\/small>/);
  expect(text).toContain('✗ missed');
  expect(text).not.toContain('ms</small>');
});
