/** The result for the terminal: each work with its systems, then what they are to each other. */
import { figureOf, shown } from '../measuring/figures.js';
import { table, type Block } from '../measuring/table.js';
import type { ComparedWork, CompareResult } from './compare-result.js';

export function summary({ works, warnings, verdict, cutShort }: CompareResult): string {
  const parts = [
    table(works.map(blockOf)),
    ...(cutShort === undefined ? [] : [`${cutShort}: this is what ran`]),
    ...(warnings.length === 0 ? [] : [warnings.map((warning) => `warning: ${warning}`).join('\n')]),
    verdict.says.join('\n'),
  ];
  return parts.filter((part) => part !== '').join('\n\n');
}

function blockOf({ name, says, unit, values, cpuMicros, ratios }: ComparedWork): Block {
  const systems = Object.entries(values).map(([system, all]) => {
    const micros = figureOf(cpuMicros?.[system] ?? []);
    const cpu = micros ? `, ${shown({ ...micros, all: [micros.median] }, 1)} µs` : '';
    return { what: system, value: `${shown(figureOf(all), 2)} ${unit}${cpu}` };
  });
  const compared = ratios.map(({ of, over, median, min, max, target }) => {
    const all = values[over]!.length > 1 ? [min, max] : [median];
    return {
      what: `${of} / ${over}`,
      value: shown({ median, min, max, all }, 2),
      ...(target && { target: `${target.says}: ${target.reached ? 'reached' : 'MISSED'}` }),
    };
  });
  return { says: `${name} (${says})`, rows: [...systems, ...compared] };
}
