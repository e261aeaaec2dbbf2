import { expect, it } from 'vitest';
import { CommandError } from '../command.js';
import { scale } from './scale.js';

it('refuses an --out that can not be written before it begins', async () => {
  const refused = scale.run(['--out', '/dev/null/result.json']);
  await expect(refused).rejects.toThrow(CommandError);
  await expect(refused).rejects.toThrow('--out /dev/null/result.json can not be written: ENOTDIR');
});
